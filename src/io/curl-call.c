/* SPDX-License-Identifier: MIT */

/*
 * A call by libcurl.
 *
 * A request is sent once. When a kept connection breaks before the answer's first byte, libcurl would send
 * the request again on a new one, without a notice, although the server may have carried it out.
 * CURLOPT_PREREQFUNCTION is called before each sending, and refuses the second one of any request but a GET.
 * So the call fails like any other whose connection broke: the caller decides about another attempt, and
 * counts it.
 *
 * Inside a callback libcurl refuses every call, so a pause is only noted there: the callback returns PAUSE
 * for the next piece, and a hook continues the transfer.
 */

#include <errno.h>
#include <stdio.h>

#include "base/limits-http-client.h"
#include "base/limits.h"
#include "base/text.h"
#include "io/curl-internal.h"
#include "io/loopback.h"

#define CA_SLASHES 64U
#define EXPECT_MIN (64U << 10) /* libcurl waits for 100 Continue with larger bodies, unless forbidden */

/* --- libcurl's callbacks --- */

static int on_send(void *userdata, char *ip _unused_, char *local_ip _unused_, int port _unused_,
                   int local_port _unused_) {
        CurlCall *c = userdata;

        if (c->sent > 0) {
                c->cut = !c->is_get || c->again;
                c->again = true;
                return c->cut ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
        }
        c->sent = loop_now(c->glue->loop);
        if (c->call.ops.sent)
                c->call.ops.sent(c->call.userdata);
        return CURL_PREREQFUNC_OK;
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
        c->in_callback = true;
        r = c->call.ops.data(c->status, p, n, c->call.userdata);
        c->in_callback = false;
        if (r < 0) {
                c->aborted = true;
                return n + 1; /* any other count than n aborts; 0 would not when n is 0 */
        }
        return n;
}

/* The lines of all heads, and the trailers. libcurl keeps them all, and has no ceiling for their number. */
static size_t on_header(char *p, size_t size, size_t n, void *userdata) {
        CurlCall *c = userdata;
        size_t k = size * n;

        c->n_lines += k;
        if (c->n_lines > HTTP_ANSWER_HEAD_MAX)
                return 0; /* breaks the transfer */
        while (k > 0 && strchr(TEXT_WHITESPACE, p[k - 1]))
                k--;
        if (k > 5 && memcmp(p, "HTTP/", 5) == 0) {
                const char *status = memchr(p, ' ', k);

                c->in_head = status && p + k - status > 3 && status[1] != '1';
        } else if (k == 0) {
                c->has_head = c->has_head || c->in_head;
                c->in_head = false;
        } else if (c->in_head && c->call.ops.header && memchr(p, ':', k)) {
                c->in_callback = true;
                c->call.ops.header(p, k, c->call.userdata);
                c->in_callback = false;
        }
        return size * n;
}

static size_t on_read(char *p, size_t size, size_t n, void *userdata) {
        CurlCall *c = userdata;
        ssize_t k;

        n *= size;
        n = MIN(n, c->n_left);
        if (n == 0)
                return 0;
        c->in_callback = true;
        k = c->call.ops.read(p, n, c->call.userdata);
        c->in_callback = false;
        if (k == -EAGAIN) {
                c->starved = true;
                return CURL_READFUNC_PAUSE;
        }
        /* A body shorter than announced is not one. */
        if (k < 0 || (k == 0 && c->n_left != SIZE_MAX)) {
                c->aborted = true;
                return CURL_READFUNC_ABORT;
        }
        if (c->n_left != SIZE_MAX)
                c->n_left -= (size_t) k;
        return (size_t) k;
}

/* --- easy handles --- */

void curl_handle_done(CurlHandle *h) {
        curl_easy_cleanup(h->easy);
        curl_url_cleanup(h->url);
        free(h->text);
        free(h->words);
        *h = (CurlHandle){};
}

/* libcurl keeps the CAs of a file for a day, and connections that were verified with them, and it knows both
 * by the file's path. So after each reload the path has another number of slashes. */
static void handle_set_cas(CurlGlue *g, CurlHandle *h) {
        char path[CA_SLASHES + DIRECTORY_PATH_MAX + 1];
        size_t n = g->n_renewed % CA_SLASHES;

        h->n_renewed = g->n_renewed;
        if (!g->ca_file)
                return;
        memset(path, '/', n);
        text_copy(path + n, sizeof(path) - n, g->ca_file);
        (void) curl_easy_setopt(h->easy, CURLOPT_CAINFO, path);
        (void) curl_easy_setopt(h->easy, CURLOPT_CAPATH, NULL); /* not the system's as well */
}

static int handle_take(CurlGlue *g, CurlHandle *ret) {
        CurlHandle h;

        if (g->n_pool > 0) {
                *ret = g->pool[--g->n_pool];
                return 0;
        }

        h = (CurlHandle){ .easy = curl_easy_init(), .url = curl_url(), .words = calloc(1, CURL_ERROR_SIZE) };
        if (!h.easy || !h.url || !h.words) {
                curl_handle_done(&h);
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
        (void) curl_easy_setopt(h.easy, CURLOPT_HEADERFUNCTION, on_header);
        /* Empty, not NULL: then libcurl does not look for the environment's variables. */
        (void) curl_easy_setopt(h.easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(h.easy, CURLOPT_NOPROXY, "");
        /* The heads of a proxy's own answers are not for ops.header. */
        (void) curl_easy_setopt(h.easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        handle_set_cas(g, &h);
        *ret = h;
        return 0;
}

static void handle_give(CurlGlue *g, CurlHandle *h) {
        if (g->n_pool == CURL_POOL_MAX || h->n_renewed != g->n_renewed) {
                curl_handle_done(h);
                return;
        }
        /* What pointed into the call must not outlive it. */
        (void) curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_PREREQDATA, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_READFUNCTION, NULL);
        (void) curl_easy_setopt(h->easy, CURLOPT_READDATA, NULL);
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

/* --- a call --- */

static void add_header(CurlCall *c, size_t *n, const char *line) {
        c->headers[(*n)++].data = (char *) (uintptr_t) line; /* libcurl only reads it */
}

/* libcurl takes a list of headers and does not copy it; ours lives in the call, so the key is in one place
 * and wiped. */
static int call_headers(CurlCall *c, const HttpCallParams *p) {
        bool has_body = p->body || c->call.ops.read;
        size_t n = 0;
        int k;

        if (p->secret) {
                k = snprintf(c->header, sizeof(c->header), "%s: %s", p->secret_header,
                             secret_reveal(p->secret));
                if (k < 0 || (size_t) k >= sizeof(c->header))
                        return -EINVAL;
                add_header(c, &n, c->header);
        }
        if (has_body) {
                add_header(c, &n, p->content_type ?: "Content-Type: application/json");
                if (p->n_body > EXPECT_MIN)
                        add_header(c, &n, "Expect:");
                if (!p->body && p->n_body == SIZE_MAX)
                        add_header(c, &n, "Transfer-Encoding: chunked");
        }
        for (size_t i = 0; i < p->n_headers; i++)
                add_header(c, &n, p->headers[i]);
        for (size_t i = 0; i + 1 < n; i++)
                c->headers[i].next = &c->headers[i + 1];
        (void) curl_easy_setopt(c->handle.easy, CURLOPT_HTTPHEADER, n > 0 ? c->headers : NULL);
        return 0;
}

static void call_request(CurlCall *c, const HttpCallParams *p) {
        CURL *easy = c->handle.easy;
        curl_off_t n = p->n_body == SIZE_MAX ? -1 : (curl_off_t) p->n_body;

        if (p->body || c->call.ops.read) {
                (void) curl_easy_setopt(easy, CURLOPT_POST, 1L);
                (void) curl_easy_setopt(easy, CURLOPT_POSTFIELDS, p->body);
                (void) curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, n);
        } else
                (void) curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        if (c->call.ops.read) {
                (void) curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
                (void) curl_easy_setopt(easy, CURLOPT_READDATA, c);
        }
        if (p->method && streq(p->method, "HEAD"))
                (void) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        if (p->method)
                (void) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, p->method);
        c->n_left = p->n_body;
        c->is_get = p->method ? streq(p->method, "GET") : !p->body && !c->call.ops.read;
}

int curl_call_start(HttpClient *client, const HttpCallParams *p, const HttpCallOps *ops, void *userdata,
                    HttpCall **ret) {
        CurlGlue *g = CONTAINER_OF(client, CurlGlue, client);
        _cleanup_(http_call_freep) HttpCall *call = NULL;
        CurlCall *c;
        int r;

        c = calloc(1, sizeof(CurlCall));
        if (!c)
                return -ENOMEM;
        c->call = (HttpCall){ .client_ops = client->ops, .ops = *ops, .userdata = userdata };
        c->glue = g;
        c->started = loop_now(g->loop);
        list_init(&c->resumed);
        g->n_calls++;
        call = &c->call;

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
        call_request(c, p);
        (void) curl_easy_setopt(c->handle.easy, CURLOPT_HEADERDATA, c);

        if (curl_multi_add_handle(g->multi, c->handle.easy) != CURLM_OK)
                return -EIO;
        c->added = true;
        *ret = TAKE_PTR(call);
        return 0;
}

static void call_detach(CurlCall *c) {
        if (!c->added)
                return;
        c->added = false;
        (void) curl_multi_remove_handle(c->glue->multi, c->handle.easy);
}

void curl_call_free(HttpCall *call) {
        CurlCall *c = CONTAINER_OF(call, CurlCall, call);

        assert(!c->in_callback);
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
}

/* --- its end --- */

static HttpOutcome outcome_of(const CurlCall *c, CURLcode code) {
        if (c->aborted)
                return HTTP_OUTCOME_ABORTED;
        if (c->cut)
                return HTTP_OUTCOME_BROKEN;
        if (c->road && c->sent == 0)
                return HTTP_OUTCOME_UNREACHED;
        switch (code) {
        case CURLE_OK: /* also if the connection has ended within the head */
                return c->has_head ? HTTP_OUTCOME_COMPLETE : HTTP_OUTCOME_BROKEN;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_OPERATION_TIMEDOUT: /* we set no other limit than the connect time-out */
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_PROXY:
                return HTTP_OUTCOME_UNREACHED;
        default:
                return HTTP_OUTCOME_BROKEN;
        }
}

static void cause_of(const CurlCall *c, CURLcode code, char ret[static HTTP_CAUSE_MAX]) {
        const char *words = c->cut || code == CURLE_OK ? "The connection was closed before an answer came"
                            : c->handle.words[0]       ? c->handle.words
                                                       : curl_easy_strerror(code);

        ret[0] = 0;
        if (code == CURLE_OK && c->has_head)
                return;
        curl_cause(c->handle.easy, curl_road_proxy(c->road), code, c->sent > 0, words, ret);
        secret_scrub(ret, c->secret);
}

void curl_call_finish(CurlCall *c, CURLcode code) {
        char cause[HTTP_CAUSE_MAX];
        long status = 0;

        (void) curl_easy_getinfo(c->handle.easy, CURLINFO_RESPONSE_CODE, &status);
        if (c->road && c->sent == 0)
                status = 0; /* what there is is the proxy's */
        cause_of(c, code, cause);
        call_detach(c);
        c->call.ops.done(outcome_of(c, code), (int) status, cause, c->call.userdata);
}

usec_t curl_call_retry_after(const HttpCall *call) {
        const CurlCall *c = CONTAINER_OF(call, CurlCall, call);
        curl_off_t seconds = 0;

        if (curl_easy_getinfo(c->handle.easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0 ||
            seconds > INT32_MAX)
                return 0;
        return (usec_t) seconds * USEC_PER_SEC;
}

void curl_call_timings(const HttpCall *call, HttpTimings *ret) {
        const CurlCall *c = CONTAINER_OF(call, CurlCall, call);
        const struct {
                CURLINFO info;
                usec_t *ret;
                bool of_connection;
        } rows[] = {
                { CURLINFO_NAMELOOKUP_TIME_T, &ret->resolved, true },
                { CURLINFO_CONNECT_TIME_T, &ret->connected, true },
                { CURLINFO_APPCONNECT_TIME_T, &ret->secured, true },
                { CURLINFO_STARTTRANSFER_TIME_T, &ret->head, false },
        };
        long n_connects = 0;

        (void) curl_easy_getinfo(c->handle.easy, CURLINFO_NUM_CONNECTS, &n_connects);
        ret->reused = c->sent > 0 && n_connects == 0;
        ret->sent = c->sent;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                curl_off_t t = 0;

                if (rows[i].of_connection && ret->reused)
                        continue;
                (void) curl_easy_getinfo(c->handle.easy, rows[i].info, &t);
                if (t > 0)
                        *rows[i].ret = c->started + (usec_t) t;
        }
}

/* --- pauses --- */

static void resume_later(CurlCall *c) {
        if (!list_is_linked(&c->resumed))
                list_append(&c->glue->resumed, &c->resumed);
        loop_hook_ask(c->glue->loop, &c->glue->hook);
}

void curl_call_resume(CurlCall *c) {
        list_unlink(&c->resumed);
        c->held = c->held && c->paused;
        (void) curl_easy_pause(c->handle.easy,
                               (c->held ? CURLPAUSE_RECV : 0) | (c->starved ? CURLPAUSE_SEND : 0));
}

void curl_call_pause(HttpCall *call, bool paused) {
        CurlCall *c = CONTAINER_OF(call, CurlCall, call);

        c->paused = paused;
        if (!paused && c->held)
                resume_later(c);
}

void curl_call_continue(HttpCall *call) {
        CurlCall *c = CONTAINER_OF(call, CurlCall, call);

        if (!c->starved)
                return;
        c->starved = false;
        resume_later(c);
}
