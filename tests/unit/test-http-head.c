/* SPDX-License-Identifier: MIT */

/* Heads as bytes, and what the floor above sees of them. libmicrohttpd itself answers some of them. */

#include "test.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "io/http-head.h"
#include "io/listen.h"

#define PATIENCE (20 * USEC_PER_SEC) /* only a hang reaches it */

typedef struct Fixture {
        Loop *loop;
        HttpServer *server;
        struct sockaddr_in address;
        unsigned n_head;
        char fault[128], path[128], token[128];
} Fixture;

static void keep(char ret[static 128], const char *s) {
        (void) snprintf(ret, 128, "%s", strempty(s));
}

static void on_head(HttpRequest *r, void *userdata) {
        Fixture *f = userdata;

        f->n_head++;
        keep(f->fault, http_request_head_fault(r));
        keep(f->path, http_request_path(r));
        keep(f->token, http_request_header(r, "x-token"));
        assert_int_equal(http_request_reply(r, f->fault[0] ? 400 : 200,
                                            &(HttpHeader){ "Connection", "close" }, 1, NULL),
                         0);
}

static void on_request(HttpRequest *r _unused_, void *userdata _unused_) {
}

static void on_end(HttpRequest *r _unused_, bool complete _unused_, void *userdata _unused_) {
}

static int setup(void **state) {
        static const HttpServerOps ops = { on_head, on_request, on_request, on_request, on_end };
        socklen_t n = sizeof(struct sockaddr_in);
        Fixture *f = calloc(1, sizeof(Fixture));
        int fd;

        assert_non_null(f);
        assert_int_equal(loop_new(&f->loop), 0);
        assert_int_equal(http_server_new(f->loop,
                                         &(HttpServerParams){ .max_connections = 16,
                                                             .max_inflight = 1000,
                                                             .head_malformed = "malformed" },
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

/* Sends the bytes and turns the loop until the server has closed the connection; returns the
 * status of the answer, or 0. */
static int ask(Fixture *f, const char *bytes, size_t n) {
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        usec_t end = clock_monotonic() + PATIENCE;
        char answer[65536];
        size_t n_answer = 0;
        unsigned status;
        ssize_t k;

        f->n_head = 0;
        f->fault[0] = f->path[0] = f->token[0] = 0;
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &f->address, sizeof(f->address)), 0);
        assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
        for (;;) {
                assert_true(clock_monotonic() < end);
                assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_MSEC) >= 0);
                k = recv(fd, answer + n_answer, sizeof(answer) - 1 - n_answer, MSG_DONTWAIT);
                if (k > 0)
                        n_answer += (size_t) k;
                else if (k == 0 || errno != EAGAIN)
                        break;
        }
        answer[n_answer] = 0;
        if (n_answer < strlen("HTTP/1.1 200 "))
                return 0;
        assert_non_null(startswith(answer, "HTTP/1.1 "));
        answer[strlen("HTTP/1.1 200")] = 0;
        assert_int_equal(text_parse_uint(answer + strlen("HTTP/1.1 "), &status), 0);
        return (int) status;
}

#define HEAD(line, headers) line "\r\n" headers "\r\n"
#define GET(headers) HEAD("GET /p HTTP/1.1", "Host: x\r\n" headers)
#define POST(headers) HEAD("POST /p HTTP/1.1", "Host: x\r\n" headers)

/* From 1.0 on libmicrohttpd refuses some faults itself, and leaves out blanks behind a value. A first line
 * with more blanks it would answer by a redirection, so it does not get one that has a fault. */
#define IS_1_0 (MHD_VERSION >= 0x00097707)

static const char nul[] = "a NUL byte";
static const char blanks[] =
        "the first line is not a method, a target and a version, with one blank between them";
static const char control[] = "a control character in the first line";
static const char no_token[] = "the name of a header is not a token";
static const char folded[] = "a header that continues on the next line";
static const char bare_lf[] = "a line ends with LF alone";
static const char bare_cr[] = "a CR that is not at the end of a line";
static const char both[] = "Content-Length and Transfer-Encoding do not go together";
static const char not_chunked[] = "the only Transfer-Encoding taken is chunked";
static const char twice[] = "more than one Content-Length";

/* What is refused at the head, and never another way. */
static void test_faults(void **state) {
#define ROW(bytes, fault) { bytes, sizeof(bytes) - 1, fault }
        static const struct {
                const char *bytes;
                size_t n;
                const char *fault; /* NULL: accepted */
        } rows[] = {
                ROW(GET(""), NULL),
                ROW(GET("A: b\r\nC: d\r\n"), NULL),
                ROW(GET("Empty:\r\nEmpty2: \r\nC: d\r\n"), NULL),
                ROW(HEAD("GET /p?a=b&c&d=+%20&key=x HTTP/1.1", "Host: x\r\n"), NULL),
                ROW("\r\n" GET(""), NULL),
                ROW("GET /p HTTP/1.1\nHost: x\nA: b\n\n", bare_lf),
                ROW("GET /p HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", bare_lf),
                ROW("GET /p HTTP/1.1\r\nHost: x\r\nA: b\r\n\n", bare_lf),
                ROW("GET /p HTTP/1.1\r\nHost: x\nTransfer-Encoding: chunked\r\n\r\n", bare_lf),
                ROW(HEAD("GET /p HTTP/1.0", ""), NULL),
                ROW(HEAD("GET /p HTTP/1.0", "Host: x\r\n"), NULL),

                /* NUL bytes: nothing is cut at them */
                ROW(GET("x-token: T\0\r\n"), nul),
                ROW(GET("x-token: T\0x\r\n"), nul),
                ROW(GET("x-token: \0T\r\n"), nul),
                ROW(GET("x-token: T\0x\r\nA: b\r\n"), nul),
                ROW(GET("x-token: T\0\0\0\r\nA: b\r\n"), nul),
                ROW(GET("A: b\r\nx-token: T\0: x\r\nC: d\r\n"), nul),
                ROW("GET /p HTTP/1.1\r\nHost: x\0y\r\n\r\n", nul),
                ROW("GET /p HTTP/1.1\r\nHost: x\nA: T\0x\n\n", bare_lf),
                ROW(POST("Content-Length: 2\0\r\n") "hi", nul),
                ROW(POST("Content-Length: 2\0" "0\r\n") "hi", nul),
                ROW(POST("Transfer-Encoding: chunked\0\r\n") "0\r\n\r\n", nul),
                ROW(POST("Transfer-Encoding: chunked\0x\r\n") "0\r\n\r\n", nul),
                ROW(HEAD("GET /p\0 HTTP/1.1", "Host: x\r\n"), nul),
                ROW(HEAD("GET /p\0q HTTP/1.1", "Host: x\r\n"), nul),
                ROW(HEAD("GET /p?a=\0&key=x HTTP/1.1", "Host: x\r\n"), nul),

                /* the first line */
                ROW(HEAD("GET  /p HTTP/1.1", "Host: x\r\n"), blanks),
                ROW(HEAD("GET /p q HTTP/1.1", "Host: x\r\n"), blanks),
                ROW(HEAD("GET /p?a b HTTP/1.1", "Host: x\r\n"), blanks),
                ROW(HEAD("GET /p\tq HTTP/1.1", "Host: x\r\n"), control),
                ROW(HEAD("GET /p\x7f HTTP/1.1", "Host: x\r\n"), control),
                ROW(HEAD("GET /p\rq HTTP/1.1", "Host: x\r\n"), bare_cr),
                ROW(HEAD("G(T /p HTTP/1.1", "Host: x\r\n"), "the method is not a token"),

                /* names, and folded headers */
                ROW(GET("Content-Length : 2\r\n"), no_token),
                ROW(GET("Transfer-Encoding\t: chunked\r\n"), no_token),
                ROW(GET("A B: c\r\n"), no_token),
                ROW(GET(": c\r\n"), no_token),
                ROW(GET("A\xc3\xa4: c\r\n"), no_token),
                ROW(GET("A: b\r\n c\r\nD: e\r\n"), folded),
                ROW(GET("D: e\r\nA: b\r\n\tc\r\n"), folded),
                ROW(HEAD("GET /p HTTP/1.1", " folded: first\r\nHost: x\r\n"), folded),
                ROW(POST("Transfer-Encoding:\r\n chunked\r\n") "0\r\n\r\n", folded),
                ROW(GET("A: b\rC: d\r\n"), bare_cr),

                /* lengths */
                ROW(POST("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n", both),
                ROW(POST("Transfer-Encoding: chunked\r\ncontent-length: 2\r\n") "0\r\n\r\n", both),
                ROW(POST("Content-Length: 2\r\nContent-Length: 2\r\n") "hi", twice),
                ROW(POST("Content-Length: 2\r\nContent-Length: 3\r\n") "hi", twice),
                ROW(POST("Content-Length: 2\r\nContent-Length: 2, 2\r\n") "hi",
                    "Content-Length is not a number"),
                ROW(POST("Transfer-Encoding: chunked\r\nContent-Length: x\r\n") "0\r\n\r\n",
                    "Content-Length is not a number"),
                ROW(POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n", not_chunked),
                ROW(POST("Transfer-Encoding: identity\r\n"), not_chunked),
                ROW(POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n", not_chunked),
                ROW(POST("Transfer-Encoding: chunkedx\r\n") "0\r\n\r\n", not_chunked),
                ROW(POST("Transfer-Encoding: chunked, identity\r\n") "0\r\n\r\n", not_chunked),
                ROW(POST("Transfer-Encoding: chunked, chunked\r\n") "0\r\n\r\n", not_chunked),
                ROW(POST("Transfer-Encoding: \x0b" "chunked\r\n") "0\r\n\r\n", not_chunked),
                ROW(POST("Transfer-Encoding: \"chunked\"\r\n") "0\r\n\r\n", not_chunked),
                ROW(POST("Transfer-Encoding: chunked \r\n") "0\r\n\r\n", IS_1_0 ? NULL : not_chunked),
                ROW(POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n",
                    not_chunked),
                ROW(POST("Transfer-Encoding: \r\n"), not_chunked),
                ROW(HEAD("POST /p HTTP/1.0", "Transfer-Encoding: chunked\r\n") "0\r\n\r\n",
                    "HTTP/1.0 has no Transfer-Encoding"),
                ROW(HEAD("GET /p HTTP/1.1", ""), "no Host"),
                ROW(HEAD("GET /p HTTP/1.1", "A: b\r\n"), "no Host"),
                ROW(GET("Host: x\r\n"), "more than one Host"),
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture *f = *state;
                int status = ask(f, rows[i].bytes, rows[i].n);

                if (IS_1_0 && status == 400 && f->n_head == 0 && rows[i].fault)
                        continue;
                if (f->n_head != 1 || status != (rows[i].fault ? 400 : 200) ||
                    !streq(f->fault, strempty(rows[i].fault)))
                        fail_msg("row %zu: %s: %d, `%s`, %u heads", i, rows[i].bytes, status, f->fault,
                                 f->n_head);
        }
}

/* What libmicrohttpd answers by itself, or does not see: the connection is closed, and no request reaches
 * the floor above, unless it is right. */
static void test_no_heads(void **state) {
        static const struct {
                const char *bytes;
                size_t n;
                int status;
        } rows[] = {
                ROW(POST("Content-Length: x\r\n"), 400),
                ROW(POST("Content-Length: 2 \r\n") "hi", IS_1_0 ? 200 : 400),
                ROW(POST("Content-Length: +2\r\n") "hi", 400),
                ROW(POST("Content-Length: 2, 2\r\n") "hi", 400),
                ROW(POST("Content-Length: 99999999999999999999\r\n") "hi", 413),
                ROW(GET("no colon\r\n"), 400),
                ROW(HEAD("GET /p HTTP/2.0", "Host: x\r\n"), 505),
                ROW(HEAD("GET /p HTTP/1.1 x", "Host: x\r\n"), 400),
                ROW(HEAD("POST\t/p HTTP/1.1", "Host: x\r\n"), 400),
                ROW(HEAD("POST\t/p\tHTTP/1.1", "Host: x\r\n"), 400),
                ROW(HEAD("POST /p\tHTTP/1.1", "Host: x\r\n"), 400),
                ROW(HEAD(" GET /p HTTP/1.1", "Host: x\r\n"), 400),
                ROW(HEAD("GET", "Host: x\r\n"), 400),
                ROW("GET\n", 400),
                ROW(HEAD("\tGET /p HTTP/1.1", "Host: x\r\n"), 400),
                ROW(HEAD("G\x01T /p HTTP/1.1", "Host: x\r\n"), 400),
                ROW(HEAD("GET\0 /p HTTP/1.1", "Host: x\r\n"), 400),
                ROW(HEAD("G\0ET /p HTTP/1.1", "Host: x\r\n"), 400),
                ROW(HEAD("\x16\x03\x01", "Host: x\r\n"), 400),
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture *f = *state;
                int status = ask(f, rows[i].bytes, rows[i].n);

                if (IS_1_0 && f->fault[0]) /* the floor above has seen it, and refuses it itself */
                        f->n_head = 0;
                if (status != rows[i].status || f->n_head != (status == 200))
                        fail_msg("row %zu: %s: %d, `%s`, %u heads", i, rows[i].bytes, status, f->fault,
                                 f->n_head);
        }
}

static void test_values_are_trimmed(void **state) {
        static const struct {
                const char *sent, *seen;
        } rows[] = {
                { "T", "T" },
                { " T", "T" },
                { "T ", "T" },
                { "\t T \t ", "T" },
                { "T and U ", "T and U" },
                { "", "" },
                { " ", "" },
                { " \t ", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture *f = *state;
                char bytes[256];

                (void) snprintf(bytes, sizeof(bytes), GET("A: b \r\nX-Token:%s\r\nC: d \r\n"), rows[i].sent);
                assert_int_equal(ask(f, bytes, strlen(bytes)), 200);
                assert_string_equal(f->token, rows[i].seen);
        }
}

static void test_targets(void **state) {
        static const struct {
                const char *target, *path;
        } rows[] = {
                { "/p", "/p" },
                { "/p?q=http://x/y", "/p" },
                { "/", "/" },
                { "http://x/p", "/p" },
                { "HTTP://x:80/p/q?r=s", "/p/q" },
                { "https://x/p", "/p" },
                { "http://x", "/" },
                { "http://x?y", "/" },
                { "http://", "http://" },
                { "http:///p", "http:///p" },
                { "ftp://x/p", "ftp://x/p" },
                { "*", "*" },
                { "x:443", "x:443" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture *f = *state;
                char bytes[256];

                (void) snprintf(bytes, sizeof(bytes), HEAD("GET %s HTTP/1.1", "Host: x\r\n"),
                                rows[i].target);
                assert_int_equal(ask(f, bytes, strlen(bytes)), 200);
                assert_string_equal(f->path, rows[i].path);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_heads, setup, teardown),
                cmocka_unit_test_setup_teardown(test_values_are_trimmed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_targets, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
