/* SPDX-License-Identifier: MIT */

/*
 * A request's life:
 *
 *     headers → framing, path, route, access, size → (body) → handler → reply → end: one log line
 *
 * All refusals that need no body are made at the headers, so that a refused upload is not read. Where no
 * body is wanted none is kept. A handler
 * returns its refusal, and request_handle() answers it, in one place for all handlers. A handler may also
 * answer later; then it sets Request.cancel, which is called once if the client hangs up first.
 */

#include <endian.h>
#include <errno.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/trace.h"
#include "core/day-clock.h"
#include "io/give-back.h"
#include "io/http-server.h"
#include "io/timeout.h"
#include "io/worker.h"
#include "server/access.h"
#include "server/body.h"
#include "server/cors.h"
#include "server/exchange/exchange.h"
#include "server/exchange/key-queue.h"
#include "server/files/resource.h"
#include "server/files/transfer.h"
#include "server/http.h"
#include "server/live/live.h"
#include "server/missing.h"
#include "server/models.h"
#include "server/reply.h"
#include "server/request-log.h"

#define REQUEST_ID_CHARS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* --- the request's life --- */

static void make_id(Request *q) {
        const char *given = http_request_header(q->io, "x-request-id");
        size_t n = given ? strlen(given) : 0;

        if (n > 0 && n <= REQUEST_ID_MAX && text_in_charset(given, n, REQUEST_ID_CHARS)) {
                memcpy(q->id, given, n + 1);
                return;
        }
        /* splitmix64 from a random start: unique within the process, and hard to guess. */
        q->http->id_state += UINT64_C(0x9E3779B97F4A7C15);
        text_hex(&(uint64_t){ htobe64(hash_mix(q->http->id_state)) }, sizeof(uint64_t), q->id);
}

static void request_set_ids(Request *q) {
        make_id(q);
        q->ids.id = q->id;
        if (traceparent_parse(http_request_header(q->io, "traceparent"), q->trace_id))
                q->ids.trace = q->trace_id;
}

/* The decoded path without a slash at its end; NULL if its escapes are broken. */
static char *path_decode(const char *raw) {
        _cleanup_free_ char *path = strdup(raw);
        size_t n;

        if (!path || path[0] != '/' || text_percent_decode(path) < 0)
                return NULL;
        /* Google's SDK for JavaScript puts `/ws/…` behind a base URL that it has ended with a slash. */
        if (startswith(path, "//ws/"))
                memmove(path, path + 1, strlen(path));
        n = strlen(path);
        if (n > 1 && path[n - 1] == '/')
                path[n - 1] = 0;
        return TAKE_PTR(path);
}

static void on_settled(void *userdata) {
        Http *h = userdata;

        h->p.changed(h->p.userdata);
}

static uint64_t inner_inflight_max(const Config *c) {
        return c->cli_max_jobs * JOB_LINE_MAX;
}

static usec_t ping_interval(const Config *c) {
        usec_t open_after = c->route.stream_open_after;

        return open_after > 0 ? MIN(open_after, EXCHANGE_PING_INTERVAL) : EXCHANGE_PING_INTERVAL;
}

/* Makes all checks that need no body. 0, or HANDLER_E_REFUSED with the error; for a 405 also with the path's
 * methods. */
static int check_head(Request *q, char *ret_allow, size_t n_allow, ApiError *ret_error) {
        const char *fault = http_request_head_fault(q->io);
        const char *method = http_request_method(q->io);
        char right[MISSING_PATH_MAX + 1];
        const Route *route, *meant;
        bool allowed;

        right[0] = 0;
        q->close = fault; /* the start of the next request is unknown */
        q->path = fault ? NULL : path_decode(http_request_path(q->io));
        if (!q->path) {
                route_find_protocol(q->io, http_request_path(q->io), &q->dialect, &q->errors);
                if (fault)
                        api_error_set(ret_error, 400, NULL, "The request's head is wrong: %s.", fault);
                else
                        api_error_set(ret_error, 400, NULL, "The path is not one.");
                return HANDLER_E_REFUSED;
        }
        route = route_find(method, q->path, &q->rest, ret_allow, n_allow);
        if (route && route_may_be_behind(route, method, q->rest) && missing_find(method, q->path, right))
                route = NULL; /* another path, behind a base URL that ends in /v1/models */
        if (!route)
                route = cors_preflight_route(q, ret_allow);
        meant = route || ret_allow[0] ? route : missing_find(method, q->path, right);
        if (meant && !(meant->flags & ROUTE_SHARED)) {
                q->dialect = meant->dialect;
                q->errors = meant->errors;
        } else
                route_find_protocol(q->io, meant && !route ? right : q->path, &q->dialect, &q->errors);
        q->route = route; /* before the access, so that the line of a refusal names it */
        allowed = q->inner ? access_check_job(q, route, ret_error) : access_check(q, route, ret_error);
        /* Names the path only if it has a route: any other is a stranger's text. */
        trace(request_begin, &q->ids, "%.16s %s", method, route ? route->path : "(no route)");
        if (!allowed) {
                ret_allow[0] = 0; /* strangers must not learn which paths exist */
                return HANDLER_E_REFUSED;
        }
        if (!route) {
                if (ret_allow[0])
                        route_set_not_allowed(ret_error, method, ret_allow);
                else
                        missing_set_error(ret_error, method, q->path, right);
                return HANDLER_E_REFUSED;
        }

        return body_check_head(q, ret_error);
}

static void head(HttpRequest *io, Http *h, bool inner) {
        char allow[ROUTE_ALLOW_MAX] = "";
        ApiError e;
        Request *q;

        q = calloc(1, sizeof(Request));
        if (!q) {
                (void) http_request_reply(io, 503, &(HttpHeader){ "Retry-After", "2" }, 1, NULL);
                return;
        }
        h->p.changed(h->p.userdata);
        q->http = h;
        q->io = io;
        q->inner = inner;
        q->config = config_ref(h->p.config);
        list_init(&q->link);
        list_append(&h->requests, &q->requests);
        http_request_set_userdata(io, q);
        request_set_ids(q);

        if (check_head(q, allow, sizeof(allow), &e) == 0)
                body_begin(q);
        else
                request_reply_error_with(q, &e, &(HttpHeader){ "Allow", allow }, *allow ? 1 : 0);
}

static void on_head(HttpRequest *io, void *userdata) {
        head(io, userdata, false);
}

static void on_inner_head(HttpRequest *io, void *userdata) {
        head(io, userdata, true);
}

static void request_cancel(Request *q) {
        if (q->cancel)
                TAKE_PTR(q->cancel)(q);
}

static void on_body(HttpRequest *io, void *userdata _unused_) {
        Request *q = http_request_userdata(io);

        if (http_request_body_fault(io) != HTTP_BODY_OK) /* some of it may have been passed on */
                request_cancel(q);
        body_on_end(q);
}

static void on_piece(HttpRequest *io, void *userdata _unused_) {
        Request *q = http_request_userdata(io);

        if (q->arrived)
                q->arrived(q);
}

static void on_gone(HttpRequest *io, void *userdata _unused_) {
        Request *q = http_request_userdata(io);

        if (q)
                request_cancel(q);
}

static bool on_welcome(const struct sockaddr *peer, void *userdata) {
        const Http *h = userdata;

        return access_welcomes(h->p.config, peer);
}

static void on_full(unsigned n, HttpFull what, void *userdata) {
        Http *h = userdata;

        h->p.full(n, what, h->p.userdata);
}

static void on_drained(HttpRequest *io, void *userdata _unused_) {
        Request *q = http_request_userdata(io);

        if (q && q->exchange)
                exchange_drained(q->exchange);
        else if (q && q->drained)
                q->drained(q);
}

static void on_end(HttpRequest *io, bool complete, void *userdata) {
        Http *h = userdata;
        Request *q = http_request_userdata(io);

        h->active_at = loop_now(h->p.loop);
        h->p.changed(h->p.userdata);
        give_back_check(h->give_back);
        if (!q)
                return;
        trace_probe(request_end, &q->ids, q->status, q->attempts, complete);
        request_log(h->log, q, complete);
        request_cancel(q);
        list_unlink(&q->link);
        list_unlink(&q->requests);
        job_unref(q->job);
        config_unref(q->config);
        verdicts_done(&q->verdicts);
        free(q->exhausted);
        free(q->reason);
        free(q->named);
        free(q->path);
        free(q);
}

static void on_refused(int status, void *userdata) {
        Http *h = userdata;

        request_log_refused(h->log, status);
}

/* --- start and end --- */

int http_new(const HttpParams *p, Http **ret) {
        static const HttpServerOps ops = {
                .head = on_head,
                .body = on_body,
                .piece = on_piece,
                .gone = on_gone,
                .drained = on_drained,
                .welcomes = on_welcome,
                .full = on_full,
                .end = on_end,
                .refused = on_refused,
                .settled = on_settled,
        };
        HttpServerOps inner_ops = ops;
        HttpServerParams params = {
                .max_connections = (unsigned) p->config->max_connections,
                .max_inflight = p->config->max_inflight_bytes,
                .head_timeout = HTTP_HEAD_TIMEOUT,
                .guest_timeout = HTTP_GUEST_TIMEOUT,
                .body_window = HTTP_BODY_WINDOW,
                .head_too_large = "{\"error\":{\"message\":\"The head is too large, or has too many "
                                  "arguments, cookies or headers.\","
                                  "\"type\":\"invalid_request_error\",\"param\":null,"
                                  "\"code\":\"request_too_large\"}}",
                .head_malformed = "{\"error\":{\"message\":\"The request's head is wrong: its first line "
                                  "cannot be read.\","
                                  "\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}",
                .head_late = "{\"error\":{\"message\":\"The headers arrived too slowly.\","
                             "\"type\":\"invalid_request_error\",\"param\":null,"
                             "\"code\":\"request_timeout\"}}",
        };
        _cleanup_(http_freep) Http *h = NULL;
        uint8_t affinity_key[HASH_KEY_SIZE];
        int r;

        h = calloc(1, sizeof(Http));
        if (!h)
                return -ENOMEM;
        h->p = *p;
        list_init(&h->requests);
        list_init(&h->long_answers);
        (void) config_ref(h->p.config);
        h->started = day_clock_now();
        h->active_at = clock_monotonic();
        if (getrandom(&h->id_state, sizeof(h->id_state), 0) < 0 ||
            getrandom(affinity_key, sizeof(affinity_key), 0) < 0)
                return -errno;
        r = affinity_new(affinity_key, AFFINITY_MAX, &h->affinity);
        if (r < 0)
                return r;
        r = worker_new(p->loop, &h->worker);
        if (r < 0)
                return r;
        r = give_back_new(p->loop, h->worker, &h->give_back);
        if (r < 0)
                return r;
        r = request_log_new(p->loop, &h->log);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, ping_interval(p->config), exchange_on_ping, &h->ping);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, p->config->route.stream_open_after, exchange_on_open, &h->open_due);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, p->config->request_deadline, exchange_on_deadline, &h->deadline);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, p->config->request_deadline, resource_on_deadline, &h->upstream_due);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, HTTP_BODY_WINDOW, transfer_on_due, &h->transfer_due);
        if (r < 0)
                return r;
        r = hedges_new(&h->hedges);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, USEC_PER_SEC, exchange_on_hedge, &h->hedge_due);
        if (r < 0)
                return r;
        r = key_queue_new(p->loop, &exchange_queue_ops, &h->queue);
        if (r < 0)
                return r;
        r = live_sessions_new(h, &live_io, &h->live);
        if (r < 0)
                return r;
        r = model_list_new(h, &h->models);
        if (r < 0)
                return r;
        r = http_server_new(p->loop, &params, &ops, h, &h->server);
        if (r < 0)
                return r;
        inner_ops.head = on_inner_head;
        inner_ops.full = NULL; /* its clients are the jobs of CLI_MAX_JOBS */
        params.max_inflight = inner_inflight_max(p->config);
        params.inner = true;
        r = http_server_new(p->loop, &params, &inner_ops, h, &h->inner);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(h);
        return 0;
}

void http_configure(Http *h, Config *c) {
        Config *old = h->p.config;

        h->p.config = config_ref(c);
        if (!streq(old->gemini_base_url, c->gemini_base_url))
                model_list_forget(h->models);
        timeout_queue_set_duration(h->ping, ping_interval(c));
        timeout_queue_set_duration(h->open_due, c->route.stream_open_after);
        timeout_queue_set_duration(h->deadline, c->request_deadline);
        timeout_queue_set_duration(h->upstream_due, c->request_deadline);
        live_sessions_configure(h->live);
        http_server_set_max_inflight(h->server, c->max_inflight_bytes);
        http_server_set_max_inflight(h->inner, inner_inflight_max(c));
        config_unref(old);
}

int http_listen(Http *h, int fd) {
        return http_server_listen(h->server, fd);
}

int http_listen_inner(Http *h, int fd) {
        return http_server_listen(h->inner, fd);
}

void http_kick(Http *h) {
        key_queue_kick(h->queue);
}

void http_drain(Http *h) {
        h->draining = true;
        http_server_quiesce(h->server);
        live_sessions_drain(h->live);
}

void http_cut(Http *h) {
        LIST_FOREACH(i, &h->requests) {
                Request *q = list_entry(i, Request, requests);

                if (q->exchange)
                        exchange_cut(q->exchange);
                else if (q->cut)
                        q->cut(q);
        }
}

bool http_is_quiet(Http *h) {
        return http_server_is_quiet(h->server);
}

usec_t http_quiet_since(const Http *h) {
        return http_server_n_requests(h->server) > 0 ? USEC_INFINITY : h->active_at;
}

size_t http_n_exchanges(const Http *h) {
        return h->n_exchanges;
}

Http *http_free(Http *h) {
        if (!h)
                return NULL;
        http_server_free(h->server);
        http_server_free(h->inner);
        live_sessions_free(h->live);
        model_list_free(h->models);
        timeout_queue_free(h->ping);
        timeout_queue_free(h->open_due);
        timeout_queue_free(h->deadline);
        timeout_queue_free(h->hedge_due);
        timeout_queue_free(h->upstream_due);
        timeout_queue_free(h->transfer_due);
        hedges_free(h->hedges);
        key_queue_free(h->queue);
        affinity_free(h->affinity);
        request_log_free(h->log);
        worker_free(h->worker);
        give_back_free(h->give_back);
        config_unref(h->p.config);
        free(h);
        return NULL;
}
