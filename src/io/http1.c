/* SPDX-License-Identifier: MIT */

/*
 * The states of a connection, and what moves it:
 *
 *   IDLE       no work. What the server sends now, or its end, closes the connection: an answer that no
 *              request asked for must not become the answer to the next one.
 *   SENDING    the request is not written to its end. An answer may come nevertheless; if it ends first, the
 *              work is complete, and the connection is closed, because the server waits for the rest.
 *   RECEIVING  the whole request is written.
 *   CLOSED     the end: not watched any more, waits to be freed.
 *
 * enter() is the only place that sets the state. In the common case a request is one write and one read, and
 * the watch of the descriptor stays as it is: level-triggered, for reading. It changes only when a write has
 * to wait, and when bytes arrive for a work that is paused.
 *
 * A failed write does not end the work: the server may have answered before it closed the connection. What
 * it sent is read first, and the end of that decides. If no byte of the request was taken, it is UNSENT. If
 * the connection was kept, and ends before a byte of an answer, the work is STALE: the server may have
 * closed it without a look at the request, or not.
 *
 * In a turn of the loop a connection reads and writes a bounded number of bytes, however fast its server is.
 * What epoll does not show (bytes that TLS has decrypted, a failure in http1_start()) is done in a slice.
 */

#include <errno.h>
#include <stdio.h>

#include "base/limits-http-client.h"
#include "base/text.h"
#include "io/http1-answer.h"
#include "io/http1-request.h"
#include "io/http1.h"

#define JOIN_MAX 2048U /* a head is sent with the first piece of its body, if it is not longer */

typedef enum Http1State {
        HTTP1_IDLE,
        HTTP1_SENDING,
        HTTP1_RECEIVING,
        HTTP1_CLOSED,
        _HTTP1_STATE_MAX,
} Http1State;

struct Http1 {
        Loop *loop;
        Transport *transport;
        const Http1Ops *ops;
        void *userdata;
        LoopFd fd;
        LoopSlice slice;
        HttpWork *work; /* NULL: idle or closed */
        Http1Answer answer;
        Buf out;  /* of the request, to be written before its held body */
        Buf rest; /* the beginning of a line of the answer */
        const char *failure; /* why the work ends with failure_end, in the next slice; NULL: it does not */
        HttpWorkEnd failure_end;
        Http1State state;
        bool is_kept;      /* it has carried a work before */
        bool is_deaf;      /* the watch is not for reading */
        bool write_waits;  /* for room in the socket */
        bool write_failed;
        bool has_sent;     /* a byte of the request was taken */
        bool has_received; /* a byte of the answer came */
        bool sent_called, body_read;
        bool is_busy; /* within a function of the work */
};

static void enter(Http1 *c, Http1State state) {
        static const bool moves[_HTTP1_STATE_MAX][_HTTP1_STATE_MAX] = {
                [HTTP1_IDLE] = { [HTTP1_SENDING] = true, [HTTP1_CLOSED] = true },
                [HTTP1_SENDING] = { [HTTP1_RECEIVING] = true, [HTTP1_CLOSED] = true },
                [HTTP1_RECEIVING] = { [HTTP1_IDLE] = true, [HTTP1_CLOSED] = true },
        };

        assert(moves[c->state][state]);
        c->state = state;
}

/* --- the watch --- */

static void on_fd(uint32_t events, void *userdata);
static void on_slice(void *userdata);

static void watch(Http1 *c) {
        uint32_t events = (c->is_deaf ? 0 : EPOLLIN) | (c->write_waits ? EPOLLOUT : 0);

        if (c->fd.fd >= 0)
                (void) loop_fd_modify(c->loop, &c->fd, events);
}

static void later(Http1 *c) {
        if (!c->slice.link.next)
                loop_slice_add(c->loop, &c->slice, on_slice, c);
}

/* --- the end of a work, and of the connection --- */

static void stop(Http1 *c) {
        enter(c, HTTP1_CLOSED);
        loop_fd_remove(c->loop, &c->fd);
        loop_slice_remove(&c->slice);
}

static void forget_work(Http1 *c) {
        c->work->connection = NULL;
        c->work = NULL;
        buf_done(&c->out);
        buf_done(&c->rest);
}

/* The connection may be freed in here. */
static void finish(Http1 *c, HttpWorkEnd end, const char *cause) {
        HttpWork *w = c->work;

        forget_work(c);
        stop(c);
        http_work_end(w, end, cause);
        c->ops->closed(c, c->userdata);
}

/* TLS may have decrypted something that belongs to no answer. What it has may also be none of the server's
 * bytes, such as a ticket. */
static bool is_quiet(Http1 *c) {
        char byte;

        return !transport_has_pending(c->transport) || transport_read(c->transport, &byte, 1) == -EAGAIN;
}

/* The answer is complete; `n_behind` bytes follow it. The connection may be freed in here. */
static void complete(Http1 *c, size_t n_behind) {
        HttpWork *w = c->work;

        if (c->state != HTTP1_RECEIVING || !c->answer.lasts || n_behind > 0 || !is_quiet(c)) {
                finish(c, HTTP_WORK_COMPLETE, NULL);
                return;
        }
        forget_work(c);
        enter(c, HTTP1_IDLE);
        c->is_kept = true;
        c->is_deaf = false;
        watch(c);
        http_work_end(w, HTTP_WORK_COMPLETE, NULL);
        c->ops->idle(c, c->userdata);
}

/* Of the connection, at a read: 0 or -errno. */
static void end_by_server(Http1 *c, ssize_t error) {
        if (error == 0 && http1_answer_close(&c->answer))
                complete(c, 0);
        else if (!c->has_received && c->is_kept)
                finish(c, HTTP_WORK_STALE, "The connection was closed before an answer came");
        else if (error < 0)
                finish(c, HTTP_WORK_BROKEN, transport_error(c->transport));
        else
                finish(c, HTTP_WORK_BROKEN,
                       c->has_received ? "The connection was closed before the end of the answer" :
                                         "Empty reply from server");
}

static void end_by_fault(Http1 *c) {
        char cause[HTTP_CAUSE_MAX];

        (void) snprintf(cause, sizeof(cause), "The answer is not valid HTTP: %s", c->answer.fault);
        finish(c, HTTP_WORK_BROKEN, cause);
}

/* --- writing --- */

static void fail(Http1 *c, HttpWorkEnd end, const char *why) {
        c->failure = why;
        c->failure_end = end;
}

static void fail_to_write(Http1 *c) {
        c->write_failed = true;
        if (!c->has_sent)
                fail(c, HTTP_WORK_UNSENT, transport_error(c->transport));
}

/* Of a body that is not held. False: there is none now. */
static bool read_piece(Http1 *c) {
        int r;

        c->is_busy = true;
        r = http1_request_piece(c->work, &c->out);
        c->is_busy = false;
        c->body_read = r == 0;
        if (r < 0 && r != -EAGAIN)
                fail(c, HTTP_WORK_ABORTED, "The body of the request could not be read");
        return r >= 0;
}

static int next_bytes(const Http1 *c, size_t room, struct iovec ret[static 2]) {
        const HttpWork *w = c->work;
        int n = 0;

        if (c->out.n > 0)
                ret[n++] = (struct iovec){ buf_data(&c->out), c->out.n };
        if (w->p.body && w->n_body_sent < w->p.n_body)
                ret[n++] = (struct iovec){ (char *) (uintptr_t) w->p.body + w->n_body_sent,
                                           MIN(w->p.n_body - w->n_body_sent, room) };
        return n;
}

static void taken(Http1 *c, size_t n) {
        size_t k = MIN(n, c->out.n);

        c->has_sent = true;
        buf_consume(&c->out, k);
        c->work->n_body_sent += n - k;
}

/* Writes what the socket takes, up to a turn's share. Sets `failure` if the work has to end. */
static void send_bytes(Http1 *c) {
        bool is_read = http_work_is_read(c->work), is_dry = !is_read;
        size_t room = HTTP_CLIENT_TURN_MAX;
        struct iovec v[2];
        ssize_t n;
        int n_v;

        c->write_waits = false;
        for (;;) {
                while (!is_dry && !c->body_read && !c->failure && c->out.n < JOIN_MAX)
                        is_dry = !read_piece(c);
                if (c->failure)
                        return;
                n_v = next_bytes(c, room, v);
                if (n_v == 0)
                        break;
                if (room == 0) {
                        c->write_waits = true;
                        return;
                }
                if (!c->sent_called) {
                        c->sent_called = true;
                        http_work_sent(c->work);
                }
                n = transport_write(c->transport, v, n_v);
                if (n == -EAGAIN) {
                        c->write_waits = true;
                        return;
                }
                if (n < 0) {
                        fail_to_write(c);
                        return;
                }
                taken(c, (size_t) n);
                room -= MIN((size_t) n, room);
        }
        if (!is_read || c->body_read) {
                buf_done(&c->out);
                enter(c, HTTP1_RECEIVING);
        }
}

/* --- reading --- */

/* Passes on what is in these bytes. False: the work has ended, and the connection may be freed. */
static bool pass_on(Http1 *c, Http1Bytes *rest) {
        HttpWork *w = c->work;
        Http1Bytes text;
        int r = 0;

        while (r >= 0) {
                Http1AnswerStep step = http1_answer_next(&c->answer, rest, &text);

                c->is_busy = true;
                if (step == HTTP1_ANSWER_DATA)
                        r = http_work_data(w, text.p, text.n);
                else if (step == HTTP1_ANSWER_HEADER)
                        r = http_work_header(w, text.p, text.n);
                else if (step == HTTP1_ANSWER_HEAD)
                        r = http_work_head(w, c->answer.status);
                c->is_busy = false;
                if (step == HTTP1_ANSWER_MORE)
                        return true;
                if (step == HTTP1_ANSWER_END) {
                        complete(c, rest->n);
                        return false;
                }
                if (step == HTTP1_ANSWER_FAULT) {
                        end_by_fault(c);
                        return false;
                }
        }
        finish(c, HTTP_WORK_ABORTED, "The answer was not taken");
        return false;
}

/* Likewise, for bytes that have just been read. They follow those that were kept, which are few: a line that
 * was cut. */
static bool take_bytes(Http1 *c, const char *p, size_t n) {
        bool is_cut = c->rest.n > 0;
        Http1Bytes rest = { p, n };

        if (is_cut) {
                if (buf_append(&c->rest, p, n) < 0) {
                        finish(c, HTTP_WORK_BROKEN, "No memory for the head of the answer");
                        return false;
                }
                rest = (Http1Bytes){ buf_data(&c->rest), c->rest.n };
        }
        if (!pass_on(c, &rest))
                return false;
        if (rest.n == 0)
                buf_done(&c->rest);
        else if (is_cut)
                buf_consume(&c->rest, c->rest.n - rest.n);
        else if (buf_append(&c->rest, rest.p, rest.n) < 0) {
                finish(c, HTTP_WORK_BROKEN, "No memory for the head of the answer");
                return false;
        }
        return true;
}

/* The connection may be freed in here. */
static void receive(Http1 *c) {
        char bytes[HTTP_CLIENT_READ_MAX];
        size_t n_turn = 0;
        ssize_t n;

        while (!c->work->paused) {
                n = transport_read(c->transport, bytes, sizeof(bytes));
                if (n == -EAGAIN)
                        return;
                if (n <= 0) {
                        end_by_server(c, n);
                        return;
                }
                c->has_received = true;
                if (!take_bytes(c, bytes, (size_t) n))
                        return;
                n_turn += (size_t) n;
                if (transport_has_pending(c->transport)) {
                        if (n_turn >= HTTP_CLIENT_TURN_MAX) {
                                later(c);
                                return;
                        }
                } else if ((size_t) n < sizeof(bytes) || n_turn >= HTTP_CLIENT_TURN_MAX)
                        return; /* epoll shows what is left */
        }
}

/* The work is paused, and bytes have arrived, or the connection has ended. Epoll shows an end again and
 * again, whatever it is asked for, so then it is not asked any more: what is left in the socket is read when
 * the work continues. */
static void stop_reading(Http1 *c, uint32_t events) {
        if (c->is_deaf && (events & (EPOLLHUP | EPOLLERR)))
                loop_fd_remove(c->loop, &c->fd);
        c->is_deaf = true;
}

/* --- events --- */

static void check_idle(Http1 *c) {
        char byte;

        if (transport_read(c->transport, &byte, 1) == -EAGAIN)
                return;
        stop(c);
        c->ops->closed(c, c->userdata);
}

/* Writes and reads what can be written and read now. */
static void turn(Http1 *c, uint32_t events) {
        bool may_read = events & ~(uint32_t) EPOLLOUT;

        if (c->state == HTTP1_IDLE) {
                check_idle(c);
                return;
        }
        if ((events & EPOLLOUT) && c->state == HTTP1_SENDING && !c->write_failed && !c->failure)
                send_bytes(c);
        if (c->failure) {
                finish(c, c->failure_end, c->failure);
                return;
        }
        if (may_read && c->work->paused)
                stop_reading(c, events);
        watch(c);
        if ((may_read || c->write_failed) && !c->work->paused)
                receive(c);
}

static void on_fd(uint32_t events, void *userdata) {
        turn(userdata, events);
}

static void on_slice(void *userdata) {
        Http1 *c = userdata;

        loop_slice_remove(&c->slice);
        turn(c, EPOLLIN | EPOLLOUT);
}

/* --- interface --- */

int http1_new(Loop *loop, Transport *t, const Http1Ops *ops, void *userdata, Http1 **ret) {
        Http1 *c;
        int r;

        c = calloc(1, sizeof(Http1));
        if (!c) {
                transport_free(t);
                return -ENOMEM;
        }
        *c = (Http1){
                .loop = loop,
                .transport = t,
                .ops = ops,
                .userdata = userdata,
                .fd = LOOP_FD_NULL,
                .out = BUF_INIT_SECRET(HTTP_REQUEST_HEAD_MAX),
                .rest = BUF_INIT(HTTP_ANSWER_HEAD_MAX + HTTP_CLIENT_READ_MAX),
        };
        r = loop_fd_add(loop, &c->fd, transport_fd(t), EPOLLIN, on_fd, c);
        if (r < 0) {
                http1_free(c);
                return r;
        }
        if (transport_has_pending(t))
                later(c);
        *ret = c;
        return 0;
}

void http1_cancel(Http1 *c) {
        assert(!c->is_busy);
        if (c->work)
                forget_work(c);
        if (c->state != HTTP1_CLOSED)
                stop(c);
}

Http1 *http1_free(Http1 *c) {
        if (!c)
                return NULL;
        http1_cancel(c);
        transport_free(c->transport);
        free(c);
        return NULL;
}

void http1_start(Http1 *c, HttpWork *w) {
        int r;

        assert(c->state == HTTP1_IDLE && !w->connection);
        enter(c, HTTP1_SENDING);
        c->work = w;
        w->connection = c;
        w->n_body_sent = 0;
        c->write_failed = c->has_sent = c->has_received = c->sent_called = c->body_read = false;
        http1_answer_init(&c->answer, streq(w->method, "HEAD"));

        r = http1_request_head(w, &c->out);
        if (r < 0)
                fail(c, HTTP_WORK_ABORTED,
                     r == -EINVAL ? "The head of the request has a character that it must not have" :
                     r == -E2BIG  ? "The head of the request is too long" :
                                    "No memory for the head of the request");
        else if (!http_work_is_read(w)) {
                send_bytes(c);
                watch(c);
        }
        if (c->failure || c->write_failed || http_work_is_read(w))
                later(c);
}

void http1_continue(Http1 *c) {
        assert(c->work);
        if (!c->work->paused)
                c->is_deaf = false;
        if (c->fd.fd >= 0)
                watch(c);
        else if (loop_fd_add(c->loop, &c->fd, transport_fd(c->transport),
                             (c->is_deaf ? 0 : EPOLLIN) | (c->write_waits ? EPOLLOUT : 0), on_fd, c) < 0)
                fail(c, HTTP_WORK_BROKEN, "No memory to watch the connection");
        if (c->failure || transport_has_pending(c->transport) ||
            (c->state == HTTP1_SENDING && http_work_is_read(c->work)))
                later(c);
}
