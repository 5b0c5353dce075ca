/* SPDX-License-Identifier: MIT */

/* A WebSocket of either role against raw bytes, and both against each other. */

#include "websocket-world.h"

#include <sys/socket.h>

#include "base/text.h"

#define TEXT 0x81U
#define BINARY 0x82U
#define PING 0x89U
#define PONG 0x8aU
#define CLOSE 0x88U

typedef struct World {
        Loop *loop;
        End end;
        int fd; /* the other end's */
        Buf in; /* that has come there */
} World;

static void open_world(World *w, bool is_client) {
        int fds[2];

        raw_pair(fds);
        w->fd = fds[1];
        w->in = BUF_INIT(64U << 20);
        end_open(&w->end, w->loop, fds[0], is_client, NULL, 0);
        end_start(&w->end);
}

static void close_world(World *w) {
        end_free(&w->end);
        buf_done(&w->in);
        w->fd = safe_close(w->fd);
}

static int setup(void **state) {
        World *w = calloc(1, sizeof(World));

        assert_non_null(w);
        w->fd = -1;
        assert_int_equal(loop_new(&w->loop), 0);
        *state = w;
        return 0;
}

static int teardown(void **state) {
        World *w = *state;

        close_world(w);
        loop_free(w->loop);
        free(w);
        return 0;
}

static bool hears(World *w) {
        return raw_read(w->fd, &w->in);
}

/* Waits for a frame of the WebSocket, and compares it. */
static void expect(World *w, unsigned first, const void *p, size_t n, bool is_client) {
        _cleanup_buf_ Buf payload = BUF_INIT(64U << 20);
        unsigned got = 0;
        bool masked = false;

        TURN_UNTIL(w->loop, (hears(w), frame_take(&w->in, &got, &masked, &payload)));
        assert_int_equal(got, first);
        assert_int_equal(masked, is_client);
        assert_int_equal(payload.n, n);
        if (n > 0)
                assert_memory_equal(buf_data(&payload), p, n);
}

static void say(World *w, unsigned first, bool masked, const void *p, size_t n) {
        _cleanup_buf_ Buf b = BUF_INIT(64U << 20);

        frame_append(&b, first, masked, p, n);
        raw_send(w->fd, buf_data(&b), b.n);
}

/* --- messages --- */

static void test_messages(void **state) {
        for (unsigned i = 0; i < 4; i++) {
                World *w = *state;
                bool is_client = i & 1, is_torn = i & 2;
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                char large[300];

                memset(large, 'x', sizeof(large));
                open_world(w, is_client);
                frame_append(&b, TEXT, !is_client, "h\xc3\xa9llo", 6);
                frame_append(&b, BINARY, !is_client, "\0\xff", 2);
                frame_append(&b, TEXT, !is_client, "", 0);
                /* in fragments, one of which ends within a character, with a ping and a pong between them */
                frame_append(&b, 0x01, !is_client, "a\xe2", 2);
                frame_append(&b, PING, !is_client, "hi", 2);
                frame_append(&b, 0x00, !is_client, "", 0);
                frame_append(&b, PONG, !is_client, "", 0);
                frame_append(&b, 0x80, !is_client, "\x82\xac", 2);
                frame_append(&b, BINARY, !is_client, large, sizeof(large));
                for (size_t at = 0; is_torn && at < b.n; at++) {
                        raw_send(w->fd, buf_data(&b) + at, 1);
                        world_turn(w->loop);
                }
                if (!is_torn)
                        raw_send(w->fd, buf_data(&b), b.n);
                TURN_UNTIL(w->loop, w->end.n_messages == 5);
                assert_memory_equal(buf_data(&w->end.heard),
                                    "th\xc3\xa9llo|b\0\xff|t|ta\xe2\x82\xac|b", 21);
                assert_int_equal(w->end.n_bytes, 6 + 2 + 0 + 4 + 300);
                expect(w, PONG, "hi", 2, is_client);

                assert_int_equal(websocket_send(w->end.w, WEBSOCKET_TEXT, "answer", 6), 0);
                expect(w, TEXT, "answer", 6, is_client);
                assert_int_equal(websocket_send(w->end.w, WEBSOCKET_BINARY, large, sizeof(large)), 0);
                expect(w, BINARY, large, sizeof(large), is_client);
                assert_int_equal(websocket_send(w->end.w, WEBSOCKET_TEXT, "", 0), 0);
                expect(w, TEXT, "", 0, is_client);
                assert_int_equal(w->end.n_closed, 0);
                close_world(w);
        }
}

/* What came behind the head of HTTP is read before the socket, and not before the start. */
static void test_rest(void **state) {
        World *w = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1000);
        int fds[2];

        frame_append(&b, TEXT, true, "first", 5);
        raw_pair(fds);
        w->fd = fds[1];
        end_open(&w->end, w->loop, fds[0], false, buf_data(&b), b.n - 2);
        raw_send(w->fd, buf_data(&b) + b.n - 2, 2);
        say(w, TEXT, true, "second", 6);
        for (unsigned i = 0; i < 3; i++)
                world_turn(w->loop);
        assert_int_equal(w->end.n_messages, 0);
        end_start(&w->end);
        TURN_UNTIL(w->loop, w->end.n_messages == 2);
        assert_memory_equal(buf_data(&w->end.heard), "tfirst|tsecond|", 15);
}

/* --- what is wrong --- */

static void append_hex(Buf *b, const char *hex) {
        for (; *hex; hex += *hex == ' ' ? 1 : 2)
                if (*hex != ' ')
                        assert_int_equal(
                                buf_putc(b, (char) (text_unhex(hex[0]) << 4 | text_unhex(hex[1]))), 0);
}

/* `code`: 0: there is none; 1: any. */
static void check_code(const char *what, const Buf *payload, unsigned code) {
        const uint8_t *p = (const uint8_t *) buf_data(payload);
        unsigned got = payload->n >= 2 ? (unsigned) p[0] << 8 | p[1] : 0;

        if (code != 1 && got != code)
                fail_msg("%s: the close frame has %u", what, got);
}

static void test_violations(void **state) {
        static const struct {
                const char *what, *bytes; /* hexadecimal; to a server: masked by zeros, if they are masked */
                unsigned code;
                bool is_client, is_bare, is_echoed; /* no code; the peer's own */
        } rows[] = {
                { "no mask", "81 01 61", 1002, false },
                { "no mask, control", "89 00", 1002, false },
                { "a mask from a server", "81 81 00000000 61", 1002, true },
                { "RSV1", "c1 81 00000000 61", 1002, false },
                { "RSV2", "a1 81 00000000 61", 1002, false },
                { "RSV3", "91 81 00000000 61", 1002, false },
                { "RSV1 of a control frame", "c9 80 00000000", 1002, false },
                { "RSV1 of a continuation", "01 81 00000000 61 c0 81 00000000 61", 1002, false },
                { "RSV1, client", "c1 01 61", 1002, true },
                { "opcode 3", "83 81 00000000 61", 1002, false },
                { "opcode 7", "87 80 00000000", 1002, false },
                { "opcode 11", "8b 80 00000000", 1002, false },
                { "opcode 15", "8f 80 00000000", 1002, false },
                { "a continuation of nothing", "80 81 00000000 61", 1002, false },
                { "a continuation of nothing, not the last", "00 81 00000000 61", 1002, false },
                { "a continuation behind a whole message", "81 81 00000000 61 80 80 00000000", 1002, false },
                { "a message within a message", "01 81 00000000 61 81 81 00000000 61", 1002, false },
                { "a fragmented ping", "09 80 00000000", 1002, false, true },
                { "a fragmented close", "08 80 00000000", 1002, false, true },
                { "a ping of 126 bytes", "89 fe 007e 00000000", 1002, false, true },
                { "a close with one byte", "88 81 00000000 03", 1002, false, true, true },
                { "code 999", "88 82 00000000 03e7", 1002, false },
                { "code 1004", "88 82 00000000 03ec", 1002, false },
                { "code 1005", "88 82 00000000 03ed", 1002, false },
                { "code 1006", "88 82 00000000 03ee", 1002, false },
                { "code 1015", "88 82 00000000 03f7", 1002, false },
                { "code 2000", "88 82 00000000 07d0", 1002, false },
                { "code 5000", "88 82 00000000 1388", 1002, false },
                { "code 0", "88 82 00000000 0000", 1002, false },
                { "a reason that is not UTF-8", "88 83 00000000 03e8 ff", 1007, false, false, true },
                { "a reason of half a character", "88 83 00000000 03e8 c3", 1007, false, false, true },
                { "a length that fits into 7 bits in 16", "82 fe 0001 00000000", 1002, false, true },
                { "a length of 16 bits in 64", "82 ff 000000000000ffff 00000000", 1002, false, true },
                { "a length of 2^63", "82 ff 8000000000000000 00000000", 1002, false, true },
                /* A head counts with the first byte behind it. */
                { "a length of 2^62", "82 ff 4000000000000000 00000000 61", 1009, false },
                { "a length of 2^62, client", "82 7f 4000000000000000 61", 1009, true },
                { "a message of one byte too many", "82 ff 0000000001000001 00000000 61", 1009, false },
                { "too many bytes in two", "02 81 00000000 61 80 ff 0000000001000000 00000000 61",
                  1009, false },
                { "the same with a ping before", "89 80 00000000 82 ff 7fffffffffffffff 00000000 61", 1009,
                  false },
                { "not UTF-8", "81 81 00000000 ff", 1007, false },
                { "a surrogate", "81 83 00000000 eda080", 1007, false },
                { "an overlong slash", "81 82 00000000 c0af", 1007, false },
                { "above U+10FFFF", "81 84 00000000 f4908080", 1007, false },
                { "ends within a character", "81 81 00000000 e2", 1007, false },
                { "ends within a character, in fragments", "01 81 00000000 e2 80 80 00000000", 1007, false },
                { "not UTF-8, in the second fragment", "01 81 00000000 61 00 81 00000000 ff", 1007, false },
        };

        for (size_t i = 0; i < 2 * ELEMENTSOF(rows); i++) {
                size_t k = i / 2;
                World *w = *state;
                _cleanup_buf_ Buf b = BUF_INIT(1000), payload = BUF_INIT(1000);
                unsigned first = 0, before;
                bool masked, found = false;

                open_world(w, rows[k].is_client);
                append_hex(&b, rows[k].bytes);
                if (i % 2 == 0)
                        raw_send(w->fd, buf_data(&b), b.n);
                else
                        for (size_t at = 0; at < b.n; at++) {
                                raw_send(w->fd, buf_data(&b) + at, 1);
                                world_turn(w->loop);
                        }
                while (!found) {
                        buf_clear(&payload);
                        TURN_UNTIL(w->loop, (hears(w), frame_take(&w->in, &first, &masked, &payload)));
                        found = first == CLOSE;
                        if (!found && first != PONG)
                                fail_msg("%s: a frame %x", rows[k].what, first);
                }
                check_code(rows[k].what, &payload,
                           rows[k].is_bare   ? 0 :
                           rows[k].is_echoed ? 1 :
                                               rows[k].code);
                /* What comes now is read and thrown away, so that the peer gets the close frame. */
                before = (unsigned) w->end.n_messages;
                assert_int_equal(w->end.n_closed, 0);
                say(w, TEXT, !rows[k].is_client, "more", 4);
                for (unsigned j = 0; j < 3; j++)
                        world_turn(w->loop);
                (void) shutdown(w->fd, SHUT_WR);
                TURN_UNTIL(w->loop, w->end.n_closed == 1);
                if (w->end.origin != WEBSOCKET_BY_FAULT || w->end.code != rows[k].code || !w->end.cause[0] ||
                    w->end.n_messages != before)
                        fail_msg("%s: origin %d, code %u, %s", rows[k].what, w->end.origin, w->end.code,
                                 w->end.cause);
                close_world(w);
        }
}

/* A declared length takes no memory. */
static void test_largest_message(void **state) {
        World *w = *state;
        _cleanup_free_ char *large = calloc(1, WEBSOCKET_MESSAGE_MAX);
        _cleanup_buf_ Buf b = BUF_INIT(64U << 20);
        size_t at = 0;

        assert_non_null(large);
        open_world(w, false);
        w->end.counts = true;
        frame_append(&b, 0x02, true, large, WEBSOCKET_MESSAGE_MAX - 1);
        frame_append(&b, 0x80, true, large, 1);
        frame_append(&b, TEXT, true, "x", 1);
        while (at < b.n) {
                ssize_t n = send(w->fd, buf_data(&b) + at, b.n - at, MSG_NOSIGNAL);

                if (n > 0)
                        at += (size_t) n;
                world_turn(w->loop);
        }
        TURN_UNTIL(w->loop, w->end.n_messages == 2);
        assert_int_equal(w->end.n_bytes, WEBSOCKET_MESSAGE_MAX + 1);
        assert_int_equal(w->end.n_closed, 0);
}

/* --- the end --- */

static void test_peer_closes(void **state) {
        static const struct {
                const char *payload;
                size_t n;
                unsigned code;
                const char *reason;
        } rows[] = {
                { "", 0, 1005, "" },
                { "\x03\xe8", 2, 1000, "" },
                { "\x03\xe9" "bye", 5, 1001, "bye" },
                { "\x03\xf0" "a\r\nb\x7f\xc2\x85\xc3\xa9", 11, 1008, "a  b   \xc3\xa9" },
                { "\x0f\xa0", 2, 4000, "" },
                { "\x0b\xb8", 2, 3000, "" },
                { "\x03\xf3", 2, 1011, "" },
        };

        /* A cut at each byte of the longest. */
        for (size_t i = 0; i < 2 * ELEMENTSOF(rows) * 17; i++) {
                bool is_client = i % 2;
                size_t k = i / 2 % ELEMENTSOF(rows), cut = i / 2 / ELEMENTSOF(rows);
                World *w = *state;
                _cleanup_buf_ Buf b = BUF_INIT(1000), payload = BUF_INIT(1000);
                unsigned first;
                bool masked;

                open_world(w, is_client);
                say(w, TEXT, !is_client, "last", 4);
                frame_append(&b, CLOSE, !is_client, rows[k].payload, rows[k].n);
                cut = MIN(cut, b.n);
                raw_send(w->fd, buf_data(&b), cut);
                for (unsigned j = 0; j < 3; j++)
                        world_turn(w->loop);
                if (cut < b.n)
                        raw_send(w->fd, buf_data(&b) + cut, b.n - cut);
                TURN_UNTIL(w->loop, w->end.n_closed == 1);
                assert_int_equal(w->end.origin, WEBSOCKET_BY_PEER);
                assert_int_equal(w->end.code, rows[k].code);
                assert_string_equal(w->end.reason, rows[k].reason);
                assert_string_equal(w->end.cause, "");
                assert_int_equal(w->end.n_messages, 1);
                assert_false(hears(w));
                assert_true(frame_take(&w->in, &first, &masked, &payload));
                assert_int_equal(first, CLOSE);
                assert_int_equal(w->in.n, 0);
                close_world(w);
        }
}

static void test_we_close(void **state) {
        static const struct {
                unsigned code;
                const char *reason;
                const char *frame;
                size_t n;
        } rows[] = {
                { 1000, "", "\x03\xe8", 2 },
                { 1008, "no", "\x03\xf0no", 4 },
                { 1005, "none", "", 0 },
                { 1006, "", "\x03\xf3", 2 },
                { 4123, "x", "\x10\x1bx", 3 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                World *w = *state;
                const char *large = "0123456789";

                open_world(w, false);
                assert_int_equal(websocket_send(w->end.w, WEBSOCKET_TEXT, large, 10), 0);
                websocket_close(w->end.w, rows[i].code, rows[i].reason);
                websocket_close(w->end.w, 1000, "again");
                assert_false(websocket_is_open(w->end.w));
                assert_int_equal(websocket_send(w->end.w, WEBSOCKET_TEXT, "x", 1), -ENOTCONN);
                /* what was queued comes first */
                expect(w, TEXT, large, 10, false);
                expect(w, CLOSE, rows[i].frame, rows[i].n, false);
                /* and messages that come now are thrown away */
                say(w, TEXT, true, "late", 4);
                world_turn(w->loop);
                assert_int_equal(w->end.n_closed, 0);
                say(w, CLOSE, true, rows[i].frame, rows[i].n);
                TURN_UNTIL(w->loop, w->end.n_closed == 1);
                assert_int_equal(w->end.n_messages, 0);
                assert_int_equal(w->end.origin, WEBSOCKET_BY_US);
                assert_int_equal(w->end.code, rows[i].code == 1006 ? 1011 : rows[i].code);
                assert_string_equal(w->end.cause, "");
                close_world(w);
        }
}

/* A reason that is too long is cut at a character's end. */
static void test_long_reason(void **state) {
        World *w = *state;
        char reason[200], frame[2 + WEBSOCKET_REASON_MAX] = "\x03\xe8";

        memset(reason, 'a', sizeof(reason));
        memcpy(reason + 121, "\xe2\x82\xac", 3);
        reason[199] = 0;
        memset(frame + 2, 'a', 121);
        open_world(w, true);
        websocket_close(w->end.w, 1000, reason);
        expect(w, CLOSE, frame, 123, true);
        close_world(w);
        open_world(w, true);
        memset(reason, 'a', sizeof(reason) - 1);
        websocket_close(w->end.w, 1000, reason);
        memset(frame + 2, 'a', 123);
        expect(w, CLOSE, frame, 125, true);
}

static const WebsocketTimes impatient = {
        .silence = 50 * USEC_PER_MSEC,
        .answer = 50 * USEC_PER_MSEC,
        .stall = 50 * USEC_PER_MSEC,
        .close = 50 * USEC_PER_MSEC,
};

static void open_impatient(World *w, const WebsocketTimes *t) {
        int fds[2];

        raw_pair(fds);
        w->fd = fds[1];
        w->in = BUF_INIT(64U << 20);
        end_open(&w->end, w->loop, fds[0], false, NULL, 0);
        websocket_set_times(w->end.w, t);
        end_start(&w->end);
}

static void test_close_is_not_answered(void **state) {
        World *w = *state;

        open_impatient(w, &impatient);
        websocket_close(w->end.w, 1001, "");
        TURN_UNTIL(w->loop, w->end.n_closed == 1);
        assert_int_equal(w->end.origin, WEBSOCKET_BY_US);
        assert_int_equal(w->end.code, 1001);
        assert_string_not_equal(w->end.cause, "");
}

static void test_breaks(void **state) {
        for (unsigned i = 0; i < 3; i++) {
                World *w = *state;

                open_world(w, false);
                if (i > 0)
                        say(w, TEXT, true, "last", 4);
                if (i == 2)
                        say(w, 0x01, true, "half", 4);
                w->fd = safe_close(w->fd);
                TURN_UNTIL(w->loop, w->end.n_closed == 1);
                assert_int_equal(w->end.origin, WEBSOCKET_BY_BREAK);
                assert_int_equal(w->end.code, 1006);
                assert_string_not_equal(w->end.cause, "");
                assert_int_equal(w->end.n_messages, i > 0);
                close_world(w);
        }
}

/* The peer closes with a code, and what we write then fails: the code is read nevertheless. */
static void test_code_behind_a_failed_write(void **state) {
        World *w = *state;

        open_world(w, true);
        websocket_pause(w->end.w, true);
        world_turn(w->loop);
        say(w, TEXT, false, "last", 4);
        say(w, CLOSE, false, "\x03\xf0quota", 7);
        w->fd = safe_close(w->fd);
        websocket_pause(w->end.w, false);
        assert_int_equal(websocket_send(w->end.w, WEBSOCKET_TEXT, "x", 1), 0);
        TURN_UNTIL(w->loop, w->end.n_closed == 1);
        assert_int_equal(w->end.origin, WEBSOCKET_BY_PEER);
        assert_int_equal(w->end.code, 1008);
        assert_string_equal(w->end.reason, "quota");
        assert_int_equal(w->end.n_messages, 1);
}

static void test_silence(void **state) {
        WebsocketTimes t = impatient;
        World *w = *state;

        t.answer = USEC_PER_SEC;
        open_impatient(w, &t);
        expect(w, PING, "", 0, false);
        say(w, PONG, true, "", 0);
        expect(w, PING, "", 0, false);
        say(w, TEXT, true, "hi", 2);
        expect(w, PING, "", 0, false);
        assert_int_equal(w->end.n_closed, 0);
        TURN_UNTIL(w->loop, w->end.n_closed == 1);
        assert_int_equal(w->end.origin, WEBSOCKET_BY_BREAK);
        assert_string_equal(w->end.cause, "The peer is silent");
        assert_int_equal(w->end.n_messages, 1);
}

/* --- back-pressure --- */

static void test_pause(void **state) {
        World *w = *state;

        open_world(w, false);
        w->end.pauses = true;
        for (unsigned i = 0; i < 5; i++)
                say(w, TEXT, true, "abc", 3);
        for (unsigned i = 1; i <= 5; i++) {
                TURN_UNTIL(w->loop, w->end.n_messages == i);
                for (unsigned j = 0; j < 3; j++)
                        world_turn(w->loop);
                assert_int_equal(w->end.n_messages, i);
                websocket_pause(w->end.w, false);
        }
        /* paused again, it holds back the peer */
        websocket_pause(w->end.w, true);
        w->end.counts = true;
        for (unsigned turns = 0; turns < 10;) {
                char p[4096] = {};

                if (send(w->fd, p, sizeof(p), MSG_NOSIGNAL) < 0)
                        turns++, world_turn(w->loop);
        }
        assert_int_equal(w->end.n_closed, 0);
}

/* The queue has two marks and a ceiling, and a drained() between them. */
static void test_queue(void **state) {
        static char piece[64 << 10];
        World *w = *state;
        _cleanup_free_ char *large = calloc(1, WEBSOCKET_MESSAGE_MAX);
        size_t n = 0;
        int r = 0;

        assert_non_null(large);
        open_world(w, true);
        while (r == 0) {
                r = websocket_send(w->end.w, WEBSOCKET_BINARY, piece, sizeof(piece));
                assert_true(r >= 0);
                n++;
        }
        assert_int_equal(n, WEBSOCKET_QUEUE_HIGH / sizeof(piece));
        /* one more message of any size has room */
        assert_int_equal(websocket_send(w->end.w, WEBSOCKET_BINARY, large, WEBSOCKET_MESSAGE_MAX), 1);
        assert_int_equal(websocket_send(w->end.w, WEBSOCKET_BINARY, large, WEBSOCKET_MESSAGE_MAX), -ENOBUFS);
        /* and so many small ones, but not without an end */
        for (n = 0; (r = websocket_send(w->end.w, WEBSOCKET_TEXT, "", 0)) == 1; n++)
                ;
        assert_int_equal(r, -ENOBUFS);
        assert_true(n >= WEBSOCKET_READ_MAX / 4 && n <= WEBSOCKET_READ_MAX);
        assert_int_equal(w->end.n_drained, 0);
        TURN_UNTIL(w->loop, (hears(w), buf_clear(&w->in), w->end.n_drained == 1));
        assert_int_equal(websocket_send(w->end.w, WEBSOCKET_TEXT, "", 0), 0);
        assert_true(websocket_is_open(w->end.w));
}

static void test_stall(void **state) {
        WebsocketTimes t = impatient;
        World *w = *state;
        static char piece[1 << 20];

        t.silence = t.answer = USEC_PER_HOUR;
        t.stall = 50 * USEC_PER_MSEC;
        open_impatient(w, &t);
        assert_int_equal(websocket_send(w->end.w, WEBSOCKET_BINARY, piece, sizeof(piece)), 1);
        TURN_UNTIL(w->loop, w->end.n_closed == 1);
        assert_int_equal(w->end.origin, WEBSOCKET_BY_BREAK);
        assert_string_equal(w->end.cause, "The peer reads nothing");
}

/* A peer that sends pings without an end and reads no pong is not read any more, and nothing is lost. */
static void test_ping_flood(void **state) {
        World *w = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20), payload = BUF_INIT(1000);
        uint64_t n_sent = 0, n_pongs = 0;
        unsigned idle = 0, first;
        bool masked;

        open_world(w, false);
        for (unsigned i = 0; i < 64; i++)
                frame_append(&b, PING, true, "0123456789", 10);
        while (idle < 10) {
                size_t at = n_sent % b.n;
                ssize_t n = send(w->fd, buf_data(&b) + at, b.n - at, MSG_NOSIGNAL);

                idle = n < 0 ? idle + 1 : 0;
                n_sent += n > 0 ? (uint64_t) n : 0;
                world_turn(w->loop);
        }
        assert_true(websocket_queued(w->end.w) < 2 * WEBSOCKET_READ_MAX * WEBSOCKET_QUEUE_ENTRY / 16);
        while (n_pongs < n_sent / 16) {
                TURN_UNTIL(w->loop, (hears(w), frame_take(&w->in, &first, &masked, &payload)));
                assert_int_equal(first, PONG);
                assert_int_equal(payload.n, 10);
                buf_clear(&payload);
                n_pongs++;
        }
        assert_int_equal(w->end.n_closed, 0);
}

/* --- both against each other --- */

/* client → server, which relays to the client of a second pair, whose server sends it back. */
static void test_relay(void **state) {
        World *w = *state;
        End a, b, c, d;
        int one[2], two[2];
        _cleanup_buf_ Buf sent = BUF_INIT(64U << 20);
        uint64_t n_sent = 0;
        char *text = malloc(300000);

        assert_non_null(text);
        memset(text, 'x', 300000);
        raw_pair(one);
        raw_pair(two);
        end_open(&a, w->loop, one[0], true, NULL, 0);
        end_open(&b, w->loop, one[1], false, NULL, 0);
        end_open(&c, w->loop, two[0], true, NULL, 0);
        end_open(&d, w->loop, two[1], false, NULL, 0);
        b.relay_to = &c;
        b.counts = c.counts = true;
        end_start(&a);
        end_start(&b);
        end_start(&c);
        end_start(&d);
        for (unsigned i = 0; i < 100;) {
                size_t n = (i * 7919U) % 300000;

                if (websocket_queued(a.w) > WEBSOCKET_QUEUE_HIGH) {
                        world_turn(w->loop);
                        if (websocket_queued(c.w) <= WEBSOCKET_QUEUE_LOW)
                                websocket_pause(b.w, false);
                        continue;
                }
                assert_true(websocket_send(a.w, i % 2 ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, text, n) >= 0);
                assert_int_equal(buf_putc(&sent, i % 2 ? 't' : 'b'), 0);
                assert_int_equal(buf_append(&sent, text, n), 0);
                assert_int_equal(buf_putc(&sent, '|'), 0);
                i++;
                n_sent++;
        }
        while (d.n_messages < n_sent) {
                if (websocket_queued(c.w) <= WEBSOCKET_QUEUE_LOW)
                        websocket_pause(b.w, false);
                world_turn(w->loop);
        }
        assert_int_equal(d.heard.n, sent.n);
        assert_memory_equal(buf_data(&d.heard), buf_data(&sent), sent.n);
        websocket_close(a.w, 1000, "done");
        TURN_UNTIL(w->loop, a.n_closed == 1 && b.n_closed == 1);
        assert_int_equal(b.origin, WEBSOCKET_BY_PEER);
        assert_int_equal(b.code, 1000);
        assert_string_equal(b.reason, "done");
        /* both at once */
        websocket_close(c.w, 1001, "");
        websocket_close(d.w, 1011, "");
        TURN_UNTIL(w->loop, c.n_closed == 1 && d.n_closed == 1);
        assert_int_equal(c.code, 1001);
        assert_int_equal(d.code, 1011);
        end_free(&a);
        end_free(&b);
        end_free(&c);
        end_free(&d);
        free(text);
}

/* It is ended from within a message, and freed at any time. */
static void test_ends_within(void **state) {
        for (unsigned i = 0; i < 12; i++) {
                World *w = *state;

                open_world(w, false);
                w->end.code_back = 4000;
                say(w, TEXT, true, "a", 1);
                say(w, TEXT, true, "b", 1);
                for (unsigned j = 0; j < i % 6; j++)
                        world_turn(w->loop);
                if (i >= 6) {
                        expect(w, CLOSE, "\x0f\xa0" "as asked", 10, false);
                        assert_int_equal(w->end.n_messages, 1);
                }
                close_world(w);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
                cmocka_unit_test_setup_teardown(test_violations, setup, teardown),
                cmocka_unit_test_setup_teardown(test_largest_message, setup, teardown),
                cmocka_unit_test_setup_teardown(test_peer_closes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_we_close, setup, teardown),
                cmocka_unit_test_setup_teardown(test_long_reason, setup, teardown),
                cmocka_unit_test_setup_teardown(test_close_is_not_answered, setup, teardown),
                cmocka_unit_test_setup_teardown(test_breaks, setup, teardown),
                cmocka_unit_test_setup_teardown(test_code_behind_a_failed_write, setup, teardown),
                cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pause, setup, teardown),
                cmocka_unit_test_setup_teardown(test_queue, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stall, setup, teardown),
                cmocka_unit_test_setup_teardown(test_ping_flood, setup, teardown),
                cmocka_unit_test_setup_teardown(test_relay, setup, teardown),
                cmocka_unit_test_setup_teardown(test_ends_within, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
