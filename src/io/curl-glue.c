/* SPDX-License-Identifier: MIT */

/*
 * libcurl's multi_socket interface in gemgate's loop. Three things differ from the textbook:
 *
 *   - libcurl is never called from within its own callbacks: what it wants is only noted there.
 *   - A zero timer is a hook at the end of the turn and no timer at all. A longer one is set only if none is
 *     set that fires sooner; if it fires early, it is set again.
 *   - What has ended is read at the end of a turn, not for each wake-up.
 */

#include <errno.h>

#include "io/curl-internal.h"

#define TIMER_ACCURACY (5 * USEC_PER_MSEC)

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
                tunnel_finish((Tunnel *) (void *) p, m->data.result);
        }
}

static void on_hook(void *userdata) {
        CurlGlue *g = userdata;
        int running;

        if (g->due) {
                g->due = false;
                (void) curl_multi_socket_action(g->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        read_finished(g);
}

/* --- the glue itself --- */

CurlGlue *curl_glue_free(CurlGlue *g) {
        if (!g)
                return NULL;
        assert(g->n_tunnels == 0);
        if (g->multi)
                (void) curl_multi_cleanup(g->multi);
        curl_global_cleanup();
        curl_sockets_done(g);
        loop_hook_remove(&g->hook);
        sd_event_source_unref(g->timer);
        free(g);
        return NULL;
}

int curl_glue_new(Loop *loop, CurlGlue **ret) {
        _cleanup_(curl_glue_freep) CurlGlue *g = NULL;
        int r;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return -EIO;
        g = calloc(1, sizeof(CurlGlue));
        if (!g) {
                curl_global_cleanup();
                return -ENOMEM;
        }
        g->loop = loop;
        g->timer_due = g->wanted = USEC_INFINITY;
        loop_hook_add(loop, &g->hook, on_hook, g);
        g->multi = curl_multi_init();
        if (!g->multi)
                return -ENOMEM;
        (void) curl_multi_setopt(g->multi, CURLMOPT_SOCKETFUNCTION, curl_socket_on_change);
        (void) curl_multi_setopt(g->multi, CURLMOPT_SOCKETDATA, g);
        (void) curl_multi_setopt(g->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
        (void) curl_multi_setopt(g->multi, CURLMOPT_TIMERDATA, g);

        r = sd_event_add_time(loop_event(loop), &g->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer, g);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(g->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(g);
        return 0;
}
