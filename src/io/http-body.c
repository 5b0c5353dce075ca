/* SPDX-License-Identifier: MIT */

/*
 * The head and the body of a request have a time, so that a client that sends a byte now and then holds
 * nothing for long. libmicrohttpd's time-out is one of silence only.
 *
 *   - A head has params.head_timeout in all, from the connection's opening or from the first byte after the
 *     answer before it.
 *   - A body is looked at after each params.body_window. HTTP_BODY_WINDOW_MIN bytes must have come in it; up
 *     to as many more count for the next window, so that a pause after quick progress does no harm. The
 *     last window is number HTTP_BODY_WINDOWS_MAX.
 *   - A body that is passed on has no time here: http-pass.c.
 *   - A body that is not wanted (http_request_skip_body) is part of the head: its time, and nothing is kept.
 *   - A guest, a client whose address is not welcome, has params.guest_timeout for its only request, and no
 *     body at all.
 *
 * A connection has one Timeout, for its head or its body. In the middle of either, libmicrohttpd accepts no
 * answer, but has nothing to send itself: the answer is written to the socket directly, as far as the
 * socket takes it, and the connection is closed.
 */

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/text.h"
#include "io/http-body.h"
#include "io/http-park.h"
#include "io/http-pass.h"

/* --- answers past libmicrohttpd --- */

int http_connection_answer(HttpConnection *c, int status, const HttpHeader *headers, size_t n_headers,
                           const char *body, size_t n_body) {
        _cleanup_buf_ Buf b = BUF_INIT(HTTP_HEADERS_MAX + n_body);

        (void) buf_printf(&b, "HTTP/1.1 %d %s\r\n", status,
                          MHD_get_reason_phrase_for((unsigned) status));
        for (size_t i = 0; i < n_headers; i++)
                if (!strnull(headers[i].value) && !strcaseeq(headers[i].name, "Connection"))
                        (void) buf_printf(&b, "%s: %s\r\n", headers[i].name, headers[i].value);
        (void) buf_printf(&b, "Connection: close\r\nContent-Length: %zu\r\n\r\n", n_body);
        if (n_body > 0)
                (void) buf_append(&b, body, n_body);
        if (b.error < 0)
                return b.error;
        if (send(c->fd, buf_data(&b), b.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                return -errno;
        return 0;
}

void http_connection_cut(HttpConnection *c) {
        c->cut = true;
        timeout_stop(&c->due);
        /* libmicrohttpd reads the end of the stream in its next run, and closes. */
        (void) shutdown(c->fd, SHUT_RDWR);
}

/* Bytes that are unread at the close make TCP reset the connection, and the answer can be lost. */
static void cut_answered(HttpConnection *c) {
        (void) recvfrom(c->fd, NULL, HTTP_SWALLOW_MAX, MSG_TRUNC | MSG_DONTWAIT, NULL, NULL);
        http_connection_cut(c);
}

void http_connection_refuse(HttpConnection *c, int status, const char *json) {
        static const HttpHeader type = { "Content-Type", "application/json" };

        (void) http_connection_answer(c, status, &type, 1, json, strlen(json));
        cut_answered(c);
}

/* --- the body --- */

void http_request_take_body(HttpRequest *r, uint64_t max) {
        HttpConnection *c = r->connection;

        r->body_max = max;
        timeout_start(c->server->body_due, &c->due);
}

void http_request_skip_body(HttpRequest *r, uint64_t max) {
        r->body_max = r->connection->guest ? 0 : max;
        r->skips = true;
}

Buf *http_request_body(HttpRequest *r) {
        return &r->body;
}

bool http_request_hold(HttpRequest *r, uint64_t n) {
        return n <= r->share.n || http_room_take(&r->connection->server->room, &r->share, n - r->share.n);
}

HttpBodyFault http_request_body_fault(const HttpRequest *r) {
        return r->body_fault;
}

void http_body_drop(HttpRequest *r) {
        buf_done(&r->body);
        http_room_give_back(&r->connection->server->room, &r->share);
}

/* Ends the request in the middle of its body. */
void http_body_refuse(HttpRequest *r, HttpBodyFault fault) {
        HttpServer *s = r->connection->server;

        http_body_drop(r); /* a refused request must not take room from others */
        r->body_fault = fault;
        r->direct = true;
        s->ops.body(r, s->userdata);
        if (r->lingers)
                return;
        r->failed = true;
        cut_answered(r->connection);
        http_request_wake(r);
}

/* A large body of a known length gets its memory at once: else the buffer would be copied each time it
 * doubles, and the former one would be there for a while as well. Pages that nothing is written to cost
 * nothing. */
static int reserve_all(HttpRequest *r, size_t n) {
        if (!r->has_length || r->body.n >= HTTP_SMALL_BODY_MAX || r->body.n + n < HTTP_SMALL_BODY_MAX ||
            r->length > r->body_max || r->length < r->body.n)
                return 0;
        return buf_reserve(&r->body, (size_t) r->length - r->body.n);
}

bool http_body_receive(HttpRequest *r, const char *p, size_t n) {
        HttpServer *s = r->connection->server;

        if (r->failed)
                return false;
        r->arrived += n;
        if (r->skips) {
                if (r->arrived <= r->body_max)
                        return true;
                http_body_refuse(r, HTTP_BODY_TOO_LARGE);
                return false;
        }
        if (r->body_fault == HTTP_BODY_OK) {
                if (n > r->body_max || r->body.n > r->body_max - n)
                        r->body_fault = HTTP_BODY_TOO_LARGE;
                else if (!http_room_take(&s->room, &r->share, n) || reserve_all(r, n) < 0 ||
                         buf_append(&r->body, p, n) < 0)
                        r->body_fault = HTTP_BODY_NO_ROOM;
                else
                        return true;
                http_body_drop(r);
        }
        /* MHD cannot queue an answer in the middle of an upload: read on for a while, so that it can at the
         * end. */
        r->swallowed += n;
        return r->swallowed <= HTTP_SWALLOW_MAX;
}

/* --- time --- */

static void on_body_due(Timeout *t) {
        HttpConnection *c = list_entry(t, HttpConnection, due);
        HttpRequest *r = c->request;
        uint64_t n = r->carried + r->arrived;

        if (n < HTTP_BODY_WINDOW_MIN || ++r->n_windows >= HTTP_BODY_WINDOWS_MAX)
                return http_body_refuse(r, HTTP_BODY_LATE);
        r->carried = MIN(n - HTTP_BODY_WINDOW_MIN, HTTP_BODY_WINDOW_MIN);
        r->arrived = 0;
        timeout_start(c->server->body_due, t);
}

static void on_head_due(Timeout *t) {
        HttpConnection *c = list_entry(t, HttpConnection, due);

        if (c->request) /* in the middle of a body that is skipped */
                return http_body_refuse(c->request, HTTP_BODY_LATE);
        /* A client that has sent nothing does not expect an answer. */
        if (c->sends)
                return http_connection_refuse(c, 408, c->server->params.head_late);
        http_connection_cut(c);
}

void http_connection_opened(HttpConnection *c) {
        int unread = 0;

        /* What is there already is read before the watch of the socket reports it. */
        c->sends = c->fd >= 0 && ioctl(c->fd, FIONREAD, &unread) >= 0 && unread > 0;
        c->due = TIMEOUT_INIT(c->due);
        timeout_start(c->guest ? c->server->guest_due : c->server->head_due, &c->due);
}

void http_connection_sends(HttpConnection *c) {
        if (c->request || c->cut)
                return;
        c->sends = true;
        if (!list_is_linked(&c->due.link))
                timeout_start(c->server->head_due, &c->due);
}

int http_dues_new(HttpServer *s) {
        int r;

        r = timeout_queue_new(s->loop, s->params.head_timeout, on_head_due, &s->head_due);
        if (r < 0)
                return r;
        r = timeout_queue_new(s->loop, s->params.guest_timeout, on_head_due, &s->guest_due);
        if (r < 0)
                return r;
        r = timeout_queue_new(s->loop, s->params.body_window, on_body_due, &s->body_due);
        if (r < 0)
                return r;
        r = timeout_queue_new(s->loop, HTTP_LINGER, http_pass_on_linger_due, &s->linger_due);
        if (r < 0)
                return r;
        return http_park_new(s);
}

void http_dues_free(HttpServer *s) {
        timeout_queue_free(s->head_due);
        timeout_queue_free(s->guest_due);
        timeout_queue_free(s->body_due);
        timeout_queue_free(s->linger_due);
        timeout_queue_free(s->idle_due);
}
