/* SPDX-License-Identifier: MIT */

/*
 * libcurl's multi_socket interface in gemgate's loop. Four things differ from the textbook, each measured:
 *
 *   - A socket that libcurl removes between two requests stays in epoll: see curl-socket.c.
 *   - A zero timer is a hook at the end of the turn and no timer at all. A longer one is set only if none is
 *     set that fires sooner; if it fires early, it is set again.
 *   - Easy handles are pooled with their fixed options set, each with its last URL, parsed. From a text,
 *     libcurl would parse and rebuild the URL at each request, an eighth of all its work.
 *   - All finished transfers are read at the end of a turn, not one for each wake-up.
 *
 * HTTP/2 is used from libcurl 8.1 on: older versions could report aborted parallel streams as complete, and
 * one paused stream held up the other streams of its connection.
 */

#include <errno.h>

#include "io/curl-internal.h"

#define CONNECTS_MAX   256L /* idle upstream connections kept */
#define TIMER_ACCURACY (5 * USEC_PER_MSEC)
#define HTTP2_SINCE    0x080100U /* 8.1.0 */

/* --- time --- */

static int on_timer_wanted(CURLM *multi _unused_, long ms, void *userdata) {
        CurlGlue *g = userdata;

        /* Calling libcurl from in here recurses: only note it. */
        g->due = ms == 0;
        g->wanted = ms > 0 ? usec_add(loop_now(g->loop), (usec_t) ms * USEC_PER_MSEC) : USEC_INFINITY;
        if (g->due)
                loop_hook_ask(g->loop, &g->hook);
        else if (g->wanted < g->timer_due) {
                g->timer_due = g->wanted;
                (void) sd_event_source_set_time(g->timer, g->wanted);
                (void) sd_event_source_set_enabled(g->timer, SD_EVENT_ONESHOT);
        }
        return 0;
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        CurlGlue *g = userdata;

        g->timer_due = USEC_INFINITY;
        if (g->wanted == USEC_INFINITY)
                return 0;
        if (g->wanted <= loop_now(g->loop)) {
                g->due = true;
                loop_hook_ask(g->loop, &g->hook);
        } else {
                g->timer_due = g->wanted;
                (void) sd_event_source_set_time(g->timer, g->wanted);
                (void) sd_event_source_set_enabled(g->timer, SD_EVENT_ONESHOT);
        }
        return 0;
}

/* --- the end of a turn --- */

static void read_finished(CurlGlue *g) {
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(g->multi, &left))) {
                char *p = NULL;

                if (m->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
                curl_call_finish((CurlCall *) (void *) p, m->data.result);
        }
}

static void on_hook(void *userdata) {
        CurlGlue *g = userdata;
        int running;
        List *l;

        while ((l = list_first(&g->resumed)))
                curl_call_resume(list_entry(l, CurlCall, resumed));
        if (g->due) {
                g->due = false;
                (void) curl_multi_socket_action(g->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        read_finished(g);
}

/* --- the glue itself --- */

static void drop_handles(CurlGlue *g) {
        while (g->n_pool > 0)
                curl_handle_done(&g->pool[--g->n_pool]);
}

static void glue_renew(HttpClient *client, const HttpClientParams *p) {
        CurlGlue *g = CONTAINER_OF(client, CurlGlue, client);

        g->ca_file = p->ca_file;
        g->n_renewed++;
        drop_handles(g); /* they have the old CAs */
        curl_roads_renew(g);
}

static void glue_free(HttpClient *client) {
        CurlGlue *g = CONTAINER_OF(client, CurlGlue, client);

        assert(g->n_calls == 0);
        drop_handles(g);
        curl_roads_renew(g);
        if (g->multi)
                (void) curl_multi_cleanup(g->multi);
        curl_global_cleanup();
        curl_sockets_done(g);
        loop_hook_remove(&g->hook);
        sd_event_source_unref(g->timer);
        free(g);
}

int curl_glue_new(Loop *loop, HttpClient **ret) {
        static const HttpClientOps ops = {
                .start = curl_call_start,
                .renew = glue_renew,
                .free = glue_free,
                .call_pause = curl_call_pause,
                .call_continue = curl_call_continue,
                .call_timings = curl_call_timings,
                .call_retry_after = curl_call_retry_after,
                .call_free = curl_call_free,
        };
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        CurlGlue *g;
        int r;

        g = calloc(1, sizeof(CurlGlue));
        if (!g)
                return -ENOMEM;
        g->client.ops = &ops;
        g->loop = loop;
        g->timer_due = g->wanted = USEC_INFINITY;
        list_init(&g->resumed);
        list_init(&g->roads);
        loop_hook_add(loop, &g->hook, on_hook, g);
        client = &g->client;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return -EIO;
        g->http2 = curl_version_info(CURLVERSION_NOW)->version_num >= HTTP2_SINCE;
        g->multi = curl_multi_init();
        if (!g->multi)
                return -ENOMEM;
        (void) curl_multi_setopt(g->multi, CURLMOPT_SOCKETFUNCTION, curl_socket_on_change);
        (void) curl_multi_setopt(g->multi, CURLMOPT_SOCKETDATA, g);
        (void) curl_multi_setopt(g->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
        (void) curl_multi_setopt(g->multi, CURLMOPT_TIMERDATA, g);
        (void) curl_multi_setopt(g->multi, CURLMOPT_MAXCONNECTS, CONNECTS_MAX);

        r = sd_event_add_time(loop_event(loop), &g->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer, g);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(g->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(client);
        return 0;
}
