/* SPDX-License-Identifier: MIT */

/*
 * A turn of a connection: what has arrived is read and passed to libnghttp2, whose callbacks
 * (http2-session.c) call the works. Requests that start, bytes that works consume and resets are only noted
 * with libnghttp2. At the end of the turn the hook lets it make frames of all that, joins them into records
 * of up to 16 KiB, and writes each with one system call. EPOLLOUT is watched only while the socket takes
 * nothing more, so the common way needs no epoll_ctl().
 *
 * Nothing is ended within a read or a write: a fault is recorded (http2_fail(), http2_break()), and the hook
 * ends the works and calls closed(). After http2_fail() the server gets a GOAWAY if the socket takes it;
 * after http2_break() there is no server, or libnghttp2 cannot go on.
 *
 * When the connection ends, a work is unsent if no byte of its request has been written, and broken
 * otherwise: the server may have processed it.
 *
 * Silence: while streams are open and nothing comes for HTTP2_SILENCE, the server gets a PING, and must send
 * something within the same time again. A server that reads nothing of what waits for it in HTTP2_STALL is
 * gone, too, although it may send. The timer is not stopped with the last stream: it finds none, and stays
 * off until the next one begins.
 */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "io/http2-internal.h"

#define TIMER_ACCURACY (100 * USEC_PER_MSEC)
#define TAIL_MIN 1024U /* room that is left for the next frame: below it a record is written as it is */

/* --- ends --- */

void http2_wake(Http2 *c) {
        if (!c->closed)
                loop_hook_ask(c->loop, &c->hook);
}

static void fail(Http2 *c, const char *cause) {
        if (!c->failed && c->cause[0] == 0)
                text_copy(c->cause, sizeof(c->cause), cause);
        c->failed = true;
        c->drains = true;
        http2_wake(c);
}

void http2_break(Http2 *c, const char *cause) {
        c->dead = true;
        fail(c, cause);
}

void http2_fail(Http2 *c, uint32_t code, const char *cause) {
        if (!c->failed && nghttp2_session_terminate_session(c->session, code) < 0)
                c->dead = true;
        fail(c, cause);
}

static void break_session(Http2 *c, int error) {
        const char *cause = nghttp2_strerror(error);

        if (c->memory.refused)
                cause = "The server makes the connection take too much memory";
        else if (error == NGHTTP2_ERR_FLOODED)
                cause = "The server floods the connection with PING or SETTINGS";
        http2_break(c, cause);
}

static void close_connection(Http2 *c) {
        c->closed = c->failed = c->drains = true;
        loop_fd_remove(c->loop, &c->watch);
        loop_slice_remove(&c->slice);
        loop_hook_remove(&c->hook);
        if (c->timer)
                (void) sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
        LIST_FOREACH(i, &c->streams) {
                Http2Stream *s = list_entry(i, Http2Stream, link);
                bool sent = s->at < c->n_written || s->n_heads > 0; /* a server may guess what it will get */

                http2_stream_end(s, sent ? HTTP_WORK_BROKEN : HTTP_WORK_UNSENT,
                                 c->cause[0] ? c->cause : "The connection was closed");
                http2_stream_free(s);
        }
}

/* --- the timer --- */

static int start_timer(Http2 *c, usec_t due) {
        int r;

        r = sd_event_source_set_time(c->timer, due);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

/* Unless it is on: then it fires earlier. */
static int need_timer(Http2 *c, usec_t due) {
        return sd_event_source_get_enabled(c->timer, NULL) > 0 ? 0 : start_timer(c, due);
}

/* --- reading --- */

static bool receive(Http2 *c, const void *p, size_t n) {
        ssize_t k;

        if (c->failed || n == 0)
                return !c->failed;
        k = nghttp2_session_mem_recv(c->session, p, n);
        if (k < 0)
                break_session(c, (int) k);
        return !c->failed;
}

/* The head of a frame is passed on in one piece: libnghttp2 counts each piece of the head of a CONTINUATION
 * as one more CONTINUATION. */
static bool feed(Http2 *c, const char *p, size_t n) {
        unsigned char head[HTTP2_FRAME_HEAD];
        size_t n_head = c->meter.n_head, k;
        usec_t now = loop_now(c->loop);
        const char *why;

        c->read_at = now;
        c->pinged = c->asks = false;
        memcpy(head, c->meter.head, n_head);
        why = http2_meter_read(&c->meter, p, n, now);
        if (why) {
                http2_fail(c, NGHTTP2_ENHANCE_YOUR_CALM, why);
                return false;
        }
        if (n_head > 0) {
                k = MIN(n, sizeof(head) - n_head);
                memcpy(head + n_head, p, k);
                if (n_head + k < sizeof(head))
                        return true;
                if (!receive(c, head, sizeof(head)))
                        return false;
                p += k;
                n -= k;
        }
        return receive(c, p, n - c->meter.n_head);
}

static void read_in(Http2 *c) {
        char buffer[HTTP2_RECORD];
        unsigned i;

        for (i = 0; !c->failed && i < HTTP2_READS_MAX; i++) {
                ssize_t n = transport_read(c->transport, buffer, sizeof(buffer));

                if (n == -EAGAIN)
                        break;
                if (n <= 0) {
                        http2_break(c, n < 0 ? transport_error(c->transport) :
                                               "The server closed the connection");
                        break;
                }
                if (!feed(c, buffer, (size_t) n))
                        break;
                /* Less than a buffer: most likely there is no more, and epoll shows it otherwise. */
                if ((size_t) n < sizeof(buffer) && !transport_has_pending(c->transport))
                        break;
        }
        http2_wake(c);
}

/* --- writing --- */

/* Frames of libnghttp2 go into the record until it is full or there are none. */
static int fill(Http2 *c) {
        ssize_t n;

        for (;;) {
                size_t k = MIN(c->n_frame, HTTP2_RECORD - c->n_out);

                if (k > 0) {
                        memcpy(c->out + c->n_out, c->frame, k);
                        c->n_out += k;
                        c->frame += k;
                        c->n_frame -= k;
                }
                if (HTTP2_RECORD - c->n_out < TAIL_MIN)
                        return 0;
                n = nghttp2_session_mem_send(c->session, &c->frame);
                if (n <= 0)
                        return (int) n;
                c->n_frame = (size_t) n;
                c->n_packed += (size_t) n;
        }
}

/* EPOLLOUT ends it. */
static void set_blocked(Http2 *c) {
        c->blocked = true;
        if (loop_fd_modify(c->loop, &c->watch, EPOLLIN | EPOLLOUT) < 0 ||
            need_timer(c, c->written_at + HTTP2_STALL) < 0)
                http2_break(c, "Cannot watch the connection");
}

/* True if all of the record is written. */
static bool write_record(Http2 *c) {
        while (c->n_out_written < c->n_out) {
                struct iovec v = { c->out + c->n_out_written, c->n_out - c->n_out_written };
                ssize_t n = transport_write(c->transport, &v, 1);

                if (n == -EAGAIN) {
                        set_blocked(c);
                        return false;
                }
                if (n < 0) {
                        /* What the server has sent before may hold answers. */
                        c->dead = true;
                        text_copy(c->cause, sizeof(c->cause), transport_error(c->transport));
                        read_in(c);
                        http2_break(c, "");
                        return false;
                }
                c->n_out_written += (size_t) n;
                c->n_written += (size_t) n;
                c->written_at = loop_now(c->loop);
        }
        explicit_bzero(c->out, c->n_out); /* it may hold an API key */
        c->n_out = c->n_out_written = 0;
        return true;
}

static void write_out(Http2 *c) {
        for (unsigned i = 0; !c->dead && i < HTTP2_WRITES_MAX; i++) {
                int r;

                if (c->n_out == 0)
                        c->written_at = loop_now(c->loop); /* nothing has waited so far */
                r = c->n_out_written == 0 ? fill(c) : 0;
                if (r < 0) {
                        break_session(c, r);
                        return;
                }
                if (c->n_out == 0) {
                        if (loop_fd_modify(c->loop, &c->watch, EPOLLIN) < 0)
                                http2_break(c, "Cannot watch the connection");
                        return;
                }
                if (!write_record(c))
                        return;
        }
        if (!c->dead)
                set_blocked(c); /* the rest in the next turn */
}

/* --- events --- */

static void on_slice(void *userdata) {
        Http2 *c = userdata;

        loop_slice_remove(&c->slice);
        read_in(c);
}

static void on_fd(uint32_t events, void *userdata) {
        Http2 *c = userdata;

        if (events & EPOLLOUT)
                c->blocked = false;
        if (events & ~(uint32_t) EPOLLOUT)
                read_in(c);
        http2_wake(c);
}

/* --- the end of a turn --- */

/* libnghttp2 holds a request back while the server takes no more streams: it is better sent elsewhere. */
static void refuse_unsent(Http2 *c) {
        LIST_FOREACH(i, &c->streams) {
                Http2Stream *s = list_entry(i, Http2Stream, link);

                if (s->work && s->at == UINT64_MAX) {
                        http2_stream_end(s, HTTP_WORK_UNSENT, "The server takes no more streams");
                        http2_stream_reset(s);
                }
        }
}

static bool is_over(const Http2 *c) {
        return c->failed || (c->drains && c->n_works == 0) ||
               (!nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session));
}

static void on_turn(void *userdata) {
        Http2 *c = userdata;
        bool room, idle;

        if (!c->blocked)
                write_out(c);
        if (!c->blocked && !c->failed)
                refuse_unsent(c);
        if (is_over(c)) {
                close_connection(c);
                c->ops.closed(c, c->userdata);
                return;
        }
        if (!c->slice.link.next && transport_has_pending(c->transport))
                loop_slice_add(c->loop, &c->slice, on_slice, c);
        room = http2_room(c) > 0;
        idle = c->was_used && c->n_works == 0;
        c->was_used = c->n_works > 0;
        if (room && (c->full || idle)) {
                c->full = false;
                c->ops.room(c, c->userdata);
                return;
        }
        c->full = !room;
}

/* --- silence --- */

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        usec_t now, begun, due;
        Http2 *c = userdata;

        now = loop_now(c->loop);
        if (c->n_streams == 0 && !c->blocked)
                return 0;
        begun = MAX(c->read_at, c->opened_at);
        due = begun + HTTP2_SILENCE;
        if (c->blocked && now >= c->written_at + HTTP2_STALL)
                http2_break(c, "The server reads nothing any more");
        else if (c->pinged && now >= begun + 2 * HTTP2_SILENCE)
                http2_break(c, "The server did not answer a PING");
        else if (c->pinged)
                due = begun + 2 * HTTP2_SILENCE;
        else if (now >= due) {
                c->pinged = true;
                due = now + HTTP2_SILENCE;
                if (nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL) < 0)
                        http2_break(c, "Cannot allocate memory");
                http2_wake(c);
        }
        if (c->blocked)
                due = MIN(due, c->written_at + HTTP2_STALL);
        if (!c->failed && start_timer(c, MAX(due, now + TIMER_ACCURACY)) < 0)
                http2_break(c, "Cannot set a timer");
        return 0;
}

/* --- the interface --- */

int http2_new(Loop *loop, Transport *t, const Http2Ops *ops, void *userdata, Http2 **ret) {
        _cleanup_(http2_freep) Http2 *c = NULL;
        int r;

        assert(loop && t && ops && ret);
        c = calloc(1, sizeof(Http2));
        if (!c) {
                transport_free(t);
                return -ENOMEM;
        }
        *c = (Http2){
                .loop = loop,
                .transport = t,
                .watch = LOOP_FD_NULL,
                .ops = *ops,
                .userdata = userdata,
                .line = BUF_INIT(HTTP2_HEAD_MAX),
                .read_at = loop_now(loop),
        };
        list_init(&c->streams);
        list_init(&c->works);
        loop_hook_add(loop, &c->hook, on_turn, c);
        http2_meter_init(&c->meter, loop_now(loop));
        c->out = malloc(HTTP2_RECORD);
        if (!c->out)
                return -ENOMEM;
        r = http2_session_new(c);
        if (r < 0)
                return r;
        r = sd_event_add_time(loop_event(loop), &c->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer, c);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = loop_fd_add(loop, &c->watch, transport_fd(t), EPOLLIN, on_fd, c);
        if (r < 0)
                return r;
        c->is_open = true;
        http2_wake(c); /* the preface and SETTINGS go out with the first request */
        if (transport_has_pending(t))
                loop_slice_add(loop, &c->slice, on_slice, c);
        *ret = TAKE_PTR(c);
        return 0;
}

/* One attempt to say that nothing more comes. */
static void take_leave(Http2 *c) {
        if (!c->is_open || c->dead || c->blocked)
                return;
        if (nghttp2_session_terminate_session(c->session, NGHTTP2_NO_ERROR) < 0)
                return;
        write_out(c);
}

Http2 *http2_free(Http2 *c) {
        if (!c)
                return NULL;
        assert(c->n_works == 0);
        if (!c->closed) {
                take_leave(c);
                close_connection(c);
        }
        nghttp2_session_del(c->session);
        assert(c->memory.n == 0);
        sd_event_source_disable_unref(c->timer);
        transport_free(c->transport);
        buf_done(&c->line);
        if (c->out)
                explicit_bzero(c->out, HTTP2_RECORD);
        free(c->out);
        free(c);
        return NULL;
}

size_t http2_room(const Http2 *c) {
        size_t max = HTTP2_STREAMS_FIRST;

        if (c->drains || c->failed || c->asks)
                return 0;
        if (c->has_settings)
                max = MIN(nghttp2_session_get_remote_settings(c->session,
                                                              NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS),
                          HTTP2_STREAMS_MAX);
        return max > c->n_streams ? max - c->n_streams : 0;
}

bool http2_is_new(const Http2 *c) {
        return !c->has_settings;
}

size_t http2_n_works(const Http2 *c) {
        return c->n_works;
}

usec_t http2_read_at(const Http2 *c) {
        return c->read_at;
}

void http2_ask(Http2 *c) {
        if (c->drains || c->failed || c->asks)
                return;
        if (nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL) < 0)
                http2_break(c, "Cannot allocate memory");
        c->asks = c->full = true;
        http2_wake(c);
}

int http2_start(Http2 *c, HttpWork *w) {
        usec_t now = loop_now(c->loop);
        Http2Stream *s;
        int r;

        assert(!w->connection);
        if (http2_room(c) == 0)
                return -EAGAIN;
        r = need_timer(c, now + HTTP2_SILENCE);
        if (r < 0)
                return r;
        s = malloc(sizeof(Http2Stream));
        if (!s)
                return -ENOMEM;
        *s = (Http2Stream){ .connection = c, .work = w, .at = UINT64_MAX };
        r = http2_request_submit(s);
        if (r < 0) {
                free(s);
                if (r == -EAGAIN)
                        http2_drain(c);
                return r;
        }
        if (c->n_streams == 0) {
                c->opened_at = now;
                c->pinged = false;
        }
        list_append(&c->streams, &s->link);
        c->n_streams++;
        c->n_works++;
        w->connection = c;
        w->stream = s->id;
        w->n_body_sent = 0;
        w->status = 0;
        list_unlink(&w->link);
        list_append(&c->works, &w->link);
        c->full = http2_room(c) == 0;
        http2_wake(c);
        return 0;
}

void http2_cancel(Http2 *c, HttpWork *w) {
        Http2Stream *s;

        assert(w->connection == c);
        s = http2_stream_of(c, w);
        assert(s);
        s->work = NULL;
        list_unlink(&w->link);
        w->connection = NULL;
        c->n_works--;
        http2_stream_reset(s);
}

void http2_continue(Http2 *c, HttpWork *w) {
        Http2Stream *s;

        assert(w->connection == c);
        s = http2_stream_of(c, w);
        assert(s);
        if (!w->paused)
                http2_stream_consume(s);
        if (s->at != UINT64_MAX) /* -EINVAL if its body does not wait */
                (void) nghttp2_session_resume_data(c->session, s->id);
        http2_wake(c);
}

void http2_drain(Http2 *c) {
        c->drains = true;
        http2_wake(c);
}
