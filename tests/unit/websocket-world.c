/* SPDX-License-Identifier: MIT */
#include "websocket-world.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/text.h"

static void on_message(WebsocketKind kind, const char *p, size_t n, void *userdata) {
        End *e = userdata;

        assert_int_equal(e->n_closed, 0);
        e->n_messages++;
        e->n_bytes += n;
        if (!e->counts) {
                assert_int_equal(buf_putc(&e->heard, kind == WEBSOCKET_TEXT ? 't' : 'b'), 0);
                assert_int_equal(buf_append(&e->heard, p, n), 0);
                assert_int_equal(buf_putc(&e->heard, '|'), 0);
        }
        if (e->code_back)
                websocket_close(e->w, e->code_back, "as asked");
        if (e->pauses)
                websocket_pause(e->w, true);
        if (e->relay_to && e->relay_to->w && websocket_is_open(e->relay_to->w)) {
                int r = websocket_send(e->relay_to->w, kind, p, n);

                assert_true(r >= 0);
                websocket_pause(e->w, r > 0);
        }
}

static void on_drained(void *userdata) {
        End *e = userdata;

        e->n_drained++;
        assert_true(websocket_queued(e->w) <= WEBSOCKET_QUEUE_LOW);
}

static void on_closed(const WebsocketEnd *end, void *userdata) {
        End *e = userdata;

        assert_int_equal(e->n_closed++, 0);
        assert_true(end->origin != WEBSOCKET_OPEN);
        e->origin = end->origin;
        e->code = end->code;
        text_copy(e->reason, sizeof(e->reason), end->reason);
        text_copy(e->cause, sizeof(e->cause), end->cause);
        assert_null(strpbrk(e->cause, "\r\n"));
        if (e->frees)
                e->w = websocket_free(e->w);
}

void end_open(End *e, Loop *loop, int fd, bool is_client, const void *rest, size_t n_rest) {
        Transport *t;

        *e = (End){ .loop = loop, .heard = BUF_INIT(HEARD_MAX), .frees = true };
        assert_int_equal(transport_new(fd, NULL, &t), 0);
        assert_int_equal(websocket_new(loop, t, is_client, rest, n_rest, &e->w), 0);
}

void end_start(End *e) {
        static const WebsocketOps ops = { on_message, on_drained, on_closed };

        websocket_start(e->w, &ops, e);
}

void end_free(End *e) {
        e->w = websocket_free(e->w);
        buf_done(&e->heard);
}

void world_turn(Loop *loop) {
        assert_true(sd_event_run(loop_event(loop), 10 * USEC_PER_MSEC) >= 0);
}

/* --- raw bytes --- */

void raw_pair(int ret[static 2]) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret), 0);
}

void raw_send(int fd, const void *p, size_t n) {
        assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

bool raw_read(int fd, Buf *b) {
        char p[16384];
        ssize_t n;

        while ((n = recv(fd, p, sizeof(p), 0)) > 0)
                assert_int_equal(buf_append(b, p, (size_t) n), 0);
        return n < 0 && errno == EAGAIN;
}

/* --- frames --- */

static const uint8_t mask[4] = { 0x12, 0x34, 0xf5, 0x07 };

void frame_append(Buf *b, unsigned first, bool masked, const void *p, size_t n) {
        uint8_t head[14] = { (uint8_t) first }, *at = head + 2;
        const uint8_t *s = p;

        head[1] = masked ? 0x80 : 0;
        if (n < 126)
                head[1] |= (uint8_t) n;
        else if (n < 65536) {
                head[1] |= 126;
                *at++ = (uint8_t) (n >> 8);
                *at++ = (uint8_t) n;
        } else {
                head[1] |= 127;
                for (int i = 56; i >= 0; i -= 8)
                        *at++ = (uint8_t) (n >> i);
        }
        if (masked) {
                memcpy(at, mask, sizeof(mask));
                at += sizeof(mask);
        }
        assert_int_equal(buf_append(b, head, (size_t) (at - head)), 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(buf_putc(b, (char) (masked ? s[i] ^ mask[i % 4] : s[i])), 0);
}

bool frame_take(Buf *b, unsigned *ret_first, bool *ret_masked, Buf *ret) {
        const uint8_t *p = (const uint8_t *) buf_data(b);
        size_t at = 2, n, n_mask;

        if (b->n < 2)
                return false;
        n = p[1] & 0x7f;
        if (n >= 126) {
                size_t n_length = n == 126 ? 2 : 8;

                if (b->n < at + n_length)
                        return false;
                n = 0;
                for (size_t i = 0; i < n_length; i++)
                        n = n << 8 | p[at + i];
                at += n_length;
        }
        *ret_masked = p[1] & 0x80;
        n_mask = *ret_masked ? 4 : 0;
        if (b->n < at + n_mask + n)
                return false;
        *ret_first = p[0];
        for (size_t i = 0; i < n; i++)
                assert_int_equal(
                        buf_putc(ret, (char) (p[at + n_mask + i] ^ (n_mask > 0 ? p[at + i % 4] : 0))), 0);
        buf_consume(b, at + n_mask + n);
        return true;
}
