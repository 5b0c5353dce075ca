/* SPDX-License-Identifier: MIT */

/* Bodies that are passed on while they arrive. */

#include "http-fixture.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/limits.h"

#define SIZE  (4U << 20)
#define ROOM  (64U << 20)

static char content[SIZE];

static int setup_pass(void **state) {
        Fixture *f;
        int r = setup(state);

        f = *state;
        f->pass = true;
        f->max_body = SIZE;
        f->server->room.max = ROOM;
        for (size_t i = 0; i < SIZE; i++)
                content[i] = (char) (i * 2654435761U >> 24);
        return r;
}

/* Sends what the socket takes. */
static void push(int fd, const char *p, size_t n, size_t *done) {
        ssize_t k = *done < n ? send(fd, p + *done, n - *done, MSG_NOSIGNAL) : 0;

        *done += k > 0 ? (size_t) k : 0;
}

static void turn(Fixture *f) {
        assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
}

/* Until nothing moves any more: the buffers of both sockets and that of the request are full. */
static void push_until_stuck(Fixture *f, int fd, const char *p, size_t n, size_t *done) {
        for (unsigned idle = 0; idle < 200;) {
                size_t before = *done;

                push(fd, p, n, done);
                turn(f);
                idle = *done > before ? 0 : idle + 1;
        }
}

/* Reads what is there, and compares it. True: the end. */
static bool pull(HttpRequest *r, size_t *done) {
        char p[10000];
        ssize_t n;

        while ((n = http_request_read(r, p, sizeof(p))) > 0) {
                assert_true(*done + (size_t) n <= SIZE);
                assert_memory_equal(p, content + *done, n);
                *done += (size_t) n;
        }
        assert_true(n == 0 || n == -EAGAIN);
        return n == 0;
}

static HttpRequest *begin(Fixture *f, int fd, const char *head) {
        unsigned n = f->n_head;

        say(fd, head);
        TURN_UNTIL(f, f->n_head == n + 1);
        return f->last;
}

#define HEAD "POST / HTTP/1.1\r\nHost: x\r\n"
#define OF_SIZE HEAD "Content-Length: 4194304\r\n\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

/* The client waits for the reader; all bytes come in order; the connection goes on after the reply. */
static void test_pressure(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);

        for (unsigned round = 0; round < 2; round++) {
                size_t sent = 0, got = 0;
                HttpRequest *r = begin(f, fd, OF_SIZE);

                /* Small buffers of the sockets, so that the body does not fit into them. */
                assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 65536 }, sizeof(int)), 0);
                assert_int_equal(setsockopt(r->connection->fd, SOL_SOCKET, SO_RCVBUF, &(int){ 65536 },
                                            sizeof(int)),
                                 0);
                push_until_stuck(f, fd, content, SIZE, &sent);
                assert_true(sent < SIZE);
                assert_true(r->suspended && r->body.n == HTTP_PASS_MAX);
                assert_int_equal(f->server->room.held, HTTP_PASS_MAX);
                TURN_UNTIL(f, (push(fd, content, SIZE, &sent), pull(r, &got)));
                assert_int_equal(got, SIZE);
                assert_int_equal(sent, SIZE);
                assert_true(r->body.size <= 2 * HTTP_PASS_MAX);
                assert_false(http_request_has_bytes(r));
                reply_text(r, 200, "hello");
                TURN_UNTIL(f, hear(fd, &b) && f->n_complete == round + 1 && has(&b, "hello"));
                assert_false(has(&b, "Connection: close"));
                buf_clear(&b);
                assert_int_equal(f->server->room.held, 0);
        }
        assert_int_equal(f->n_body, 0);
}

/* Chunks of all sizes, many of them in one buffer of libmicrohttpd. */
static void test_chunks(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20), wire = BUF_INIT(16 << 20);
        _cleanup_close_ int fd = dial(f);
        size_t n_wire = 0, got = 0, n;
        HttpRequest *r = begin(f, fd, CHUNKED);

        for (size_t i = 0, k = 1; i < SIZE; i += n, k = k * 7 % 3001) {
                n = MIN(k + 1, SIZE - i);
                assert_int_equal(buf_printf(&wire, "%zx\r\n", n), 0);
                assert_int_equal(buf_append(&wire, content + i, n), 0);
                assert_int_equal(buf_puts(&wire, "\r\n"), 0);
        }
        assert_int_equal(buf_puts(&wire, "0\r\n\r\n"), 0);
        push_until_stuck(f, fd, buf_data(&wire), wire.n, &n_wire);
        assert_int_equal(r->body.n, HTTP_PASS_MAX);
        TURN_UNTIL(f, (push(fd, buf_data(&wire), wire.n, &n_wire), pull(r, &got)));
        assert_int_equal(got, SIZE);
        reply_text(r, 200, "hello");
        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
}

static void test_expect(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        HttpRequest *r = begin(f, fd, HEAD "Content-Length: 300000\r\nExpect: 100-continue\r\n\r\n");
        size_t sent = 0, got = 0;

        TURN_UNTIL(f, hear(fd, &b) && has(&b, "100 Continue\r\n\r\n"));
        TURN_UNTIL(f, (push(fd, content, 300000, &sent), pull(r, &got)));
        assert_int_equal(got, 300000);
        reply_text(r, 200, "hello");
        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
}

/* An answer in the middle comes at once and whole, although the client sends on and reads at the end. */
static void test_early_answer(void **state) {
        Fixture *f = *state;

        for (unsigned full = 0; full < 2; full++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                HttpRequest *r = begin(f, fd, full ? OF_SIZE : CHUNKED "100000\r\n");
                size_t sent = 0, n = full ? SIZE : 1 << 20;

                if (full)
                        push_until_stuck(f, fd, content, n, &sent);
                else
                        push(fd, content, 1, &sent);
                TURN_UNTIL(f, http_request_has_bytes(r));
                reply_text(r, 403, "no more");
                assert_int_equal(f->server->room.held, 0);
                TURN_UNTIL(f, (push(fd, content, n, &sent), sent == n));
                TURN_UNTIL(f, hear(fd, &b) && has(&b, "no more"));
                assert_true(has(&b, "HTTP/1.1 403 Forbidden\r\n") && has(&b, "Connection: close\r\n"));
                (void) close(TAKE_FD(fd));
                TURN_UNTIL(f, !connection_of(f));
                assert_int_equal(f->n_end, full + 1);
                assert_int_equal(f->n_complete, full + 1);
        }
        assert_int_equal(f->n_gone, 0);
}

/* But the rest is read for a while only, and only so much of it. */
static void test_linger(void **state) {
        Fixture *f = *state;

        f->max_body = UINT64_MAX;
        for (unsigned endless = 0; endless < 2; endless++) {
                _cleanup_close_ int fd = dial(f);
                HttpRequest *r = begin(f, fd, HEAD "Content-Length: 1000000000\r\n\r\nx");
                size_t sent = 0, all = 0;

                timeout_queue_set_duration(f->server->linger_due, endless ? USEC_PER_HOUR : USEC_PER_MSEC);
                TURN_UNTIL(f, http_request_has_bytes(r));
                reply_text(r, 403, "no more");
                while (endless && connection_of(f)) {
                        push(fd, content, SIZE, &sent);
                        all += sent;
                        sent = 0;
                        turn(f);
                        assert_true(all < 8 * HTTP_SWALLOW_MAX);
                }
                TURN_UNTIL(f, !connection_of(f));
                assert_true(endless ? all >= HTTP_SWALLOW_MAX : all == 0);
        }
}

/* The client goes: while its bytes are read, while it has to wait, and after an early answer. The kernel
 * keeps the end of a client that waits behind its bytes, but not a reset. */
static void test_hang_up(void **state) {
        Fixture *f = *state;

        for (unsigned at = 0; at < 3; at++) {
                int fd = dial(f);
                size_t sent = 0;
                HttpRequest *r = begin(f, fd, OF_SIZE);

                if (at == 1)
                        push_until_stuck(f, fd, content, SIZE, &sent);
                else
                        push(fd, content, 1, &sent);
                TURN_UNTIL(f, http_request_has_bytes(r));
                if (at == 2)
                        reply_text(r, 403, "no more");
                if (at == 1)
                        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER,
                                                    &(struct linger){ .l_onoff = 1 },
                                                    sizeof(struct linger)),
                                         0);
                (void) close(fd);
                TURN_UNTIL(f, f->n_end == at + 1);
                TURN_UNTIL(f, !connection_of(f));
                assert_int_equal(f->server->room.held, 0);
        }
        assert_int_equal(f->n_complete, 1); /* the last one, which had its answer */
        assert_int_equal(f->n_gone, 1);     /* the one that had to wait */
}

/* What is wrong with the body is seen in its middle. */
static void test_faults(void **state) {
        static const struct {
                const char *request, *status;
        } rows[] = {
                { CHUNKED "5\r\n12345\r\n1\r\n6\r\n", " 413 " },
                { CHUNKED "3\r\n123\r\nzz\r\n", " 400 " },
                { CHUNKED "3\r\n123x", " 400 " },
                { CHUNKED "zz\r\n", " 400 " },
        };
        Fixture *f = *state;

        f->max_body = 5;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);

                say(fd, rows[i].request);
                TURN_UNTIL(f, (hear(fd, &b), has(&b, "\r\n\r\n")));
                if (!has(&b, rows[i].status) || !has(&b, "Connection: close"))
                        fail_msg("%s: %s", rows[i].request, buf_cstr(&b));
                (void) shutdown(fd, SHUT_WR);
                TURN_UNTIL(f, !connection_of(f));
                assert_int_equal(f->server->room.held, 0);
                assert_int_equal(f->n_body, i + 1);
        }
}

/* A transfer takes a fixed part of the room; the one that finds none is refused at its head. */
static void test_room(void **state) {
        enum { N = 4 };
        Fixture *f = *state;
        int fds[N + 1];
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);

        f->server->room.max = N * HTTP_PASS_MAX;
        for (unsigned i = 0; i <= N; i++) {
                fds[i] = dial(f);
                (void) begin(f, fds[i], OF_SIZE);
        }
        TURN_UNTIL(f, (hear(fds[N], &b), has(&b, " 503 ")));
        assert_int_equal(f->server->room.held, N * HTTP_PASS_MAX);
        for (unsigned i = 0; i <= N; i++)
                (void) close(fds[i]);
        TURN_UNTIL(f, !connection_of(f));
        assert_int_equal(f->server->room.held, 0);
}

/* The daemon ends while clients wait: every request ends, and nothing is left. */
static void test_end(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int stuck = dial(f), answered = dial(f);
        size_t sent = 0;

        (void) begin(f, stuck, OF_SIZE);
        push_until_stuck(f, stuck, content, SIZE, &sent);
        reply_text(begin(f, answered, OF_SIZE), 403, "no more");
        f->server = http_server_free(f->server);
        assert_int_equal(f->n_end, 2);
}

/* An answer of a known size has its length. */
static void test_sized_answer(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        HttpRequest *r = begin(f, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        size_t done = 0;
        int unsent = 0;

        TURN_UNTIL(f, f->n_piece == 1);
        assert_int_equal(http_request_stream(r, 206, NULL, 0, 200000), 0);
        assert_int_equal(getsockopt(r->connection->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
                                    &(socklen_t){ sizeof(int) }),
                         0);
        assert_int_equal(unsent, 65536);
        while (done < 200000) {
                size_t n = MIN(70000, 200000 - done);

                assert_int_equal(buf_append(http_request_out(r), content + done, n), 0);
                done += n;
                http_request_flush(r);
                TURN_UNTIL(f, (assert_true(hear(fd, &b)), f->n_complete > 0 || http_request_out(r)->n == 0));
        }
        TURN_UNTIL(f, (assert_true(hear(fd, &b)), f->n_complete == 1));
        assert_true(has(&b, "HTTP/1.1 206 ") && has(&b, "Content-Length: 200000\r\n"));
        assert_memory_equal(buf_data(&b) + b.n - 200000, content, 200000);
        assert_true(f->n_drained > 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_pressure, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_chunks, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_expect, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_early_answer, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_linger, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_hang_up, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_faults, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_room, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_end, setup_pass, teardown),
                cmocka_unit_test_setup_teardown(test_sized_answer, setup_pass, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
