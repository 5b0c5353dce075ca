/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "server/cors.h"
#include "server/reply.h"
#include "server/request.h"

#define REPLY_BODY_MAX    (64U << 20)
#define REPLY_HEADERS_MAX 24U
#define REASON_MAX        160U /* bytes of an error's message in the log's line of a refusal */
#define COVERED_LENGTH_MIN 8U /* shorter tokens are not covered: they may be ordinary words ("chat") */

typedef struct Reply {
        HttpHeader headers[REPLY_HEADERS_MAX];
        size_t n;
        char process_time[2 * TEXT_DECIMAL_MAX], retry_after[24], attempts[16], verdicts[VERDICTS_TEXT_MAX];
} Reply;

static void reply_add(Reply *p, const char *name, const char *value) {
        assert(p->n < REPLY_HEADERS_MAX);
        p->headers[p->n++] = (HttpHeader){ name, value };
}

static void reply_add_all(Reply *p, const HttpHeader *headers, size_t n) {
        for (size_t i = 0; i < n; i++)
                reply_add(p, headers[i].name, headers[i].value);
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
        verdicts_format(&q->verdicts, ",", p->verdicts);
        reply_add(p, "x-gemgate-verdicts", p->verdicts);
}

/* With six decimals. */
static void format_seconds(usec_t t, char ret[static 2 * TEXT_DECIMAL_MAX]) {
        size_t n = text_decimal(t / USEC_PER_SEC, ret);

        (void) text_decimal(USEC_PER_SEC + t % USEC_PER_SEC, ret + n);
        ret[n] = '.'; /* in the place of the 1 */
}

static void reply_init(Reply *p, const Request *q, const char *content_type) {
        usec_t spent = usec_sub(clock_monotonic(), http_request_started(q->io));
        HttpHeader cors[CORS_REPLY_HEADERS_MAX];

        p->n = 0;
        format_seconds(spent, p->process_time);
        reply_add(p, "Content-Type", content_type);
        reply_add(p, "x-request-id", q->id);
        if (q->errors == &error_shape_anthropic)
                reply_add(p, "request-id", q->id); /* the name that Anthropic's SDKs read */
        reply_add(p, "X-Process-Time", p->process_time);
        if (q->served[0])
                reply_add(p, "x-gemgate-model", q->served);
        if (q->close)
                reply_add(p, "Connection", "close");
        reply_add_all(p, cors, cors_headers(q, cors));
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
                p->headers[0].value = REPLY_JSON;
                status = 500;
        }
        q->status = status;
        if (http_request_reply(q->io, status, p->headers, p->n, body) < 0)
                log_error("could not answer a request: out of memory");
}

void request_reply_with(Request *q, int status, const char *content_type, const HttpHeader *headers,
                        size_t n_headers, Buf *body) {
        Reply p;

        reply_init(&p, q, content_type);
        reply_add_all(&p, headers, n_headers);
        reply_send(q, &p, status, body);
}

void request_reply(Request *q, int status, const char *content_type, Buf *body) {
        request_reply_with(q, status, content_type, NULL, 0, body);
}

void request_reply_error_with(Request *q, const ApiError *e, const HttpHeader *headers, size_t n_headers) {
        _cleanup_buf_ Buf body = BUF_INIT(REPLY_BODY_MAX);
        ApiError covered = *e;
        Reply p;

        /* A message may repeat what the client has put in a wrong place. */
        token_set_cover(&q->config->tokens, COVERED_LENGTH_MIN, covered.message);
        secret_scrub(covered.message, NULL);
        e = &covered;
        if (e->code && streq(e->code, "model_not_found"))
                q->hint = "a name in MODEL_ALIASES can lead to a model that exists";
        if ((e->status == 403 || e->status == 404 || e->status == 401) && !q->reason)
                q->reason = strndup(e->message, text_utf8_prefix(e->message, REASON_MAX));
        q->errors->write(e, q->id, &body);
        reply_init(&p, q, REPLY_JSON);
        if (e->retry_after > 0) {
                (void) snprintf(p.retry_after, sizeof(p.retry_after), "%llu",
                                (unsigned long long) ((e->retry_after + USEC_PER_SEC - 1) / USEC_PER_SEC));
                reply_add(&p, "Retry-After", p.retry_after);
        }
        if (e->hopeless || e->status == 401) /* SDKs would ask again for minutes */
                reply_add(&p, "x-should-retry", "false");
        if (e->status == 401)
                reply_add(&p, "WWW-Authenticate", "Bearer");
        if (e->status == 415)
                reply_add(&p, "Accept-Encoding", "identity");
        reply_add_all(&p, headers, n_headers);
        reply_send(q, &p, error_shape_status(q->errors, e), &body);
}

void request_reply_error(Request *q, const ApiError *e) {
        request_reply_error_with(q, e, NULL, 0);
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
        return http_request_stream(q->io, 200, p.headers, p.n, HTTP_SIZE_UNKNOWN);
}

int request_stream_with(Request *q, int status, const char *content_type, const HttpHeader *headers,
                        size_t n_headers, uint64_t size) {
        Reply p;

        reply_init(&p, q, content_type);
        reply_add_all(&p, headers, n_headers);
        q->status = status;
        return http_request_stream(q->io, status, p.headers, p.n, size);
}
