/* SPDX-License-Identifier: MIT */

/*
 * A 101 must have Upgrade: websocket, Connection: Upgrade, and the hash of the key, once; and no extension
 * or subprotocol, because none was asked for. Any other status is an answer like that of any request: its
 * body tells why there is no WebSocket, and only its beginning is kept.
 */

#include "base/limits-http-client.h"
#include "base/limits-websocket.h"
#include "base/text.h"
#include "io/http-work.h"
#include "io/websocket-answer.h"

int websocket_reader_init(WebsocketReader *r, const char *key) {
        *r = (WebsocketReader){
                .in = BUF_INIT(HTTP_ANSWER_HEAD_MAX + WEBSOCKET_READ_MAX),
                .body = BUF_INIT(WEBSOCKET_ANSWER_MAX),
        };
        http1_answer_init(&r->answer, false);
        r->answer.to_upgrade = true;
        return websocket_key_accept(key, r->accept);
}

void websocket_reader_done(WebsocketReader *r) {
        buf_done(&r->in);
        buf_done(&r->body);
}

static WebsocketAnswerStep fail(WebsocketReader *r, const char *fault) {
        r->fault = fault;
        return WEBSOCKET_ANSWER_FAULT;
}

/* --- headers --- */

static void on_upgrade(WebsocketReader *r, const char *value) {
        r->is_upgraded = strcaseeq(value, "websocket");
}

static void on_connection(WebsocketReader *r, const char *value) {
        r->is_connected |= websocket_list_has(value, "upgrade");
}

static void on_accept(WebsocketReader *r, const char *value) {
        r->n_accepts++;
        r->is_accepted = streq(value, r->accept);
}

static void on_more(WebsocketReader *r, const char *value _unused_) {
        r->has_more = true;
}

static void on_retry_after(WebsocketReader *r, const char *value) {
        r->retry_after = http_retry_after(value, strlen(value));
}

/* A longer value is none of these. */
static void look_at_header(WebsocketReader *r, const Http1Bytes *line) {
        static const struct {
                const char *name;
                void (*fn)(WebsocketReader *r, const char *value);
        } rows[] = {
                { "Upgrade", on_upgrade },
                { "Connection", on_connection },
                { "Sec-WebSocket-Accept", on_accept },
                { "Sec-WebSocket-Extensions", on_more },
                { "Sec-WebSocket-Protocol", on_more },
                { "Retry-After", on_retry_after },
        };
        const char *colon = memchr(line->p, ':', line->n), *end = line->p + line->n;
        size_t n_name = (size_t) (colon - line->p);
        char value[256];

        colon++;
        while (colon < end && (*colon == ' ' || *colon == '\t'))
                colon++;
        if ((size_t) (end - colon) >= sizeof(value))
                return;
        memcpy(value, colon, (size_t) (end - colon));
        value[end - colon] = 0;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strlen(rows[i].name) == n_name && strncasecmp(rows[i].name, line->p, n_name) == 0)
                        rows[i].fn(r, value);
}

static const char *opening_fault(const WebsocketReader *r) {
        if (!r->is_upgraded || !r->is_connected)
                return "the answer changes to another protocol than WebSocket";
        if (r->n_accepts != 1 || !r->is_accepted)
                return "Sec-WebSocket-Accept is not that of the key";
        if (r->has_more)
                return "an extension or a subprotocol that was not asked for";
        return NULL;
}

/* --- all --- */

static WebsocketAnswerStep end(WebsocketReader *r) {
        const char *fault;

        if (r->answer.status != 101)
                return WEBSOCKET_ANSWER_OTHER;
        fault = opening_fault(r);
        return fault ? fail(r, fault) : WEBSOCKET_ANSWER_OPEN;
}

/* True if no more of the body is needed. */
static bool keep_body(WebsocketReader *r, const Http1Bytes *data) {
        size_t n = MIN(data->n, r->body.max - r->body.n);

        (void) buf_append(&r->body, data->p, n);
        return r->body.n == r->body.max;
}

static WebsocketAnswerStep read_on(WebsocketReader *r, Http1Bytes *rest) {
        Http1Bytes text;

        for (;;)
                switch (http1_answer_next(&r->answer, rest, &text)) {
                case HTTP1_ANSWER_MORE:
                        return WEBSOCKET_ANSWER_MORE;
                case HTTP1_ANSWER_HEADER:
                        look_at_header(r, &text);
                        break;
                case HTTP1_ANSWER_HEAD:
                        r->has_head = true;
                        break;
                case HTTP1_ANSWER_DATA:
                        if (keep_body(r, &text))
                                return WEBSOCKET_ANSWER_OTHER;
                        break;
                case HTTP1_ANSWER_END:
                        return end(r);
                case HTTP1_ANSWER_FAULT:
                        return fail(r, r->answer.fault);
                }
}

WebsocketAnswerStep websocket_reader_feed(WebsocketReader *r, const char *p, size_t n) {
        WebsocketAnswerStep step;
        Http1Bytes rest;

        if (buf_append(&r->in, p, n) < 0)
                return fail(r, "there is no memory for it");
        rest = (Http1Bytes){ buf_data(&r->in), r->in.n };
        step = read_on(r, &rest);
        buf_consume(&r->in, r->in.n - rest.n);
        return step;
}

WebsocketAnswerStep websocket_reader_close(WebsocketReader *r) {
        if (r->answer.fault)
                return fail(r, r->answer.fault);
        if (!http1_answer_close(&r->answer))
                return fail(r, r->has_head || r->in.n > 0 ? "it ends too early" : "there is none");
        return end(r);
}
