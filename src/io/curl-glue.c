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
 * A request is sent once. When a kept connection breaks before the answer's first byte, libcurl would send
 * the request again on a new one, without a notice, although the server may have carried it out.
 * CURLOPT_PREREQFUNCTION is called before each sending and refuses the second one. So the call fails like
 * any other whose connection broke: the caller decides about another attempt, and counts it.
 *
 * Inside a data callback libcurl refuses every call, so a pause is only noted there: the callback returns
 * PAUSE for the next piece, and a hook continues the transfer.
 *
 * HTTP/2 is used from libcurl 8.1 on: older versions could report aborted parallel streams as complete, and
 * one paused stream held up the other streams of its connection.
 */

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "io/curl-internal.h"
#include "io/loopback.h"

#define CONNECTS_MAX   256L /* idle upstream connections kept */
#define TIMER_ACCURACY (5 * USEC_PER_MSEC)
#define HTTP2_SINCE    0x080100U /* 8.1.0 */
#define HEADER_MAX     (64U + SECRET_LENGTH_MAX)
#define EXPECT_MIN     (64U << 10) /* libcurl waits for 100 Continue with larger bodies, unless forbidden */

struct CurlCall {
        CurlGlue *glue;
        CurlHandle handle;
        CurlRoad *road; /* NULL: no proxy */
        CurlCallOps ops;
        void *userdata;
        Secret *secret;
        struct curl_slist headers[3 + CURL_HEADERS_MAX];
        char header[HEADER_MAX];
        List resumed;
        int status;
        bool added, paused, held; /* held: on_body() returned PAUSE, and libcurl waits */
        bool aborted, in_data;
        bool sent, cut; /* sent: libcurl has begun to send the request; cut: it would have sent it again */
};

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

static CurlOutcome outcome_of(const CurlCall *c, CURLcode code) {
        if (c->aborted)
                return CURL_OUTCOME_ABORTED;
        if (c->cut)
                return CURL_OUTCOME_BROKEN;
        if (c->road && !c->sent)
                return CURL_OUTCOME_UNREACHED;
        switch (code) {
        case CURLE_OK:
                return CURL_OUTCOME_COMPLETE;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_OPERATION_TIMEDOUT: /* we set no other limit than the connect time-out */
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_PROXY:
                return CURL_OUTCOME_UNREACHED;
        default:
                return CURL_OUTCOME_BROKEN;
        }
}

static void call_detach(CurlCall *c) {
        CurlGlue *g = c->glue;

        if (!c->added)
                return;
        c->added = false;
        (void) curl_multi_remove_handle(g->multi, c->handle.easy);
}

static void cause_of(const CurlCall *c, CURLcode code, char ret[static CURL_CAUSE_MAX]) {
        const char *words = c->cut               ? "The connection was closed before an answer came"
                            : c->handle.words[0] ? c->handle.words
                                                 : curl_easy_strerror(code);

        ret[0] = 0;
        if (code == CURLE_OK)
                return;
        curl_cause(c->handle.easy, curl_road_proxy(c->road), code, c->sent, words, ret);
        secret_scrub(ret, c->secret);
}

static void read_finished(CurlGlue *g) {
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(g->multi, &left))) {
                CURLcode code = m->data.result;
                char cause[CURL_CAUSE_MAX], *p = NULL;
                CurlCall *c = NULL;
                long status = 0;

                if (m->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
                (void) curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
                c = (CurlCall *) (void *) p;
                if (c->road && !c->sent)
                        status = 0; /* what there is is the proxy's */
                cause_of(c, code, cause);
                call_detach(c);
                c->ops.done(outcome_of(c, code), (int) status, cause, c->userdata);
        }
}

static void on_hook(void *userdata) {
        CurlGlue *g = userdata;
        int running;
        List *l;

        while ((l = list_first(&g->resumed))) {
                CurlCall *c = list_entry(l, CurlCall, resumed);

                list_unlink(l);
                c->held = false;
                (void) curl_easy_pause(c->handle.easy, CURLPAUSE_CONT);
        }
        if (g->due) {
                g->due = false;
                (void) curl_multi_socket_action(g->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        read_finished(g);
}

/* --- calls --- */

static int on_send(void *userdata, char *ip _unused_, char *local_ip _unused_, int port _unused_,
                   int local_port _unused_) {
        CurlCall *c = userdata;

        c->cut = c->sent;
        c->sent = true;
        if (!c->cut && c->ops.sent)
                c->ops.sent(c->userdata);
        return c->cut ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t on_data(char *p, size_t size, size_t n, void *userdata) {
        CurlCall *c = userdata;
        int r;

        n *= size;
        if (c->paused) {
                c->held = true;
                return CURL_WRITEFUNC_PAUSE;
        }
        if (c->status == 0) {
                long status = 0;

                (void) curl_easy_getinfo(c->handle.easy, CURLINFO_RESPONSE_CODE, &status);
                c->status = (int) status;
        }
        c->in_data = true;
        r = c->ops.data(c->status, p, n, c->userdata);
        c->in_data = false;
        if (r < 0) {
                c->aborted = true;
                return n + 1; /* any other count than n aborts; 0 would not when n is 0 */
        }
        return n;
}

static size_t on_header(char *p, size_t size, size_t n, void *userdata) {
        CurlCall *c = userdata;
        size_t k = size * n;

        while (k > 0 && (p[k - 1] == '\n' || p[k - 1] == '\r'))
                k--;
        c->in_data = true;
        c->ops.header(p, k, c->userdata);
        c->in_data = false;
        return size * n;
}

static void handle_done(CurlHandle *h) {
        curl_easy_cleanup(h->easy);
        curl_url_cleanup(h->url);
        free(h->text);
        free(h->words);
        *h = (CurlHandle){};
}

static int handle_take(CurlGlue *g, CurlHandle *ret) {
        CurlHandle h;

        if (g->n_pool > 0) {
                *ret = g->pool[--g->n_pool];
                return 0;
        }

        h = (CurlHandle){ .easy = curl_easy_init(), .url = curl_url(), .words = calloc(1, CURL_ERROR_SIZE) };
        if (!h.easy || !h.url || !h.words) {
                handle_done(&h);
                return -ENOMEM;
        }
        (void) curl_easy_setopt(h.easy, CURLOPT_ERRORBUFFER, h.words);
        (void) curl_easy_setopt(h.easy, CURLOPT_NOSIGNAL, 1L);
        /* Else a call that is freed while its name is looked up waits for the resolver, which may take many
         * seconds. So the resolver's thread is left to itself, and ends when it has its answer. */
        (void) curl_easy_setopt(h.easy, CURLOPT_QUICK_EXIT, 1L);
        (void) curl_easy_setopt(h.easy, CURLOPT_PROTOCOLS_STR, "http,https");
        (void) curl_easy_setopt(h.easy, CURLOPT_FOLLOWLOCATION, 0L);
        (void) curl_easy_setopt(h.easy, CURLOPT_HTTP_VERSION,
                                (long) (g->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
        (void) curl_easy_setopt(h.easy, CURLOPT_USERAGENT, "gemgate/" GEMGATE_VERSION);
        (void) curl_easy_setopt(h.easy, CURLOPT_OPENSOCKETFUNCTION, curl_socket_on_open);
        (void) curl_easy_setopt(h.easy, CURLOPT_OPENSOCKETDATA, g);
        (void) curl_easy_setopt(h.easy, CURLOPT_CLOSESOCKETFUNCTION, curl_socket_on_close);
        (void) curl_easy_setopt(h.easy, CURLOPT_CLOSESOCKETDATA, g);
        (void) curl_easy_setopt(h.easy, CURLOPT_PREREQFUNCTION, on_send);
        (void) curl_easy_setopt(h.easy, CURLOPT_WRITEFUNCTION, on_data);
        /* Empty, not NULL: then libcurl does not look for the environment's variables. */
        (void) curl_easy_setopt(h.easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(h.easy, CURLOPT_NOPROXY, "");
        /* The heads of a proxy's own answers are not for ops.header. */
        (void) curl_easy_setopt(h.easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        *ret = h;
        return 0;
}

static void handle_give(CurlGlue *g, CurlHandle *h) {
        if (g->n_pool == CURL_POOL_MAX) {
                handle_done(h);
                return;
        }
        /* What pointed into the call must not outlive it. */
        (void) curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_PREREQDATA, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_PRIVATE, NULL);
        h->words[0] = 0;
        g->pool[g->n_pool++] = *h;
}

/* What goes to this machine must not pass a proxy: the keys would be readable there, and the loopback of the
 * proxy is another machine's. */
static bool is_loopback(CURLU *url) {
        char *host = NULL;
        bool is;

        if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
                return false;
        is = loopback_is_host(host);
        curl_free(host);
        return is;
}

static int handle_set_url(CurlHandle *h, const char *url) {
        char *text;

        if (h->text && streq(h->text, url))
                return 0;
        text = strdup(url);
        if (!text)
                return -ENOMEM;
        free(h->text);
        h->text = NULL; /* NULL until both have the URL */
        if (curl_url_set(h->url, CURLUPART_URL, url, 0) != CURLUE_OK ||
            curl_easy_setopt(h->easy, CURLOPT_URL, url) != CURLE_OK || /* libcurl's name and version */
            curl_easy_setopt(h->easy, CURLOPT_CURLU, h->url) != CURLE_OK) {
                free(text);
                return -EINVAL;
        }
        h->text = text;
        return 0;
}

/* libcurl takes a list of headers and does not copy it; ours lives in the call, so the key is in one place
 * and wiped. */
static int call_headers(CurlCall *c, const CurlCallParams *p) {
        static char content_type[] = "Content-Type: application/json";
        static char expect[] = "Expect:";
        size_t n = 0;
        int k;

        if (p->secret) {
                k = snprintf(c->header, sizeof(c->header), "%s: %s", p->secret_header,
                             secret_reveal(p->secret));
                if (k < 0 || (size_t) k >= sizeof(c->header))
                        return -EINVAL;
                c->headers[n++].data = c->header;
        }
        if (p->post) {
                c->headers[n++].data = p->content_type ? (char *) (uintptr_t) p->content_type : content_type;
                if (p->n_post > EXPECT_MIN)
                        c->headers[n++].data = expect;
        }
        assert(p->n_headers <= CURL_HEADERS_MAX);
        for (size_t i = 0; i < p->n_headers; i++)
                c->headers[n++].data = p->headers[i];
        for (size_t i = 0; i + 1 < n; i++)
                c->headers[i].next = &c->headers[i + 1];
        (void) curl_easy_setopt(c->handle.easy, CURLOPT_HTTPHEADER, n > 0 ? c->headers : NULL);
        return 0;
}

int curl_call_start(CurlGlue *g, const CurlCallParams *p, const CurlCallOps *ops, void *userdata,
                    CurlCall **ret) {
        _cleanup_(curl_call_freep) CurlCall *c = NULL;
        int r;

        c = calloc(1, sizeof(CurlCall));
        if (!c)
                return -ENOMEM;
        c->glue = g;
        c->ops = *ops;
        c->userdata = userdata;
        list_init(&c->resumed);
        g->n_calls++;

        r = handle_take(g, &c->handle);
        if (r < 0)
                return r;
        if (p->secret)
                c->secret = secret_ref(p->secret);
        r = call_headers(c, p);
        if (r < 0)
                return r;
        r = handle_set_url(&c->handle, p->url);
        if (r < 0)
                return r;
        if (p->proxy && !is_loopback(c->handle.url)) {
                r = curl_road_take(g, c->handle.easy, p->proxy, &c->road);
                if (r < 0)
                        return r;
        }
        (void) curl_easy_setopt(c->handle.easy, CURLOPT_PREREQDATA, c);
        (void) curl_easy_setopt(c->handle.easy, CURLOPT_WRITEDATA, c);
        (void) curl_easy_setopt(c->handle.easy, CURLOPT_PRIVATE, c);
        (void) curl_easy_setopt(c->handle.easy, CURLOPT_CONNECTTIMEOUT_MS,
                                (long) (p->connect_timeout / USEC_PER_MSEC));
        if (p->post) {
                (void) curl_easy_setopt(c->handle.easy, CURLOPT_POST, 1L);
                (void) curl_easy_setopt(c->handle.easy, CURLOPT_POSTFIELDS, p->post);
                (void) curl_easy_setopt(c->handle.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) p->n_post);
        } else
                (void) curl_easy_setopt(c->handle.easy, CURLOPT_HTTPGET, 1L);
        if (p->method)
                (void) curl_easy_setopt(c->handle.easy, CURLOPT_CUSTOMREQUEST, p->method);
        if (ops->header) {
                (void) curl_easy_setopt(c->handle.easy, CURLOPT_HEADERFUNCTION, on_header);
                (void) curl_easy_setopt(c->handle.easy, CURLOPT_HEADERDATA, c);
        }

        if (curl_multi_add_handle(g->multi, c->handle.easy) != CURLM_OK)
                return -EIO;
        c->added = true;
        *ret = TAKE_PTR(c);
        return 0;
}

CurlCall *curl_call_free(CurlCall *c) {
        if (!c)
                return NULL;

        assert(!c->in_data);
        list_unlink(&c->resumed);
        if (c->handle.easy) {
                call_detach(c);
                curl_road_give(c->handle.easy, c->road);
                handle_give(c->glue, &c->handle);
        }
        explicit_bzero(c->header, sizeof(c->header));
        secret_unref(c->secret);
        c->glue->n_calls--;
        free(c);
        return NULL;
}

usec_t curl_call_retry_after(const CurlCall *c) {
        curl_off_t seconds = 0;

        if (curl_easy_getinfo(c->handle.easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0 ||
            seconds > INT32_MAX)
                return 0;
        return (usec_t) seconds * USEC_PER_SEC;
}

void curl_call_pause(CurlCall *c, bool paused) {
        c->paused = paused;
        if (paused)
                list_unlink(&c->resumed);
        else if (c->held && !list_is_linked(&c->resumed)) {
                list_append(&c->glue->resumed, &c->resumed);
                loop_hook_ask(c->glue->loop, &c->glue->hook);
        }
}

/* --- the glue itself --- */

int curl_glue_new(Loop *loop, CurlGlue **ret) {
        _cleanup_(curl_glue_freep) CurlGlue *g = NULL;
        int r;

        g = calloc(1, sizeof(CurlGlue));
        if (!g)
                return -ENOMEM;
        g->loop = loop;
        g->timer_due = g->wanted = USEC_INFINITY;
        list_init(&g->resumed);
        list_init(&g->roads);
        loop_hook_add(loop, &g->hook, on_hook, g);

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
        *ret = TAKE_PTR(g);
        return 0;
}

CurlGlue *curl_glue_free(CurlGlue *g) {
        if (!g)
                return NULL;

        assert(g->n_calls == 0);
        while (g->n_pool > 0)
                handle_done(&g->pool[--g->n_pool]);
        curl_glue_renew(g);
        if (g->multi)
                (void) curl_multi_cleanup(g->multi);
        curl_global_cleanup();
        curl_sockets_done(g);
        loop_hook_remove(&g->hook);
        sd_event_source_unref(g->timer);
        free(g);
        return NULL;
}
