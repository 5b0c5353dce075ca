/* SPDX-License-Identifier: MIT */

/*
 * A request's life:
 *
 *     headers → framing, path, route, access, size → (body) → handler → reply → end: one log line
 *
 * All refusals that need no body are made at the headers, so that an upload that will be refused is not
 * read. A handler may answer later; then it sets Request.cancel, which is called once if the client goes
 * away before.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/text.h"
#include "base/trace.h"
#include "pool/affinity.h"
#include "dialect/json.h"
#include "io/http-server.h"
#include "io/timeout.h"
#include "server/access.h"
#include "server/exchange/exchange.h"
#include "server/exchange/key-queue.h"
#include "server/models.h"
#include "server/request-log.h"
#include "server/files/resource.h"

#define REQUEST_ID_CHARS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define REPLY_BODY_MAX    (64U << 20)
#define REPLY_HEADERS_MAX 16U

/* --- replies --- */

typedef struct Reply {
        HttpHeader headers[REPLY_HEADERS_MAX];
        size_t n;
        char process_time[32], retry_after[24], attempts[16];
} Reply;

static void reply_add(Reply *p, const char *name, const char *value) {
        assert(p->n < REPLY_HEADERS_MAX);
        p->headers[p->n++] = (HttpHeader){ name, value };
}

void request_note_key(Request *q, const PoolKey *k) {
        secret_mask_key(pool_key_secret(k), q->key_mask);
        text_copy(q->key_name, sizeof(q->key_name), pool_key_id(k));
        q->key_named = pool_key_is_named(k);
}

void request_note_verdict(Request *q, VerdictClass class) {
        size_t n = strlen(q->verdicts);

        if (n > 0 && n + 1 < sizeof(q->verdicts))
                q->verdicts[n++] = ',';
        text_copy(q->verdicts + n, sizeof(q->verdicts) - n, verdict_rule(class)->name);
}

/* A key's name may be anything; a header's value may not. */
static bool fits_a_header(const char *s) {
        for (; *s; s++)
                if (*s < 0x20 || *s > 0x7e)
                        return false;
        return true;
}

/* EXPLAIN_HEADER */
static void reply_explain(Reply *p, const Request *q) {
        if (!q->config->explain_header || q->attempts == 0)
                return;
        (void) snprintf(p->attempts, sizeof(p->attempts), "%u", q->attempts);
        reply_add(p, "x-gemgate-key",
                  q->key_named && fits_a_header(q->key_name) ? q->key_name : q->key_mask);
        reply_add(p, "x-gemgate-attempts", p->attempts);
        reply_add(p, "x-gemgate-verdicts", q->verdicts);
}

static void reply_init(Reply *p, const Request *q, const char *content_type) {
        usec_t spent = usec_sub(clock_monotonic(), http_request_started(q->io));

        p->n = 0;
        (void) snprintf(p->process_time, sizeof(p->process_time), "%llu.%06llu",
                        (unsigned long long) (spent / USEC_PER_SEC),
                        (unsigned long long) (spent % USEC_PER_SEC));
        reply_add(p, "Content-Type", content_type);
        reply_add(p, "x-request-id", q->id);
        reply_add(p, "X-Process-Time", p->process_time);
        if (q->served[0])
                reply_add(p, "x-gemgate-model", q->served);
        if (q->close)
                reply_add(p, "Connection", "close");
        reply_explain(p, q);
}

static void reply_send(Request *q, Reply *p, int status, Buf *body) {
        static const char sorry[] = "{\"error\":{\"message\":\"out of memory\",\"type\":\"server_error\","
                                    "\"param\":null,\"code\":null}}";

        if (http_request_is_replied(q->io))
                return;
        if (body->error < 0) {
                buf_clear(body);
                (void) buf_puts(body, sorry);
                status = 500;
        }
        q->status = status;
        if (http_request_reply(q->io, status, p->headers, p->n, body) < 0)
                log_error("could not answer a request: out of memory");
}

void request_reply_json(Request *q, int status, Buf *body) {
        Reply p;

        reply_init(&p, q, "application/json");
        reply_send(q, &p, status, body);
}

void request_reply_with(Request *q, int status, const HttpHeader *headers, size_t n, Buf *body) {
        Reply p;

        reply_init(&p, q, "application/json");
        for (size_t i = 0; i < n; i++)
                reply_add(&p, headers[i].name, headers[i].value);
        reply_send(q, &p, status, body);
}

static void reply_error(Request *q, const ApiError *e, const char *allow) {
        _cleanup_buf_ Buf body = BUF_INIT(REPLY_BODY_MAX);
        Reply p;

        q->errors->write(e, q->id, &body);
        reply_init(&p, q, "application/json");
        if (e->retry_after > 0) {
                (void) snprintf(p.retry_after, sizeof(p.retry_after), "%llu",
                                (unsigned long long) ((e->retry_after + USEC_PER_SEC - 1) / USEC_PER_SEC));
                reply_add(&p, "Retry-After", p.retry_after);
        }
        if (e->hopeless)
                reply_add(&p, "x-should-retry", "false");
        if (e->status == 401)
                reply_add(&p, "WWW-Authenticate", "Bearer");
        if (!strnull(allow))
                reply_add(&p, "Allow", allow);
        reply_send(q, &p, e->status, &body);
}

void request_reply_error(Request *q, const ApiError *e) {
        reply_error(q, e, NULL);
}

void request_fail(Request *q, int status, const char *param, const char *fmt, ...) {
        char message[512];
        ApiError e;
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(message, sizeof(message), fmt, ap);
        va_end(ap);
        api_error_set(&e, status, param, "%s", message);
        request_reply_error(q, &e);
}

int request_stream(Request *q, const char *content_type) {
        Reply p;

        reply_init(&p, q, content_type);
        reply_add(&p, "Cache-Control", "no-cache");
        reply_add(&p, "X-Accel-Buffering", "no"); /* a proxy in front must pass each event on */
        q->status = 200;
        return http_request_stream(q->io, 200, p.headers, p.n);
}

struct json_object *request_json(Request *q) {
        Buf *body = http_request_body(q->io);
        _cleanup_json_ struct json_object *o = NULL;
        const char *why = NULL;

        if (json_parse(buf_data(body), body->n, &o, &why) < 0) {
                request_fail(q, 400, NULL, "The body is not JSON: %s.", why ?: "out of memory");
                return NULL;
        }
        if (!json_object_is_type(o, json_type_object)) {
                request_fail(q, 400, NULL, "The body is not a JSON object.");
                return NULL;
        }
        return TAKE_PTR(o);
}

void request_client_format(const Request *q, char ret[static ADDRESS_STRING_MAX]) {
        if (q->client_unix)
                (void) snprintf(ret, ADDRESS_STRING_MAX, "unix");
        else
                address_format(&q->client, ret);
}

/* --- the request's life --- */

static void make_id(Request *q) {
        const char *given = http_request_header(q->io, "x-request-id");
        size_t n = given ? strlen(given) : 0;
        uint64_t z;

        if (n > 0 && n <= REQUEST_ID_MAX && text_in_charset(given, n, REQUEST_ID_CHARS)) {
                memcpy(q->id, given, n + 1);
                return;
        }
        /* splitmix64 over a random start: unique within the process, unguessable enough for a name. */
        z = q->http->id_state += 0x9E3779B97F4A7C15ULL;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
        z ^= z >> 31;
        (void) snprintf(q->id, sizeof(q->id), "%016llx", (unsigned long long) z);
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
        n = strlen(path);
        if (n > 1 && path[n - 1] == '/')
                path[n - 1] = 0;
        return TAKE_PTR(path);
}

static void on_settled(void *userdata) {
        Http *h = userdata;

        h->p.changed(h->p.userdata);
}

/* What a CLI makes of a text is larger than the text was: MAX_BODY has measured that one already. */
static uint64_t body_max(const Request *q) {
        return q->inner ? JOB_LINE_MAX : q->config->max_body;
}

static uint64_t inner_inflight_max(const Config *c) {
        return c->cli_max_jobs * JOB_LINE_MAX;
}

static void head(HttpRequest *io, Http *h, bool inner) {
        const char *method = http_request_method(io), *fault;
        const Route *route;
        char allow[64] = "";
        uint64_t length;
        bool allowed;
        ApiError e;
        Request *q;
        int r;

        q = calloc(1, sizeof(Request));
        if (!q) {
                (void) http_request_reply(io, 503, NULL, 0, NULL);
                return;
        }
        h->p.changed(h->p.userdata);
        q->http = h;
        q->io = io;
        q->inner = inner;
        q->config = config_ref(h->p.config);
        route_find_protocol(http_request_path(io), &q->dialect, &q->errors);
        list_init(&q->link);
        list_append(&h->requests, &q->requests);
        http_request_set_userdata(io, q);
        request_set_ids(q);

        fault = http_request_framing_fault(io);
        q->close = fault; /* where the next request begins is anybody's guess */
        if (fault)
                return request_fail(q, 400, NULL, "The request is framed wrongly: %s.", fault);
        q->path = path_decode(http_request_path(io));
        if (!q->path)
                return request_fail(q, 400, NULL, "The path is not one.");
        route_find_protocol(q->path, &q->dialect, &q->errors);
        route = route_find(method, q->path, &q->rest, allow, sizeof(allow));
        if (route) {
                q->dialect = route->dialect;
                q->errors = route->errors;
        }
        allowed = inner ? access_check_job(q, route, &e) : access_check(q, route, &e);
        /* Of the path only what is a route's: anything else is a stranger's text. */
        trace(request_begin, &q->ids, "%.16s %s", method, route ? route->path : "(no route)");
        if (!allowed)
                return request_reply_error(q, &e);
        if (!route && allow[0]) {
                api_error_set(&e, 405, NULL, "The method is not one of this path: %s.", allow);
                return reply_error(q, &e, allow);
        }
        if (!route)
                return request_fail(q, 404, NULL, "There is nothing at this path.");
        q->route = route;

        r = http_request_content_length(io, &length);
        if (r == -ERANGE || (r >= 0 && length > body_max(q)))
                return request_fail(q, 413, NULL, "The body is larger than MAX_BODY allows (%llu bytes).",
                                    (unsigned long long) body_max(q));
        http_request_take_body(io, body_max(q));
}

static void on_head(HttpRequest *io, void *userdata) {
        head(io, userdata, false);
}

static void on_inner_head(HttpRequest *io, void *userdata) {
        head(io, userdata, true);
}

static void on_body(HttpRequest *io, void *userdata _unused_) {
        Request *q = http_request_userdata(io);

        switch (http_request_body_fault(io)) {
        case HTTP_BODY_TOO_LARGE:
                return request_fail(q, 413, NULL, "The body is larger than MAX_BODY allows (%llu bytes).",
                                    (unsigned long long) body_max(q));
        case HTTP_BODY_NO_ROOM:
                return request_fail(q, 503, NULL,
                                    "Too many large requests at once (MAX_INFLIGHT_BYTES): try again.");
        case HTTP_BODY_OK:
                break;
        }
        if (q->config->log_bodies && !q->job) /* what a CLI asks is its client's, made another way */
                request_log_body(q);
        q->route->handler(q);
}

static void request_cancel(Request *q) {
        if (q->cancel)
                TAKE_PTR(q->cancel)(q);
}

static void on_gone(HttpRequest *io, void *userdata _unused_) {
        Request *q = http_request_userdata(io);

        if (q)
                request_cancel(q);
}

static void on_drained(HttpRequest *io, void *userdata _unused_) {
        Request *q = http_request_userdata(io);

        if (q && q->exchange)
                exchange_drained(q->exchange);
}

static void on_end(HttpRequest *io, bool complete, void *userdata) {
        Http *h = userdata;
        Request *q = http_request_userdata(io);

        h->active_at = loop_now(h->p.loop);
        h->p.changed(h->p.userdata);
        if (!q)
                return;
        trace_probe(request_end, &q->ids, q->status, q->attempts, complete);
        request_log(h->log, q, complete);
        request_cancel(q);
        list_unlink(&q->link);
        list_unlink(&q->requests);
        job_unref(q->job);
        config_unref(q->config);
        free(q->path);
        free(q);
}

/* --- the whole --- */

int http_new(const HttpParams *p, Http **ret) {
        static const HttpServerOps ops = {
                .head = on_head,
                .body = on_body,
                .gone = on_gone,
                .drained = on_drained,
                .end = on_end,
                .settled = on_settled,
        };
        HttpServerOps inner_ops = ops;
        HttpServerParams params = {
                .max_connections = (unsigned) p->config->max_connections,
                .max_inflight = p->config->max_inflight_bytes,
        };
        _cleanup_(http_freep) Http *h = NULL;
        uint8_t affinity_key[HASH_KEY_SIZE];
        int r;

        h = calloc(1, sizeof(Http));
        if (!h)
                return -ENOMEM;
        h->p = *p;
        list_init(&h->requests);
        (void) config_ref(h->p.config);
        h->started = clock_realtime();
        h->active_at = clock_monotonic();
        if (getrandom(&h->id_state, sizeof(h->id_state), 0) < 0 ||
            getrandom(affinity_key, sizeof(affinity_key), 0) < 0)
                return -errno;
        r = affinity_new(affinity_key, AFFINITY_MAX, &h->affinity);
        if (r < 0)
                return r;
        r = request_log_new(p->loop, &h->log);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, EXCHANGE_PING_INTERVAL, exchange_on_ping, &h->ping);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, p->config->request_deadline, exchange_on_deadline, &h->deadline);
        if (r < 0)
                return r;
        r = timeout_queue_new(p->loop, p->config->request_deadline, resource_on_deadline, &h->upstream_due);
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
        r = model_list_new(h, &h->models);
        if (r < 0)
                return r;
        r = http_server_new(p->loop, &params, &ops, h, &h->server);
        if (r < 0)
                return r;
        inner_ops.head = on_inner_head;
        params.max_inflight = inner_inflight_max(p->config);
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
        timeout_queue_set_duration(h->deadline, c->request_deadline);
        timeout_queue_set_duration(h->upstream_due, c->request_deadline);
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
        model_list_free(h->models);
        timeout_queue_free(h->ping);
        timeout_queue_free(h->deadline);
        timeout_queue_free(h->hedge_due);
        timeout_queue_free(h->upstream_due);
        hedges_free(h->hedges);
        key_queue_free(h->queue);
        affinity_free(h->affinity);
        request_log_free(h->log);
        config_unref(h->p.config);
        free(h);
        return NULL;
}
