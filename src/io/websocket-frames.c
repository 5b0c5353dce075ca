/* SPDX-License-Identifier: MIT */

/*
 * libwslay reads and writes the frames. It gets at most WEBSOCKET_READ_MAX bytes at a time and keeps nothing
 * of a message (no_buffering): left to itself it would allocate what a frame declares before any of it has
 * come. The bytes of messages go to `ready`, each behind a MessageHead. At the end of `ready` there may be a
 * message that is not complete.
 *
 * It takes a close frame for wrong that comes in two pieces, the first of them with half the code, so it
 * gets heads and control frames only whole: on_recv() cuts what has come into frames.
 *
 * Without buffering, libwslay compares only single frames with the largest message, so that is done here for
 * messages of several. It has no limit for pongs that wait: they are counted.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/limits-websocket.h"
#include "base/text.h"
#include "io/websocket-internal.h"

/* What a peer sent is shown to people: no control character, of which U+0080 to U+009F have two bytes. */
static void clean_reason(Websocket *w) {
        for (size_t i = 0; i < w->n_reason; i++) {
                unsigned char *p = (unsigned char *) w->reason + i;

                if (*p < 0x20 || *p == 0x7f)
                        *p = ' ';
                else if (*p == 0xc2 && p[1] < 0xa0)
                        p[0] = p[1] = ' ';
        }
}

static ssize_t would_block(wslay_event_context_ptr frames) {
        wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
        return -1;
}

static bool is_control(uint8_t opcode) {
        return opcode & 8;
}

/* How many bytes libwslay gets at once: a head, or a whole control frame. At first, as many as show more. */
static size_t head_size(const Websocket *w) {
        size_t n = 2, length;

        if (w->n_head < n)
                return n;
        length = w->head[1] & 0x7f;
        n += (w->head[1] & 0x80 ? 4 : 0) + (length == 127 ? 8 : length == 126 ? 2 : 0);
        return n + (is_control(w->head[0]) && length < 126 ? length : 0);
}

/* Of a frame whose head is complete; libwslay refuses a length that is not valid. */
static uint64_t payload_length(const Websocket *w) {
        size_t length = w->head[1] & 0x7f, n = length == 127 ? 8 : length == 126 ? 2 : 0;
        uint64_t k = 0;

        if (n == 0)
                return is_control(w->head[0]) ? 0 : length;
        for (size_t i = 0; i < n; i++)
                k = k << 8 | w->head[2 + i];
        return k;
}

static ssize_t on_recv(wslay_event_context_ptr frames, uint8_t *p, size_t n, int flags _unused_,
                       void *userdata) {
        Websocket *w = userdata;
        size_t k = (size_t) MIN((uint64_t) MIN(n, w->n_in), w->n_left);

        if (k > 0) {
                memcpy(p, w->in, k);
                w->in += k;
                w->n_in -= k;
                w->n_left -= k;
                return (ssize_t) k;
        }
        while (w->n_left == 0 && w->n_in > 0 && w->n_head < head_size(w)) {
                w->head[w->n_head++] = (uint8_t) *w->in++;
                w->n_in--;
        }
        k = w->n_head;
        if (w->n_left > 0 || k < head_size(w) || k > n)
                return would_block(frames);
        memcpy(p, w->head, k);
        w->n_left = payload_length(w);
        w->n_head = 0;
        return (ssize_t) k;
}

static ssize_t on_send(wslay_event_context_ptr frames, const uint8_t *p, size_t n, int flags _unused_,
                       void *userdata) {
        Websocket *w = userdata;
        size_t k = MIN(n, w->out.max - w->out.n);

        if (k == 0)
                return would_block(frames);
        if (buf_append(&w->out, p, k) < 0) {
                wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
                return -1;
        }
        return (ssize_t) k;
}

static int on_mask(wslay_event_context_ptr frames, uint8_t *p, size_t n, void *userdata _unused_) {
        if (getrandom(p, n, 0) == (ssize_t) n)
                return 0;
        wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
}

/* What has come is wrong, or cannot be kept; the frame's other calls follow. */
static void refuse(Websocket *w, unsigned code, const char *cause) {
        (void) wslay_event_queue_close(w->frames, (uint16_t) code, NULL, 0);
        wslay_event_shutdown_read(w->frames);
        websocket_begin_end(w, WEBSOCKET_BY_FAULT, code, cause);
}

static void on_frame(wslay_event_context_ptr frames _unused_,
                     const struct wslay_event_on_frame_recv_start_arg *arg, void *userdata) {
        Websocket *w = userdata;

        w->opcode = arg->opcode;
        if (is_control(arg->opcode))
                return;
        if (w->n_open == 0) {
                MessageHead head = { .kind = arg->opcode };

                if (buf_append(&w->ready, &head, sizeof(head)) < 0)
                        return refuse(w, WEBSOCKET_CODE_INTERNAL, "No memory for a message");
                w->n_open = sizeof(head);
        }
        if (arg->payload_length > w->max - (w->n_open - sizeof(MessageHead)))
                refuse(w, WEBSOCKET_CODE_TOO_LARGE, "A message is too large");
}

static void on_piece(wslay_event_context_ptr frames _unused_,
                     const struct wslay_event_on_frame_recv_chunk_arg *arg, void *userdata) {
        Websocket *w = userdata;

        if (is_control(w->opcode) || w->origin == WEBSOCKET_BY_FAULT)
                return;
        if (buf_append(&w->ready, arg->data, arg->data_length) < 0)
                return refuse(w, WEBSOCKET_CODE_INTERNAL, "No memory for a message");
        w->n_open += arg->data_length;
}

static void on_close_frame(Websocket *w, const struct wslay_event_on_msg_recv_arg *arg) {
        size_t n = arg->msg_length > 2 ? MIN(arg->msg_length - 2, (size_t) WEBSOCKET_REASON_MAX) : 0;

        if (w->origin != WEBSOCKET_OPEN)
                return;
        /* libwslay looks at neither, and has queued the same as its answer. */
        if (arg->msg_length == 1)
                return refuse(w, WEBSOCKET_CODE_PROTOCOL, "A close frame has half a code");
        if (!text_is_utf8((const char *) arg->msg + arg->msg_length - n, n))
                return refuse(w, WEBSOCKET_CODE_NOT_UTF8, "The reason of a close frame is not UTF-8");
        websocket_keep_reason(w, n > 0 ? (const char *) arg->msg + 2 : "", n);
        clean_reason(w);
        websocket_begin_end(w, WEBSOCKET_BY_PEER,
                            arg->msg_length >= 2 ? arg->status_code : WEBSOCKET_CODE_NONE, "");
}

static void on_message(wslay_event_context_ptr frames _unused_,
                       const struct wslay_event_on_msg_recv_arg *arg, void *userdata) {
        Websocket *w = userdata;
        MessageHead head = { .kind = arg->opcode };

        if (arg->opcode == WSLAY_CONNECTION_CLOSE)
                return on_close_frame(w, arg);
        if (arg->opcode == WSLAY_PING)
                w->n_pongs++;
        if (is_control(arg->opcode) || w->origin == WEBSOCKET_BY_FAULT)
                return;
        head.n = (uint32_t) (w->n_open - sizeof(head));
        memcpy(buf_data(&w->ready) + w->ready.n - w->n_open, &head, sizeof(head));
        w->n_open = 0;
}

void websocket_feed(Websocket *w, const char *p, size_t n) {
        bool was_empty = websocket_queued(w) == 0;
        int r;

        w->heard_at = loop_now(w->loop);
        w->pinged = false;
        if (!wslay_event_get_read_enabled(w->frames))
                return; /* it is thrown away */
        w->in = p;
        w->n_in = n;
        r = wslay_event_recv(w->frames);
        w->in = NULL;
        w->n_in = 0;
        if (was_empty) /* pongs may be queued */
                w->wrote_at = w->heard_at;
        if (r == WSLAY_ERR_NOMEM)
                return websocket_begin_break(w, "No memory for a frame");
        /* A head that is no frame's: libwslay has queued a close frame without a code. */
        if (r < 0)
                return websocket_begin_end(w, WEBSOCKET_BY_FAULT, WEBSOCKET_CODE_PROTOCOL,
                                           "The head of a frame is not valid");
        if (!wslay_event_get_read_enabled(w->frames))
                websocket_begin_end(w, WEBSOCKET_BY_FAULT, 0, "");
}

void websocket_fill(Websocket *w) {
        size_t before = wslay_event_get_queued_msg_count(w->frames), after;

        if (!wslay_event_want_write(w->frames))
                return;
        if (wslay_event_send(w->frames) < 0)
                return websocket_begin_break(w, "No memory for a frame");
        after = wslay_event_get_queued_msg_count(w->frames);
        w->n_pongs -= MIN(w->n_pongs, after == 0 ? SIZE_MAX : before - after);
}

int websocket_frames_new(Websocket *w, bool is_client) {
        static const struct wslay_event_callbacks callbacks = {
                .recv_callback = on_recv,
                .send_callback = on_send,
                .genmask_callback = on_mask,
                .on_frame_recv_start_callback = on_frame,
                .on_frame_recv_chunk_callback = on_piece,
                .on_msg_recv_callback = on_message,
        };

        if ((is_client ? wslay_event_context_client_init : wslay_event_context_server_init)(
                    &w->frames, &callbacks, w) < 0)
                return -ENOMEM;
        wslay_event_config_set_no_buffering(w->frames, 1);
        w->is_client = is_client;
        websocket_set_max(w, WEBSOCKET_MESSAGE_MAX);
        return 0;
}
