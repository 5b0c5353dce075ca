/* SPDX-License-Identifier: MIT */

/* Malformed bytes on a connection: the client gets an answer, and nothing behind them becomes a request. */

#include "http-fixture.h"

#include <sys/socket.h>

#define CHUNKED "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LENGTH "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

#if MHD_VERSION >= 0x00097707 /* it cannot read one: see http-shard.c */
#define EXTENSION ""
#else
#define EXTENSION ";a=b"
#endif

#if MHD_VERSION >= 0x01000000 /* it refuses a line that ends with LF alone before its head is complete */
#define LF_HEADS 0U
#else
#define LF_HEADS 1U
#endif

static void say_n(int fd, const char *p, size_t n) {
        if (n > 0)
                assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static unsigned count(Buf *b, const char *text) {
        const char *at = b->n > 0 ? buf_cstr(b) : "";
        unsigned n = 0;

        for (; (at = strstr(at, text)); at++)
                n++;
        return n;
}

/* Sends the bytes in two pieces, of which the server reads the first before the second comes. Waits for the
 * end. */
static void ask(Fixture *f, const char *p, size_t n, size_t cut, Buf *b) {
        _cleanup_close_ int fd = dial(f);

        f->n_head = f->n_body = 0;
        TURN_UNTIL(f, connection_of(f));
        say_n(fd, p, cut);
        for (unsigned i = 0; i < 10; i++)
                assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
        (void) send(fd, p + cut, n - cut, MSG_NOSIGNAL); /* it may be closed already */
        TURN_UNTIL(f, !hear(fd, b));
        TURN_UNTIL(f, !connection_of(f));
}

typedef struct Row {
        const char *bytes;
        size_t n;
        unsigned n_head, n_good;
} Row;
#define ROW(bytes, n_head, n_good) { bytes, sizeof(bytes) - 1, n_head, n_good }

static void test_cut_at_every_byte(void **state) {
        static const Row rows[] = {
                ROW(CHUNKED "2;\nxx\r\n0\r\n\r\n" GET, 1, 0),
                ROW(CHUNKED "2\nhi\r\n0\r\n\r\n" GET, 1, 0),
                ROW(CHUNKED "2\r\nhi\n0\r\n\r\n" GET, 1, 0),
                ROW(CHUNKED "2\r\nhi\r\n0\n\r\n" GET, 1, 0),
                ROW(CHUNKED "2\r\nhi\r\n0\r\n\n" GET, 1, 0),
                ROW(CHUNKED "0\r\nA: b\0\r\n\r\n" GET, 1, 0),
                ROW(CHUNKED "0\r\nA: b\r\n c\r\n\r\n" GET, 1, 0),
                ROW(GET CHUNKED "2\r\nhi\r\n0\r\n\r\n" CHUNKED "2\nhi\r\n0\r\n\r\n" GET, 3, 2),
                ROW(LENGTH "hiGET / HTTP/1.1\nHost: x\r\n\r\n" GET, 1 + LF_HEADS, 1),
                ROW(LENGTH "hi" LENGTH "\r\nGET\t/ HTTP/1.1\r\n" GET, 2, 2),
                ROW("GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n" GET, 0, 0),
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t cut = 0; cut < rows[i].n; cut++) {
                        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                        Fixture *f = *state;

                        ask(f, rows[i].bytes, rows[i].n, cut, &b);
                        if (f->n_head != rows[i].n_head || count(&b, "HTTP/1.1 200 ") != rows[i].n_good ||
                            count(&b, "HTTP/1.1 400 ") != 1)
                                fail_msg("row %zu, cut at %zu: %u heads, %s", i, cut, f->n_head,
                                         b.n > 0 ? buf_cstr(&b) : "nothing");
                        assert_int_equal(f->server->n_requests, 0);
                }
}

/* Right ones stay right, however they are cut, and the connection stays open for the last. */
static void test_right_ones(void **state) {
        static const char bytes[] = "\r\n" GET CHUNKED "2" EXTENSION "\r\nhi\r\n0\r\nA: b\r\n\r\n" LENGTH
                                    "\r\n\r\n" GET CHUNKED "0\r\n\r\n"
                                    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

        for (size_t cut = 0; cut < sizeof(bytes) - 1; cut++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                Fixture *f = *state;

                ask(f, bytes, sizeof(bytes) - 1, cut, &b);
                assert_int_equal(f->n_head, 6);
                assert_int_equal(count(&b, "HTTP/1.1 200 "), 6);
        }
}

/* A refusal at the head, while the body is still arriving: what is malformed in it changes nothing. */
static void test_refused_before(void **state) {
        static const char head[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);

        f->refuse = true;
        say_n(fd, head, strlen(head));
        TURN_UNTIL(f, !hear(fd, &b) || has(&b, "HTTP/1.1 401 "));
        (void) send(fd, "2;\nxx\r\n" GET, strlen("2;\nxx\r\n" GET), MSG_NOSIGNAL);
        TURN_UNTIL(f, !hear(fd, &b));
        assert_int_equal(f->n_head, 1);
        assert_int_equal(count(&b, "HTTP/1.1 "), 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_cut_at_every_byte, setup, teardown),
                cmocka_unit_test_setup_teardown(test_right_ones, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused_before, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
