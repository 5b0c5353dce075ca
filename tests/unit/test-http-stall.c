/* SPDX-License-Identifier: MIT */

/* Input that makes libmicrohttpd ask for run after run, or forget a connection: each client gets a status
 * and the end of its connection, and the loop does not spin. */

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "io/http-shard.h"
#include "io/listen.h"

#if MHD_VERSION >= 0x00097707 /* it cannot read one: see http-shard.c */
#define EXTENSION ""
#else
#define EXTENSION ";exten"
#endif

#define PATIENCE (20 * USEC_PER_SEC) /* only a hang reaches it */
#define RUNS_MAX 400U /* of MHD, for one stalled connection: it spins for thousands in a second */

#define TURN_UNTIL(f, condition)                                                                  \
        do {                                                                                      \
                usec_t _end = clock_monotonic() + PATIENCE;                                       \
                while (!(condition)) {                                                            \
                        assert_true(clock_monotonic() < _end);                                    \
                        assert_true(sd_event_run(loop_event((f)->loop), 10 * USEC_PER_MSEC) >= 0); \
                }                                                                                 \
        } while (0)

typedef struct Fixture {
        Loop *loop;
        HttpServer *server;
        struct sockaddr_in address;
        unsigned n_body, n_end;
        HttpBodyFault fault;
        HttpRequest *stream;
} Fixture;

static void on_head(HttpRequest *r, void *userdata _unused_) {
        http_request_take_body(r, 1 << 20);
}

static void on_body(HttpRequest *r, void *userdata) {
        Fixture *f = userdata;

        f->n_body++;
        f->fault = http_request_body_fault(r);
        if (streq(http_request_path(r), "/stream")) {
                f->stream = r;
                assert_int_equal(http_request_stream(r, 200, NULL, 0, HTTP_SIZE_UNKNOWN), 0);
        } else
                assert_int_equal(http_request_reply(r, f->fault ? 400 : 200, NULL, 0, NULL), 0);
}

static void on_other(HttpRequest *r _unused_, void *userdata _unused_) {
}

static void on_end(HttpRequest *r, bool complete _unused_, void *userdata) {
        Fixture *f = userdata;

        f->n_end++;
        if (f->stream == r)
                f->stream = NULL;
}

static int setup(void **state) {
        static const HttpServerOps ops = { on_head, on_body, on_other, on_other, on_end };
        socklen_t n = sizeof(struct sockaddr_in);
        Fixture *f = calloc(1, sizeof(Fixture));
        int fd;

        assert_non_null(f);
        assert_int_equal(loop_new(&f->loop), 0);
        assert_int_equal(http_server_new(f->loop,
                                         &(HttpServerParams){
                                                 .max_connections = 64,
                                                 .max_inflight = 1 << 20,
                                                 .head_timeout = 100 * USEC_PER_SEC,
                                                 .body_window = 100 * USEC_PER_SEC,
                                                 .head_late = "late",
                                                 .head_too_large = "too large",
                                                 .head_malformed = "malformed",
                                         },
                                         &ops, f, &f->server),
                         0);
        assert_int_equal(listen_open("127.0.0.1:0", &fd), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &f->address, &n), 0);
        assert_int_equal(http_server_listen(f->server, fd), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        http_server_free(f->server);
        loop_free(f->loop);
        free(f);
        return 0;
}

static int dial(Fixture *f) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &f->address, sizeof(f->address)), 0);
        return fd;
}

static void say(int fd, const char *s, size_t n) {
        assert_int_equal(send(fd, s, n, MSG_NOSIGNAL | MSG_DONTWAIT), n);
}

/* Appends what has come; false once the server has closed. */
static bool hear(int fd, Buf *b) {
        char p[16384];
        ssize_t n;

        while ((n = recv(fd, p, sizeof(p), MSG_DONTWAIT)) > 0)
                assert_int_equal(buf_append(b, p, (size_t) n), 0);
        return n < 0 && errno == EAGAIN;
}

static unsigned n_connections(const Fixture *f) {
        return list_entry(f->server->listeners.next, HttpListener, link)->n_connections;
}

typedef struct Row {
        const char *before, *filler;
        size_t n; /* of the filler */
        const char *after;
        const char *status;
} Row;

static const Row rows[] = {
#define TEN "a&a&a&a&a&a&a&a&a&a&"
#define CHUNKED "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        /* lines of chunks */
        { CHUNKED "48;", "x", 20000, "", "400" },
        { CHUNKED, "0", 20000, "", "400" },
        { CHUNKED, "0", 100000, "", "400" },
        { CHUNKED "1\r\na\r\n1;", "y", 40000, "", "400" },
        /* arguments, and the little memory that is left behind a long path */
        { "GET /p?", "a&", 300, " HTTP/1.1\r\nHost: x\r\n\r\n", "431" },
        { "GET /p?", "a&", 1000, " HTTP/1.1\r\nHost: x\r\n\r\n", "431" },
        { "GET /p?", "a=b&", 3000, " HTTP/1.1\r\nHost: x\r\n\r\n", "431" },
        { "GET /", "x", 15500, "?" TEN TEN TEN TEN TEN TEN " HTTP/1.1\r\nHost: x\r\n\r\n", "431" },
        { "GET /p?", "a&", 1000, "", "414" }, /* no end of the line */
        /* cookies and headers */
        { "GET /p HTTP/1.1\r\nHost: x\r\nCookie: ", "a=b;", 300, "\r\n\r\n", "431" },
        { "GET /p HTTP/1.1\r\nHost: x\r\nCookie: ", "a=b;", 3000, "\r\n\r\n", "431" },
        { "GET /p HTTP/1.1\r\nHost: x\r\n", "a:b\r\n", 600, "\r\n", "431" },
        { "GET /", "x", 20000, " HTTP/1.1\r\nHost: x\r\n\r\n", "414" },
};

static char *compose(const Row *row, size_t *ret_n) {
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        char *p;

        (void) buf_puts(&b, row->before);
        for (size_t i = 0; i < row->n; i++)
                (void) buf_puts(&b, row->filler);
        (void) buf_puts(&b, row->after);
        assert_int_equal(buf_steal(&b, &p, ret_n), 0);
        return p;
}

static bool has_status(Buf *b, const char *status) {
        char text[32];

        (void) snprintf(text, sizeof(text), "HTTP/1.1 %s ", status);
        return b->n > 0 && startswith(buf_cstr(b), text);
}

static void test_answered_and_cut(void **state) {
        Fixture *f = *state;
        uint64_t runs = f->server->n_runs;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                _cleanup_free_ char *p = NULL;
                size_t n;

                if (streq(rows[i].after, "") && streq(rows[i].status, "414"))
                        continue; /* waits for its end, within the time for a head */
                p = compose(&rows[i], &n);
                say(fd, p, n);
                TURN_UNTIL(f, !hear(fd, &b));
                if (!has_status(&b, rows[i].status))
                        fail_msg("row %zu: %s", i, b.n > 0 ? buf_cstr(&b) : "nothing");
        }
        TURN_UNTIL(f, n_connections(f) == 0);
        assert_in_range(f->server->n_runs - runs, 1, ELEMENTSOF(rows) * RUNS_MAX);
        assert_int_equal(f->server->n_requests, 0);
        assert_int_equal(f->n_end, f->n_body);
}

/* Where the memory ends, there may be too little for an error page, or for the head of an answer. */
static void test_never_without_an_answer(void **state) {
        static const struct {
                const char *header;
                size_t from, to;
        } sweeps[] = {
                { "Cookie", 7800, 8300 },
                { "Cookie", 15700, 16400 },
                { "A", 15700, 16400 },
        };
        Fixture *f = *state;
        bool with_room = false, without = false;

        for (size_t i = 0; i < ELEMENTSOF(sweeps); i++)
                for (size_t n = sweeps[i].from; n < sweeps[i].to; n += 10) {
                        _cleanup_buf_ Buf b = BUF_INIT(1 << 20), answer = BUF_INIT(1 << 20);
                        _cleanup_close_ int fd = dial(f);

                        (void) buf_printf(&b, "GET /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s: ",
                                          sweeps[i].header);
                        for (size_t k = 0; k < n; k++)
                                (void) buf_puts(&b, "x");
                        (void) buf_puts(&b, "\r\n\r\n");
                        say(fd, buf_data(&b), b.n);
                        TURN_UNTIL(f, !hear(fd, &answer));
                        if (has_status(&answer, "200"))
                                with_room = true;
                        else if (has_status(&answer, "431"))
                                without = true;
                        else
                                fail_msg("%zu bytes of %s: `%s`", n, sweeps[i].header,
                                         answer.n > 0 ? buf_cstr(&answer) : "");
                }
        assert_true(with_room && without);
        TURN_UNTIL(f, n_connections(f) == 0);
}

/* A client that hangs up at once is dropped as well. */
static void test_hung_up(void **state) {
        Fixture *f = *state;
        uint64_t runs;
        int fds[ELEMENTSOF(rows)];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                fds[i] = dial(f);
        TURN_UNTIL(f, n_connections(f) == ELEMENTSOF(rows));
        runs = f->server->n_runs;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *p = NULL;
                size_t n;

                p = compose(&rows[i], &n);
                say(fds[i], p, n);
                (void) close(fds[i]);
        }
        TURN_UNTIL(f, n_connections(f) == 0);
        assert_in_range(f->server->n_runs - runs, 1, ELEMENTSOF(rows) * RUNS_MAX);
        assert_int_equal(f->server->n_requests, 0);
}

/* Others in the same shard are tried, too, and lose nothing: half a head, half a body of either kind, a
 * stream, and an idle connection. */
static void test_others_go_on(void **state) {
        static const struct {
                const char *first, *rest;
        } innocent[] = {
                { "GET /p HTTP/1.1\r\nHo", "st: x\r\n\r\n" },
                { "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab", "cd" },
                { CHUNKED "2\r\nab\r\n", "0\r\n\r\n" },
                { CHUNKED "2" EXTENSION, "\r\nab\r\n0\r\n\r\n" },
                { CHUNKED "0\r\nTrail", "er: x\r\n\r\n" },
                { "", "GET /p HTTP/1.1\r\nHost: x\r\n\r\n" },
        };
        enum { STALLED = 5 };
        Fixture *f = *state;
        int fds[ELEMENTSOF(innocent)], stalled[STALLED];
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int streaming = dial(f);
        static const char stream[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
        uint64_t runs;

        say(streaming, stream, strlen(stream));
        TURN_UNTIL(f, f->stream);
        for (size_t i = 0; i < ELEMENTSOF(innocent); i++) {
                fds[i] = dial(f);
                say(fds[i], innocent[i].first, strlen(innocent[i].first));
        }
        runs = f->server->n_runs;
        for (size_t i = 0; i < STALLED; i++) {
                _cleanup_free_ char *p = NULL;
                size_t n;

                p = compose(&rows[i % 2], &n);
                stalled[i] = dial(f);
                say(stalled[i], p, n);
        }
        for (size_t i = 0; i < STALLED; i++) {
                _cleanup_buf_ Buf answer = BUF_INIT(1 << 20);

                TURN_UNTIL(f, !hear(stalled[i], &answer));
                assert_true(has_status(&answer, "400"));
                (void) close(stalled[i]);
        }
        TURN_UNTIL(f, n_connections(f) == ELEMENTSOF(innocent) + 1);
        assert_in_range(f->server->n_runs - runs, 1, STALLED * RUNS_MAX);

        for (size_t i = 0; i < ELEMENTSOF(innocent); i++) {
                _cleanup_buf_ Buf answer = BUF_INIT(1 << 20);

                say(fds[i], innocent[i].rest, strlen(innocent[i].rest));
                TURN_UNTIL(f, hear(fds[i], &answer) && has_status(&answer, "200"));
                assert_int_equal(f->fault, HTTP_BODY_OK);
                (void) close(fds[i]);
        }
        (void) buf_puts(http_request_out(f->stream), "still here");
        http_request_finish(f->stream, true);
        TURN_UNTIL(f, hear(streaming, &b) && has_status(&b, "200") && strstr(buf_cstr(&b), "still here"));
}

/* The end does not wait for them. */
static void test_freed_while_stalled(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int fd = dial(f);
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_free_ char *p = NULL;
        size_t n;

        p = compose(&rows[0], &n);
        say(fd, p, n);
        TURN_UNTIL(f, !hear(fd, &b));
        if (!streq(EXTENSION, "")) /* else it is refused at once, and nothing is stalled */
                assert_int_equal(n_connections(f), 1);
        f->server = http_server_free(f->server);
        assert_int_equal(f->n_end, 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_answered_and_cut, setup, teardown),
                cmocka_unit_test_setup_teardown(test_never_without_an_answer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hung_up, setup, teardown),
                cmocka_unit_test_setup_teardown(test_others_go_on, setup, teardown),
                cmocka_unit_test_setup_teardown(test_freed_while_stalled, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
