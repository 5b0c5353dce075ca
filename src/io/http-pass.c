/* SPDX-License-Identifier: MIT */

/*
 * A body that is passed on while it arrives. HTTP_PASS_MAX bytes of it wait in HttpRequest.body at most, and
 * as many count as held, however long the body is:
 *
 *   - http_pass_receive() puts in what libmicrohttpd has read. When the buffer is full, the connection is
 *     suspended. libmicrohttpd keeps the bytes that found no room and reads no more, so in the end the
 *     client has to wait.
 *   - http_request_read() takes out. At HTTP_PASS_LOW the connection continues.
 *
 * In the middle of a body libmicrohttpd accepts no answer, so a reply goes past it, and its connection is
 * closed. Many clients look for an answer only when they have sent everything, and bytes that are unread at
 * the close would make TCP reset the connection, so that the answer could be lost. Therefore what still
 * comes is read and dropped: HTTP_SWALLOW_MAX bytes at most, for HTTP_LINGER at most.
 */

#include <errno.h>

#include "base/limits.h"
#include "io/http-body.h"
#include "io/http-pass.h"

bool http_request_pass_body(HttpRequest *r, uint64_t max) {
        HttpConnection *c = r->connection;

        if (!http_room_take(&c->server->room, &r->share, HTTP_PASS_MAX))
                return false;
        timeout_stop(&c->due); /* the user looks at the body's progress */
        r->body = BUF_INIT(HTTP_PASS_MAX);
        r->body_max = max;
        r->passes = true;
        return true;
}

bool http_request_is_passed(const HttpRequest *r) {
        return r->passes;
}

bool http_request_has_bytes(const HttpRequest *r) {
        return r->body.n > 0;
}

ssize_t http_request_read(HttpRequest *r, char *p, size_t n) {
        assert(r->passes);

        if (r->body.n == 0)
                return r->bodied ? 0 : -EAGAIN;
        n = MIN(n, r->body.n);
        memcpy(p, buf_data(&r->body), n);
        buf_consume(&r->body, n);
        if (r->body.n <= HTTP_PASS_LOW && !r->bodied)
                http_request_wake(r);
        return (ssize_t) n;
}

static enum MHD_Result swallow(HttpRequest *r, size_t *n) {
        r->swallowed += *n;
        *n = 0;
        return r->swallowed <= HTTP_SWALLOW_MAX ? MHD_YES : MHD_NO;
}

enum MHD_Result http_pass_receive(HttpRequest *r, const char *p, size_t *n) {
        HttpServer *s = r->connection->server;
        size_t k;

        if (r->gone || r->failed)
                return MHD_NO;
        if (r->replied)
                return swallow(r, n);
        if (r->suspended) /* libmicrohttpd goes on with the next chunk nevertheless */
                return MHD_YES;
        k = MIN(*n, HTTP_PASS_MAX - r->body.n);
        if (k > r->body_max - r->arrived || buf_append(&r->body, p, k) < 0) {
                http_body_refuse(r, r->body.error < 0 ? HTTP_BODY_NO_ROOM : HTTP_BODY_TOO_LARGE);
                return r->failed ? MHD_NO : swallow(r, n);
        }
        r->arrived += k;
        *n -= k;
        if (r->body.n == HTTP_PASS_MAX) {
                r->suspended = true;
                MHD_suspend_connection(r->connection->mhd);
        }
        s->ops.piece(r, s->userdata);
        return MHD_YES;
}

void http_pass_linger(HttpRequest *r) {
        HttpConnection *c = r->connection;

        r->lingers = true;
        http_body_drop(r);
        timeout_start(c->server->linger_due, &c->due);
        http_request_wake(r);
}

void http_pass_on_linger_due(Timeout *t) {
        http_connection_cut(list_entry(t, HttpConnection, due));
}
