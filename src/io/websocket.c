/* SPDX-License-Identifier: MIT */

/*
 * All work is done in a hook at the end of a turn: read, pass on messages, write, look whether it is the
 * end. The watch of the descriptor is edge-triggered and never changes: `may_read` and `may_write` say what
 * it has shown, and -EAGAIN takes it back. So a paused peer costs nothing, and bytes that TLS has decrypted
 * are never forgotten, because reading goes on until there is nothing. Messages are passed on from `ready`,
 * where websocket-frames.c puts them, so that a pause takes effect before the next message.
 *
 * The end is described by `origin`, set once by websocket_begin_end():
 *
 *     BY_US     what is queued is sent, then the close frame; then the peer's answer is waited for
 *     BY_PEER   libwslay has queued the answer, which is sent
 *     BY_FAULT  libwslay has queued a close frame and reads no more; what comes is thrown away until the
 *               peer closes, because TCP would reset a connection with unread bytes: the code would be lost
 *     BY_BREAK  nothing more can come
 *
 * A failed write is not the end yet: the peer may have sent the reason, which is read first. Each of
 * these waits has the time `close` at most.
 *
 * Control frames go before messages, so a close frame is queued only when all messages are written. A
 * peer that sends pings and reads no pongs is not read any more.
 */

#include <errno.h>
#include <stdio.h>

#include "base/limits-websocket.h"
#include "base/text.h"
#include "io/timer.h"
#include "io/websocket-internal.h"

/* --- the end --- */

static void on_timer(void *userdata);

static void set_timer(Websocket *w, usec_t after) {
        w->timer = timer_free(w->timer);
        if (timer_new(w->loop, after, on_timer, w, &w->timer) < 0)
                w->is_late = w->due > 0; /* without a time there is no wait */
}

static void set_due(Websocket *w) {
        w->due = usec_add(loop_now(w->loop), w->times.close);
        set_timer(w, w->times.close);
        loop_hook_ask(w->loop, &w->hook);
}

void websocket_begin_end(Websocket *w, WebsocketOrigin origin, unsigned code, const char *cause) {
        if (w->origin != WEBSOCKET_OPEN)
                return;
        w->origin = origin;
        w->code = code;
        (void) snprintf(w->cause, sizeof(w->cause), "%s", cause);
        set_due(w);
}

void websocket_begin_break(Websocket *w, const char *cause) {
        w->read_ended = true;
        websocket_begin_end(w, WEBSOCKET_BY_BREAK, WEBSOCKET_CODE_ABNORMAL, cause);
}

void websocket_keep_reason(Websocket *w, const char *s, size_t n) {
        w->n_reason = n;
        memcpy(w->reason, s, n);
        w->reason[n] = 0;
}

void websocket_close(Websocket *w, unsigned code, const char *reason) {
        if (w->origin != WEBSOCKET_OPEN)
                return;
        if (code == WEBSOCKET_CODE_ABNORMAL)
                code = WEBSOCKET_CODE_INTERNAL;
        websocket_keep_reason(w, reason,
                              code == WEBSOCKET_CODE_NONE ? 0 :
                                                            text_utf8_prefix(reason, WEBSOCKET_REASON_MAX));
        websocket_begin_end(w, WEBSOCKET_BY_US, code, "");
}

/* The close frame that libwslay has not queued by itself. */
static void queue_close(Websocket *w) {
        unsigned code = w->code == WEBSOCKET_CODE_NONE ? 0 : w->code;

        if (w->origin != WEBSOCKET_BY_US || wslay_event_want_write(w->frames) ||
            wslay_event_get_close_sent(w->frames))
                return;
        if (wslay_event_queue_close(w->frames, (uint16_t) code, (const uint8_t *) w->reason,
                                    w->n_reason) < 0)
                w->is_late = true; /* no memory, or no such code */
}

static bool has_message(const Websocket *w) {
        return w->ready.n > w->n_open;
}

static bool is_at_end(const Websocket *w) {
        bool has_sent = w->write_failed || (wslay_event_get_close_sent(w->frames) && w->out.n == 0);
        bool has_heard = w->read_ended || wslay_event_get_close_received(w->frames);

        if (w->is_late)
                return true;
        switch (w->origin) {
        case WEBSOCKET_BY_US:
                return has_sent && (has_heard || !wslay_event_get_read_enabled(w->frames));
        case WEBSOCKET_BY_PEER:
                return !has_message(w) && (has_sent || w->read_ended);
        case WEBSOCKET_BY_FAULT:
                return w->read_ended;
        case WEBSOCKET_BY_BREAK:
                return !has_message(w);
        default:
                return false;
        }
}

/* libwslay tells which code it has queued only when that is sent. */
static void name_fault(Websocket *w) {
        bool has_sent = wslay_event_get_close_sent(w->frames);
        const char *cause = "The peer has broken the protocol";

        w->code = has_sent ? wslay_event_get_status_code_sent(w->frames) : WEBSOCKET_CODE_PROTOCOL;
        if (w->code == WEBSOCKET_CODE_NOT_UTF8)
                cause = "A text is not UTF-8";
        else if (w->code == WEBSOCKET_CODE_TOO_LARGE)
                cause = "A message is too large";
        (void) snprintf(w->cause, sizeof(w->cause), "%s", cause);
}

/* The owner frees it in here, or later. */
static void finish(Websocket *w) {
        WebsocketEnd end;

        if (w->origin == WEBSOCKET_OPEN) { /* it is late, after a failed write, whose cause is there */
                w->origin = WEBSOCKET_BY_BREAK;
                w->code = WEBSOCKET_CODE_ABNORMAL;
        } else if (w->origin == WEBSOCKET_BY_FAULT && w->code == 0)
                name_fault(w);
        else if (w->is_late && w->origin == WEBSOCKET_BY_US && !w->cause[0])
                (void) snprintf(w->cause, sizeof(w->cause), "The peer has not answered the end");
        w->is_over = true;
        w->timer = timer_free(w->timer);
        loop_fd_remove(w->loop, &w->fd);
        loop_slice_remove(&w->slice);
        end = (WebsocketEnd){
                .origin = w->origin,
                .code = w->code,
                .reason = w->origin == WEBSOCKET_BY_PEER ? w->reason : "",
                .cause = w->cause,
        };
        w->ops->closed(&end, w->userdata);
}

/* --- reading --- */

static void on_slice(void *userdata) {
        Websocket *w = userdata;

        loop_slice_remove(&w->slice);
        loop_hook_ask(w->loop, &w->hook);
}

/* After the events of others. */
static void go_on_later(Websocket *w) {
        if (!w->slice.link.next)
                loop_slice_add(w->loop, &w->slice, on_slice, w);
}

/* What is waiting belongs to no one any more. */
static bool throws_away(const Websocket *w) {
        return w->origin == WEBSOCKET_BY_US || w->origin == WEBSOCKET_BY_FAULT ||
               (w->paused && w->write_failed);
}

static void deliver(Websocket *w) {
        while (has_message(w) && (!w->paused || throws_away(w))) {
                MessageHead head;

                memcpy(&head, buf_data(&w->ready), sizeof(head));
                if (!throws_away(w))
                        w->ops->message((WebsocketKind) head.kind, buf_data(&w->ready) + sizeof(head),
                                        head.n, w->userdata);
                buf_consume(&w->ready, sizeof(head) + head.n);
        }
        if (w->ready.n == 0)
                buf_done(&w->ready);
}

/* The connection has ended, at a read: 0 or -errno. */
static void end_of_reading(Websocket *w, ssize_t error) {
        w->read_ended = true;
        if (w->write_failed)
                w->is_late = true; /* no close frame had a better reason */
        else
                websocket_begin_break(w, error < 0 ? transport_error(w->transport) :
                                                     "The connection was closed before a close frame came");
}

static bool may_receive(const Websocket *w) {
        return w->may_read && !w->read_ended && w->n_pongs <= WEBSOCKET_PONGS_MAX &&
               (!w->paused || throws_away(w));
}

static void receive(Websocket *w) {
        char bytes[WEBSOCKET_READ_MAX];
        size_t n_turn = 0;
        ssize_t n;

        for (;;) {
                deliver(w);
                if (!may_receive(w))
                        return;
                if (n_turn >= WEBSOCKET_TURN_MAX)
                        return go_on_later(w);
                n = transport_read(w->transport, bytes, sizeof(bytes));
                if (n == -EAGAIN) {
                        w->may_read = false;
                        return;
                }
                if (n <= 0)
                        return end_of_reading(w, n);
                n_turn += (size_t) n;
                websocket_feed(w, bytes, (size_t) n);
        }
}

static void receive_rest(Websocket *w) {
        if (w->rest.n == 0 || w->paused)
                return;
        websocket_feed(w, buf_data(&w->rest), w->rest.n);
        buf_done(&w->rest);
}

/* --- writing --- */

size_t websocket_queued(const Websocket *w) {
        return wslay_event_get_queued_msg_length(w->frames) +
               wslay_event_get_queued_msg_count(w->frames) * WEBSOCKET_QUEUE_ENTRY + w->out.n;
}

int websocket_send(Websocket *w, WebsocketKind kind, const char *p, size_t n) {
        size_t queued = websocket_queued(w);
        const struct wslay_event_msg m = {
                .opcode = (uint8_t) kind,
                .msg = (const uint8_t *) p,
                .msg_length = n,
        };
        int r;

        if (w->origin != WEBSOCKET_OPEN || w->write_failed)
                return -ENOTCONN;
        if (n > WEBSOCKET_QUEUE_MAX || queued > WEBSOCKET_QUEUE_MAX - n)
                return -ENOBUFS;
        r = wslay_event_queue_msg(w->frames, &m);
        if (r < 0)
                return r == WSLAY_ERR_NOMEM ? -ENOMEM : -ENOTCONN;
        if (queued == 0)
                w->wrote_at = loop_now(w->loop);
        loop_hook_ask(w->loop, &w->hook);
        w->is_full |= websocket_queued(w) > WEBSOCKET_QUEUE_HIGH;
        return w->is_full;
}

static void fail_to_write(Websocket *w) {
        w->write_failed = true;
        w->may_read = true;
        buf_done(&w->out);
        wslay_event_shutdown_write(w->frames);
        if (w->origin != WEBSOCKET_OPEN)
                return;
        (void) snprintf(w->cause, sizeof(w->cause), "%s", transport_error(w->transport));
        set_due(w);
}

static void send_out(Websocket *w) {
        size_t n_turn = 0;
        ssize_t n;

        while (w->may_write && !w->write_failed) {
                queue_close(w);
                websocket_fill(w);
                if (w->out.n == 0)
                        return buf_done(&w->out);
                if (n_turn >= WEBSOCKET_TURN_MAX)
                        return go_on_later(w);
                n = transport_write(w->transport, &(struct iovec){ buf_data(&w->out), w->out.n }, 1);
                if (n == -EAGAIN) {
                        w->may_write = false;
                        return;
                }
                if (n < 0)
                        return fail_to_write(w);
                buf_consume(&w->out, (size_t) n);
                n_turn += (size_t) n;
                w->wrote_at = loop_now(w->loop);
        }
}

/* --- the turn --- */

static void on_hook(void *userdata) {
        Websocket *w = userdata;
        bool had_pongs;

        if (!w->ops || w->is_over)
                return;
        receive_rest(w);
        receive(w);
        if (w->paused && w->hung_up && !w->is_client)
                websocket_begin_break(w, "The client has closed the connection");
        had_pongs = w->n_pongs > WEBSOCKET_PONGS_MAX;
        send_out(w);
        if (w->is_full && websocket_queued(w) <= WEBSOCKET_QUEUE_LOW && w->origin == WEBSOCKET_OPEN) {
                w->is_full = false;
                w->ops->drained(w->userdata);
        }
        if (is_at_end(w))
                finish(w);
        else if ((had_pongs || w->write_failed) && may_receive(w))
                loop_hook_ask(w->loop, &w->hook);
}

static void on_fd(uint32_t events, void *userdata) {
        Websocket *w = userdata;

        w->may_read |= (events & ~(uint32_t) EPOLLOUT) != 0;
        w->may_write |= (events & ~(uint32_t) EPOLLIN) != 0;
        w->hung_up |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        loop_hook_ask(w->loop, &w->hook);
}

/* --- time --- */

static usec_t silence_ends(const Websocket *w, usec_t now) {
        if (w->paused || w->n_pongs > WEBSOCKET_PONGS_MAX)
                return usec_add(now, w->times.silence); /* it is not read */
        return usec_add(w->heard_at, w->times.silence + (w->pinged ? w->times.answer : 0));
}

static void on_silence(Websocket *w) {
        static const struct wslay_event_msg ping = { .opcode = WSLAY_PING };

        if (w->pinged)
                return websocket_begin_break(w, "The peer is silent");
        w->pinged = true;
        if (websocket_queued(w) == 0)
                w->wrote_at = loop_now(w->loop);
        if (wslay_event_queue_msg(w->frames, &ping) < 0)
                return websocket_begin_break(w, "No memory for a ping");
        loop_hook_ask(w->loop, &w->hook);
}

static void on_timer(void *userdata) {
        Websocket *w = userdata;
        usec_t now = loop_now(w->loop), next = w->due;

        if (w->due == 0) {
                bool stalls = websocket_queued(w) > 0 && now >= usec_add(w->wrote_at, w->times.stall);

                if (stalls)
                        websocket_begin_break(w, "The peer reads nothing");
                else if (now >= silence_ends(w, now))
                        on_silence(w);
                if (w->due > 0)
                        return;
                next = usec_add(websocket_queued(w) > 0 ? w->wrote_at : now, w->times.stall);
                next = MIN(next, silence_ends(w, now));
        } else if (now >= w->due) {
                w->is_late = true;
                loop_hook_ask(w->loop, &w->hook);
                return;
        }
        set_timer(w, usec_sub(next, now));
}

/* --- from outside --- */

bool websocket_is_open(const Websocket *w) {
        return w->origin == WEBSOCKET_OPEN && !w->write_failed;
}

void websocket_pause(Websocket *w, bool paused) {
        if (w->paused == paused)
                return;
        w->paused = paused;
        w->heard_at = loop_now(w->loop);
        if (!paused)
                loop_hook_ask(w->loop, &w->hook);
}

void websocket_set_max(Websocket *w, size_t max) {
        assert(max <= WEBSOCKET_MESSAGE_MAX);

        w->max = max;
        wslay_event_config_set_max_recv_msg_length(w->frames, max);
}

void websocket_set_times(Websocket *w, const WebsocketTimes *t) {
        w->times = *t;
}

void websocket_start(Websocket *w, const WebsocketOps *ops, void *userdata) {
        assert(!w->ops);

        w->ops = ops;
        w->userdata = userdata;
        w->heard_at = w->wrote_at = loop_now(w->loop);
        if (w->due == 0)
                set_timer(w, MIN(w->times.silence, w->times.stall));
        loop_hook_ask(w->loop, &w->hook);
}

int websocket_new(Loop *loop, Transport *t, bool is_client, const char *rest, size_t n_rest,
                  Websocket **ret) {
        _cleanup_(websocket_freep) Websocket *w = NULL;
        int r;

        w = calloc(1, sizeof(Websocket));
        if (!w) {
                transport_free(t);
                return -ENOMEM;
        }
        *w = (Websocket){
                .loop = loop,
                .transport = t,
                .fd = LOOP_FD_NULL,
                .times = { WEBSOCKET_SILENCE, WEBSOCKET_ANSWER_TIME, WEBSOCKET_STALL, WEBSOCKET_CLOSE_TIME },
                .rest = BUF_INIT(SIZE_MAX / 2), /* what is there already */
                /* One message, the heads of the smallest ones that come with it, and a piece of the next. */
                .ready = BUF_INIT(WEBSOCKET_MESSAGE_MAX + sizeof(MessageHead) + 8 * WEBSOCKET_READ_MAX),
                .out = BUF_INIT(WEBSOCKET_READ_MAX),
                .may_read = true,
                .may_write = true,
        };
        loop_hook_add(loop, &w->hook, on_hook, w);
        r = websocket_frames_new(w, is_client);
        if (r >= 0)
                r = buf_append(&w->rest, rest, n_rest);
        if (r >= 0)
                r = loop_fd_add(loop, &w->fd, transport_fd(t),
                                EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, on_fd, w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

Websocket *websocket_free(Websocket *w) {
        if (!w)
                return NULL;
        loop_fd_remove(w->loop, &w->fd);
        loop_hook_remove(&w->hook);
        loop_slice_remove(&w->slice);
        timer_free(w->timer);
        wslay_event_context_free(w->frames);
        buf_done(&w->rest);
        buf_done(&w->ready);
        buf_done(&w->out);
        transport_free(w->transport);
        free(w);
        return NULL;
}
