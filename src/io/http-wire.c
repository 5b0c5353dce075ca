/* SPDX-License-Identifier: MIT */

/*
 * libmicrohttpd shows no byte of a head or a chunk's line as it was received, and takes much that is
 * dangerous: lines that end with LF alone, a trailer with a NUL byte. Therefore each piece that it receives
 * is read by http-framing.c first. libmicrohttpd receives with recv(), which this file defines: the dynamic
 * linker finds the program's definition before that of libc. Other callers of recv() in the process get
 * what they would get from libc. If libmicrohttpd ever receives in another way, all requests are refused.
 *
 *   - A fault in the chunks of a body: libmicrohttpd gets the bytes before it, and never one behind it.
 *     After the run the request is answered, and its connection is cut. The same goes for a first line
 *     without a method, for which libmicrohttpd would close the connection without an answer.
 *   - Any other fault in a head: libmicrohttpd gets all bytes. Either it takes them for a head, and the
 *     request gets a 400 like any other wrong head; or it answers by itself. Both close the connection, and
 *     a head behind that one would be refused.
 *
 * Where libmicrohttpd continues a suspended connection to send the answer (HttpConnection.answers), it
 * mostly tries to receive first. If nothing has come since the socket was empty (HttpConnection.unread), it
 * gets EAGAIN without a system call. That loses nothing that comes meanwhile: a suspended connection is in
 * no epoll, and when libmicrohttpd next waits for bytes it adds it, which shows what is there.
 *
 * This file also defines epoll_wait(): in each run libmicrohttpd looks at its own epoll, which nearly always
 * has nothing, because connections are parked or suspended (http-park.c). The loop watches that epoll, and
 * shows in the same turn what is in it, so that libmicrohttpd needs to look only then.
 *
 * Which body follows a head is known when libmicrohttpd has read the head, but its first bytes, and whole
 * further requests, can be in the same piece. They are kept until then (HttpConnection.ahead); they are no
 * more than libmicrohttpd keeps in its buffer of HTTP_HEADERS_MAX.
 */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "io/http-body.h"
#include "io/http-wire.h"

#define BY_FD_STEP 64U

/* --- connections by their descriptors --- */

static _Thread_local HttpShard *running; /* in MHD_run(), in this thread */

static HttpConnection *connection_of_fd(const HttpShard *d, int fd) {
        const HttpServer *s = d->listener->server;

        return fd >= 0 && (size_t) fd < s->n_by_fd ? s->by_fd[fd] : NULL;
}

int http_wire_add(HttpConnection *c) {
        HttpServer *s = c->server;
        size_t at = (size_t) c->fd, n = at + BY_FD_STEP;
        HttpConnection **p;

        assert(c->fd >= 0);

        if (at >= s->n_by_fd) {
                p = reallocarray(s->by_fd, n, sizeof(HttpConnection *));
                if (!p)
                        return -ENOMEM;
                memset(p + s->n_by_fd, 0, (n - s->n_by_fd) * sizeof(HttpConnection *));
                s->by_fd = p;
                s->n_by_fd = n;
        }
        s->by_fd[at] = c;
        return 0;
}

void http_wire_remove(HttpConnection *c) {
        c->server->by_fd[c->fd] = NULL;
        list_unlink(&c->broken);
        buf_done(&c->ahead);
}

/* --- what is received --- */

static ssize_t nothing_now(void) {
        errno = EAGAIN;
        return -1;
}

static bool is_broken(const HttpConnection *c) {
        return c->framing.fault &&
               (http_framing_in_body(&c->framing) || http_framing_has_no_method(&c->framing));
}

/* Returns how many of the bytes libmicrohttpd gets, or -1 with errno. */
static ssize_t received(HttpConnection *c, const char *p, size_t n) {
        HttpFraming *f = &c->framing;
        size_t used;

        if (f->fault) /* of a head */
                return (ssize_t) n;
        used = f->state == HTTP_FRAMING_HEAD_END ? 0 : http_framing_feed(f, p, n);
        if (is_broken(c)) {
                list_append(&c->shard->broken, &c->broken);
                return used > 0 ? (ssize_t) used : nothing_now();
        }
        if (!f->fault && used < n && buf_append(&c->ahead, p + used, n - used) < 0) {
                errno = ENOMEM; /* libmicrohttpd closes the connection */
                return -1;
        }
        return (ssize_t) n;
}

/* recv() for libmicrohttpd. Where libc's headers define it as an inline function, it cannot be defined by
 * this name again. */
__attribute__((visibility("default"))) ssize_t http_wire_recv(int fd, void *p, size_t n, int flags)
        __asm__("recv");

ssize_t http_wire_recv(int fd, void *p, size_t n, int flags) {
        HttpConnection *c = running ? connection_of_fd(running, fd) : NULL;
        ssize_t k;

        if (c && c->cut)
                return 0;
        if (c && (is_broken(c) || (c->answers && !c->unread)))
                return nothing_now();
        k = recvfrom(fd, p, n, flags, NULL, NULL);
        if (c && k < (ssize_t) n)
                c->unread = false;
        return c && k > 0 ? received(c, p, (size_t) k) : k;
}

/* epoll_wait() for libmicrohttpd, and for all others in the process. */
__attribute__((visibility("default"))) int http_wire_epoll_wait(int fd, struct epoll_event *events, int n,
                                                                int timeout) __asm__("epoll_wait");

int http_wire_epoll_wait(int fd, struct epoll_event *events, int n, int timeout) {
        if (running && fd == running->watch.fd) {
                if (!running->is_ready)
                        return 0;
                running->is_ready = false;
        }
        return epoll_pwait(fd, events, n, timeout, NULL);
}

void http_wire_end(HttpConnection *c) {
        const HttpServer *s = c->server;
        bool is_large = c->framing.is_large;
        int status = is_large ? 431 : 400;

        if (c->cut || c->closed || !http_framing_has_no_method(&c->framing))
                return;
        http_connection_refuse(c, status, is_large ? s->params.head_too_large : s->params.head_malformed);
        if (s->ops.refused)
                s->ops.refused(status, s->userdata);
}

static void end_broken(HttpConnection *c) {
        HttpRequest *r = c->request;

        if (!r)
                http_wire_end(c);
        else if (!r->bodied && !r->replied && !c->cut)
                http_body_refuse(r, HTTP_BODY_MALFORMED);
}

void http_wire_run(HttpShard *d) {
        running = d;
        (void) MHD_run(d->daemon);
        running = NULL;
        LIST_FOREACH(i, &d->broken) {
                list_unlink(i);
                end_broken(list_entry(i, HttpConnection, broken));
        }
}

/* --- requests --- */

static bool is_same_head(const HttpRequest *r, size_t n) {
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(r->connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        return info && info->header_size == n;
}

static void read_ahead(HttpConnection *c) {
        size_t used;

        if (c->ahead.n == 0)
                return;
        used = http_framing_feed(&c->framing, buf_data(&c->ahead), c->ahead.n);
        buf_consume(&c->ahead, used);
        if (c->ahead.n == 0 || c->framing.fault)
                buf_done(&c->ahead);
}

void http_wire_head(HttpRequest *r) {
        HttpConnection *c = r->connection;
        HttpFraming *f = &c->framing;

        if (f->fault)
                r->fault = f->fault;
        else if (f->state != HTTP_FRAMING_HEAD_END || !is_same_head(r, f->n_head))
                r->fault = "its end is not clear";
        if (r->fault) {
                f->fault = r->fault; /* nothing more of this connection is read */
                return;
        }
        http_framing_body(f, r->chunked, r->length);
        read_ahead(c);
}
