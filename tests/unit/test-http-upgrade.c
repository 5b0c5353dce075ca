/* SPDX-License-Identifier: MIT */

/* Requests that become WebSockets, of raw clients. */

#include "http-fixture.h"

#include <sys/socket.h>

#include "base/limits.h"
#include "base/text.h"
#include "io/descriptors.h"
#include "io/http-upgrade.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define REST "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
#define HEAD "GET / HTTP/1.1\r\nHost: x\r\n"
#define GOOD "GET /live HTTP/1.1\r\nHost: x\r\n" REST KEY "\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" /* RFC 6455, 1.3 */

/* Masked by zeros. */
#define HELLO "\x81\x85\0\0\0\0hello"
#define BYE "\x88\x82\0\0\0\0\x03\xe8"

/* Of the one WebSocket of a test, or the last one. */
static struct {
        Fixture *f;
        Websocket *w;
        HttpRequest *request;
        unsigned n_opened, n_refused, n_messages, n_closed, n_gone, n_end;
        WebsocketEnd end;
        bool late, keeps; /* the accept comes later; it is not freed in closed() */
        int status;
} one;

static void on_message(WebsocketKind kind, const char *p, size_t n, void *userdata _unused_) {
        one.n_messages++;
        assert_true(websocket_send(one.w, kind, p, n) >= 0);
}

static void on_drained(void *userdata _unused_) {
}

static void on_closed(const WebsocketEnd *end, void *userdata _unused_) {
        one.n_closed++;
        one.end = *end;
        if (!one.keeps)
                one.w = websocket_free(one.w);
}

static void on_opened(HttpRequest *r, Websocket *w, void *userdata) {
        static const WebsocketOps ops = { on_message, on_drained, on_closed };

        assert_ptr_equal(userdata, &one);
        assert_ptr_equal(r, one.request);
        assert_non_null(w);
        one.n_opened++;
        one.w = w;
        websocket_start(w, &ops, NULL);
}

static void on_head(HttpRequest *r, void *userdata _unused_) {
        const char *fault = "";
        int status;

        one.request = r;
        http_request_admit(r, 1);
        status = http_request_upgrade_fault(r, &fault);
        one.status = status;
        assert_int_equal(!fault[0], status == 0);
        if (status > 0) {
                assert_int_equal(http_request_reply(r, status, http_upgrade_headers,
                                                    status == 426 ? HTTP_UPGRADE_HEADERS : 0, NULL),
                                 0);
                return;
        }
        assert_true(http_request_is_upgrade(r));
        if (one.late)
                return http_request_skip_body(r, 0);
        assert_int_equal(http_request_accept_websocket(r, on_opened, &one), 0);
}

static void on_body(HttpRequest *r _unused_, void *userdata _unused_) {
        assert_true(one.late);
}

static void on_gone(HttpRequest *r _unused_, void *userdata _unused_) {
        one.n_gone++;
        one.w = websocket_free(one.w);
}

static void on_end(HttpRequest *r, bool complete _unused_, void *userdata _unused_) {
        assert_ptr_equal(r, one.request);
        assert_null(one.w);
        one.n_end++;
}

/* The fixture's server has other functions. */
static int begin(void **state) {
        static const HttpServerOps ops = {
                .head = on_head,
                .body = on_body,
                .gone = on_gone,
                .end = on_end,
        };
        Fixture *f;

        assert_int_equal(setup(state), 0);
        f = *state;
        f->server->ops = ops;
        f->server->userdata = f;
        memset(&one, 0, sizeof(one));
        one.f = f;
        return 0;
}

static void tell(int fd, const char *p, size_t n) {
        assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

#define TELL(fd, text) tell(fd, text, sizeof(text) - 1)

static bool has_frame(Buf *b, const char *p, size_t n) {
        return b->n > 0 && memmem(buf_data(b), b->n, p, n);
}

/* --- heads --- */

static void test_heads(void **state) {
        static const struct {
                const char *head;
                int status; /* 0: 101 */
        } rows[] = {
                { GOOD, 0 },
                { HEAD "Connection: keep-alive, upgrade\r\nUpgrade: WebSocket\r\n"
                  "Sec-WebSocket-Version: 13\r\n" KEY "\r\n", 0 },
                { HEAD "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: "
                  "h2c, websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a\r\n"
                  "Sec-WebSocket-Extensions: permessage-deflate\r\n" KEY "\r\n", 0 },
                { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426 },
                { HEAD "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 426 },
                { HEAD "Connection: Upgrade\r\nUpgrade: websocket\r\n" KEY "\r\n", 426 },
                { HEAD "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                  "Sec-WebSocket-Version: 8\r\n" KEY "\r\n", 426 },
                { HEAD "Connection: keep-alive\r\nUpgrade: websocket\r\n"
                  "Sec-WebSocket-Version: 13\r\n" KEY "\r\n", 400 },
                { HEAD REST "\r\n", 400 },
                { HEAD REST KEY KEY "\r\n", 400 },
                { HEAD REST "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n", 400 },
                { HEAD REST "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=!\r\n\r\n", 400 },
                { HEAD REST "Sec-WebSocket-Key: dGhl-HNhbXBsZSBub25jZQ==\r\n\r\n", 400 },
                { "GET / HTTP/1.0\r\nHost: x\r\n" REST KEY "\r\n", 400 },
                { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" REST KEY "\r\n", 400 },
                { HEAD "Content-Length: 1\r\n" REST KEY "\r\nx", 400 },
                { HEAD "Transfer-Encoding: chunked\r\n" REST KEY "\r\n0\r\n\r\n", 400 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture *f = *state;
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                unsigned n_end = one.n_end;

                one.status = -1;
                say(fd, rows[i].head);
                TURN_UNTIL(f, (hear(fd, &b), has(&b, "\r\n\r\n")));
                if (one.status != rows[i].status)
                        fail_msg("%s: %d", rows[i].head, one.status);
                assert_true(has(&b, rows[i].status == 0   ? "HTTP/1.1 101 " :
                                    rows[i].status == 426 ? " 426 " :
                                                            " 400 "));
                if (rows[i].status == 426)
                        assert_true(has(&b, "Sec-WebSocket-Version: 13\r\n") &&
                                    has(&b, "Upgrade: websocket\r\n"));
                if (rows[i].status == 0) {
                        assert_true(has(&b, ACCEPT) && has(&b, "Upgrade: websocket\r\n"));
                        assert_true(has(&b, "Connection: Upgrade\r\n"));
                        assert_false(has(&b, "Sec-WebSocket-Protocol"));
                        assert_false(has(&b, "Sec-WebSocket-Extensions"));
                }
                (void) shutdown(fd, SHUT_RDWR);
                TURN_UNTIL(f, one.n_end == n_end + 1);
        }
        assert_int_equal(((Fixture *) *state)->server->n_requests, 0);
        assert_int_equal(one.n_gone, 0);
}

/* --- conversations --- */

/* The bytes behind the head, cut anywhere, are the WebSocket's. */
static void test_bytes_behind_the_head(void **state) {
        static const char bytes[] = GOOD HELLO HELLO;
        size_t n = sizeof(bytes) - 1;

        for (size_t cut = 1; cut <= n; cut += cut < sizeof(GOOD) - 4 ? 23 : 1) {
                Fixture *f = *state;
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                unsigned n_messages = one.n_messages, n_end = one.n_end;

                tell(fd, bytes, cut);
                for (unsigned i = 0; i < 3; i++)
                        assert_true(sd_event_run(loop_event(f->loop), USEC_PER_MSEC) >= 0);
                if (cut < n)
                        tell(fd, bytes + cut, n - cut);
                TURN_UNTIL(f, one.n_messages == n_messages + 2);
                TELL(fd, BYE);
                TURN_UNTIL(f, !hear(fd, &b));
                TURN_UNTIL(f, one.n_end == n_end + 1);
                assert_true(has_frame(&b, "\x81\x05hello\x81\x05hello\x88\x02\x03\xe8", 18));
                assert_int_equal(one.end.origin, WEBSOCKET_BY_PEER);
        }
        assert_null(connection_of(*state));
}

/* Bytes that are no HTTP, behind a head that is answered with an error. */
static void test_refused_with_bytes(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);

        TELL(fd, HEAD "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" HELLO);
        TURN_UNTIL(f, !hear(fd, &b));
        assert_true(has(&b, " 426 "));
        assert_int_equal(one.n_messages, 0);
}

/* It is accepted later, when its bytes have come for long. */
static void test_late(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int fd = dial(f);

        one.late = true;
        TELL(fd, GOOD);
        TURN_UNTIL(f, one.request && one.request->suspended);
        TELL(fd, HELLO);
        for (unsigned i = 0; i < 3; i++)
                assert_true(sd_event_run(loop_event(f->loop), USEC_PER_MSEC) >= 0);
        assert_int_equal(http_request_accept_websocket(one.request, on_opened, &one), 0);
        TURN_UNTIL(f, one.n_messages == 1);
        /* the client is gone before the next accept */
        (void) shutdown(fd, SHUT_RDWR);
        TURN_UNTIL(f, one.n_end == 1);
        assert_int_equal(one.end.origin, WEBSOCKET_BY_BREAK);
}

static void test_gone_before_the_accept(void **state) {
        Fixture *f = *state;
        int fd = dial(f);

        one.late = true;
        TELL(fd, GOOD);
        TURN_UNTIL(f, one.request && one.request->suspended);
        fd = safe_close(fd);
        TURN_UNTIL(f, one.n_end == 1);
        assert_int_equal(one.n_gone, 1);
        assert_int_equal(one.n_opened, 0);
}

/* It counts, until libmicrohttpd has closed the socket. */
static void test_counts(void **state) {
        Fixture *f = *state;
        Descriptors *d = loop_descriptors(f->loop);
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        uint64_t n_runs;

        one.keeps = true;
        TELL(fd, GOOD);
        TURN_UNTIL(f, one.n_opened == 1);
        assert_int_equal(f->server->n_connections, 1);
        assert_int_equal(descriptors_used(d, DESCRIPTOR_CLIENT), 1);
        assert_int_equal(http_server_n_requests(f->server), 1);
        http_server_quiesce(f->server);
        assert_false(http_server_is_quiet(f->server));
        TELL(fd, HELLO);
        TURN_UNTIL(f, one.n_messages == 1);
        /* libmicrohttpd is not run for it */
        n_runs = f->server->n_runs;
        for (unsigned i = 0; i < 20; i++) {
                TELL(fd, HELLO);
                TURN_UNTIL(f, one.n_messages == 2 + i);
        }
        assert_int_equal(f->server->n_runs, n_runs);
        TELL(fd, BYE);
        TURN_UNTIL(f, one.n_closed == 1);
        assert_int_equal(descriptors_used(d, DESCRIPTOR_CLIENT), 1);
        assert_int_equal(one.n_end, 0);
        assert_false(http_server_is_quiet(f->server));
        one.w = websocket_free(one.w);
        TURN_UNTIL(f, one.n_end == 1 && !connection_of(f));
        assert_int_equal(f->server->n_connections, 0);
        assert_int_equal(descriptors_used(d, DESCRIPTOR_CLIENT), 0);
        assert_true(http_server_is_quiet(f->server));
        TURN_UNTIL(f, !hear(fd, &b));
}

static void test_cut(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int fd = dial(f);

        TELL(fd, GOOD);
        TURN_UNTIL(f, one.n_opened == 1);
        http_request_cut(one.request);
        TURN_UNTIL(f, one.n_end == 1);
        assert_int_equal(one.end.origin, WEBSOCKET_BY_BREAK);
}

/* The server ends: with an open WebSocket, and with one whose 101 is not sent yet. */
static void test_server_ends(void **state) {
        for (unsigned i = 0; i < 2; i++) {
                Fixture *f = *state;
                _cleanup_close_ int fd = dial(f);

                one.late = i > 0;
                TELL(fd, GOOD);
                TURN_UNTIL(f, i > 0 ? one.request && one.request->suspended : one.n_opened == 1);
                if (i > 0)
                        assert_int_equal(http_request_accept_websocket(one.request, on_opened, &one), 0);
                f->server = http_server_free(f->server);
                assert_int_equal(one.n_gone, 1);
                assert_int_equal(one.n_end, 1);
                assert_null(one.w);
                assert_int_equal(teardown(state), 0);
                assert_int_equal(begin(state), 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_heads, begin, teardown),
                cmocka_unit_test_setup_teardown(test_bytes_behind_the_head, begin, teardown),
                cmocka_unit_test_setup_teardown(test_refused_with_bytes, begin, teardown),
                cmocka_unit_test_setup_teardown(test_late, begin, teardown),
                cmocka_unit_test_setup_teardown(test_gone_before_the_accept, begin, teardown),
                cmocka_unit_test_setup_teardown(test_counts, begin, teardown),
                cmocka_unit_test_setup_teardown(test_cut, begin, teardown),
                cmocka_unit_test_setup_teardown(test_server_ends, begin, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
