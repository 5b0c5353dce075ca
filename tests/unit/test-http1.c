/* SPDX-License-Identifier: MIT */

/* A connection that speaks HTTP/1.1, from the first byte of a request to the end of the connection. */

#include "http1-fixture.h"

#include <sys/socket.h>

#include "base/limits-http-client.h"
#include "base/text.h"

#define OK    "HTTP/1.1 200 OK\r\n"
#define THREE OK "Content-Length: 3\r\n\r\nabc"
#define AGENT "Host: a.example\r\nUser-Agent: gemgate/" GEMGATE_VERSION "\r\nAccept: */*\r\n"

static void expect_text(Buf *b, const char *text) {
        assert_string_equal(buf_cstr(b), text);
}

/* The work has ended, in this way. */
static void expect_end(Side *s, HttpWorkEnd end, const char *cause) {
        assert_int_equal(s->n_ends, 1);
        if (s->end != end || !strstr(s->cause, cause))
                fail_msg("end %d: `%s`", (int) s->end, s->cause);
}

static void expect_closed(Side *s, bool closed) {
        assert_int_equal(s->n_closed, closed);
}

/* One that must go well, to see that the connection can carry it. */
static void one_more(Side *s) {
        unsigned n_idle = s->n_idle;

        side_start(s, "POST", "{}");
        side_send_text(s, THREE);
        side_turns(s);
        expect_end(s, HTTP_WORK_COMPLETE, "");
        expect_text(&s->data, "abc");
        assert_int_equal(s->n_idle, n_idle + 1);
        assert_int_equal(s->n_sent, 1);
}

/* --- requests --- */

static void test_requests(void **state) {
        static char a[] = "A: b", c[] = "c:";
        static const struct {
                const char *method, *body, *content_type, *secret;
                char *headers[2];
                const char *sent;
        } rows[] = {
                { "GET", NULL, NULL, NULL, {}, "GET /b?c HTTP/1.1\r\n" AGENT "\r\n" },
                { "GET", NULL, NULL, "AIzakey", { a, c },
                  "GET /b?c HTTP/1.1\r\n" AGENT "x-goog-api-key: AIzakey\r\nA: b\r\nc:\r\n\r\n" },
                { "POST", "{}", NULL, "k", {},
                  "POST /b?c HTTP/1.1\r\n" AGENT "x-goog-api-key: k\r\nContent-Type: application/json\r\n"
                  "Content-Length: 2\r\n\r\n{}" },
                { "PATCH", "", "Content-Type: a/b", NULL, { a },
                  "PATCH /b?c HTTP/1.1\r\n" AGENT "A: b\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n" },
                { "POST", NULL, NULL, NULL, {}, "POST /b?c HTTP/1.1\r\n" AGENT "Content-Length: 0\r\n\r\n" },
                { "DELETE", NULL, NULL, NULL, {}, "DELETE /b?c HTTP/1.1\r\n" AGENT "\r\n" },
                { "HEAD", NULL, NULL, NULL, {}, "HEAD /b?c HTTP/1.1\r\n" AGENT "\r\n" },
        };
        Side *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                side_renew(s);
                side_begin(s, rows[i].method, rows[i].body);
                s->w.p.content_type = rows[i].content_type;
                if (rows[i].secret) {
                        s->w.p.secret_header = "x-goog-api-key";
                        assert_int_equal(
                                secret_new(rows[i].secret, strlen(rows[i].secret), &s->w.p.secret), 0);
                }
                for (size_t k = 0; k < 2 && rows[i].headers[k]; k++)
                        s->headers[s->w.p.n_headers++] = rows[i].headers[k];
                http1_start(s->c, &s->w);
                assert_int_equal(s->n_writes, 1);
                assert_int_equal(s->n_sent, 1);
                side_receive(s);
                expect_text(&s->sent, rows[i].sent);
                side_send_text(s, streq(rows[i].method, "HEAD") ? OK "Content-Length: 3\r\n\r\n" : THREE);
                side_turns(s);
                expect_end(s, HTTP_WORK_COMPLETE, "");
                assert_int_equal(s->n_idle, 1);
        }
}

/* What would begin another header or another request. Nothing is sent. */
static void test_refused_requests(void **state) {
        static char cr[] = "a: b\rc: d", lf[] = "a: b\nc: d", crlf[] = "a: b\r\nc: d", none[] = "a",
                    blank[] = "a : b", empty[] = "";
        static const struct {
                const char *method, *authority, *target, *content_type, *secret_header;
                char *header;
        } rows[] = {
                { .header = cr },
                { .header = lf },
                { .header = crlf },
                { .header = none },
                { .header = blank },
                { .header = empty },
                { .content_type = crlf },
                { .secret_header = "a: b\r\nc" },
                { .secret_header = "" },
                { .method = "GET /" },
                { .method = "" },
                { .target = "" },
                { .target = "/ HTTP/1.1\r\n\r\n" },
                { .target = "/a b" },
                { .authority = "a\r\nb" },
                { .authority = "a b" },
        };
        Side *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                side_renew(s);
                side_begin(s, rows[i].method ?: "POST", "{}");
                s->w.authority = rows[i].authority ?: s->w.authority;
                s->w.target = rows[i].target ?: s->w.target;
                s->w.p.content_type = rows[i].content_type;
                s->headers[0] = rows[i].header;
                s->w.p.n_headers = rows[i].header ? 1 : 0;
                s->w.p.secret_header = rows[i].secret_header;
                if (rows[i].secret_header)
                        assert_int_equal(secret_new("k", 1, &s->w.p.secret), 0);
                http1_start(s->c, &s->w);
                assert_int_equal(s->n_ends, 0);
                side_turns(s);
                expect_end(s, HTTP_WORK_ABORTED, "a character that it must not have");
                expect_closed(s, true);
                assert_int_equal(s->n_writes + s->n_sent, 0);
        }
}

static void test_long_request(void **state) {
        _cleanup_free_ char *target = side_text(HTTP_REQUEST_HEAD_MAX);
        Side *s = *state;

        side_begin(s, "GET", NULL);
        s->w.target = target + 1000;
        http1_start(s->c, &s->w);
        side_send_text(s, THREE);
        side_turns(s);
        expect_end(s, HTTP_WORK_COMPLETE, "");

        side_begin(s, "GET", NULL);
        s->w.target = target;
        http1_start(s->c, &s->w);
        side_turns(s);
        expect_end(s, HTTP_WORK_ABORTED, "The head of the request is too long");
        expect_closed(s, true);
}

/* One write and one read a request, and the watch stays. */
static void test_system_calls(void **state) {
        Side *s = *state;

        one_more(s);
        s->n_reads = s->n_writes = s->n_watches = 0;
        for (unsigned i = 0; i < 10; i++)
                one_more(s);
        assert_int_equal(s->n_writes, 10);
        assert_int_equal(s->n_reads, 10);
        assert_int_equal(s->n_watches, 0);
}

/* --- answers --- */

static const struct {
        const char *answer, *headers, *data;
        int status;
        bool lasts, by_close; /* by_close: the end of the connection is the answer's */
} answers[] = {
        { THREE, "Content-Length: 3|", "abc", 200, true, false },
        { OK "A: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\nT: u\r\n\r\n",
          "A: b|Transfer-Encoding: chunked|", "abcd", 200, true, false },
        { "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" THREE, "Content-Length: 3|", "abc", 200, true, false },
        { "HTTP/1.1 204 No Content\r\n\r\n", "", "", 204, true, false },
        { "HTTP/1.1 429 X\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
          "Connection: close|Content-Length: 3|", "abc", 429, false, false },
        { OK "\r\nabc", "", "abc", 200, false, true },
        { "HTTP/1.0 200 OK\r\n\r\nabc", "", "abc", 200, false, true },
};

static void check_answer(Side *s, size_t i, bool lasts) {
        expect_end(s, HTTP_WORK_COMPLETE, "");
        assert_int_equal(s->w.status, answers[i].status);
        expect_text(&s->headers_seen, answers[i].headers);
        expect_text(&s->data, answers[i].data);
        assert_int_equal(s->n_idle, lasts);
        assert_int_equal(s->n_closed, !lasts);
}

/* Each answer, cut at each byte; the reads short or long; by TLS or not. */
static void test_answers(void **state) {
        Side *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                for (size_t cut = 0, n = strlen(answers[i].answer); cut <= n; cut++)
                        for (unsigned k = 0; k < 4; k++) {
                                side_renew(s);
                                s->is_tls = k & 1;
                                s->read_max = k & 2 ? 3 : SIZE_MAX;
                                side_start(s, "POST", "{}");
                                side_send(s, answers[i].answer, cut);
                                side_turns(s);
                                side_send(s, answers[i].answer + cut, n - cut);
                                side_receive(s); /* closed with something unread, it would be reset */
                                if (answers[i].by_close)
                                        side_close(s);
                                side_turns(s);
                                check_answer(s, i, answers[i].lasts);
                                if (answers[i].lasts)
                                        one_more(s);
                        }
}

/* It is broken off at each byte. */
static void test_broken_answers(void **state) {
        Side *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                for (size_t cut = 0, n = strlen(answers[i].answer); cut < n; cut++) {
                        side_renew(s);
                        if (answers[i].by_close && strstr(answers[i].answer, "\r\n\r\n") &&
                            cut >= (size_t) (strstr(answers[i].answer, "\r\n\r\n") - answers[i].answer) + 4)
                                break;
                        side_start(s, "POST", "{}");
                        side_send(s, answers[i].answer, cut);
                        side_receive(s);
                        side_close(s);
                        side_turns(s);
                        expect_end(s, HTTP_WORK_BROKEN, cut == 0 ? "Empty reply from server" :
                                                                   "closed before the end of the answer");
                        expect_closed(s, true);
                }
}

static void test_invalid_answer(void **state) {
        Side *s = *state;

        side_start(s, "POST", "{}");
        side_send_text(s, OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc");
        side_turns(s);
        expect_end(s, HTTP_WORK_BROKEN, "The answer is not valid HTTP: Content-Length and");
        expect_closed(s, true);
        assert_int_equal(s->w.status, 0);
}

/* Bytes behind an answer belong to no request. */
static void test_bytes_behind(void **state) {
        Side *s = *state;

        for (unsigned tls = 0; tls < 2; tls++)
                for (unsigned k = 0; k < 3; k++) {
                        side_renew(s);
                        s->is_tls = tls;
                        s->read_max = k == 1 ? strlen(THREE) : SIZE_MAX;
                        side_start(s, "POST", "{}");
                        side_send_text(s, THREE);
                        if (k == 2) {
                                side_turns(s);
                                assert_int_equal(s->n_idle, 1);
                        }
                        side_send_text(s, OK);
                        side_turns(s);
                        expect_end(s, HTTP_WORK_COMPLETE, "");
                        expect_text(&s->data, "abc");
                        expect_closed(s, true);
                }
}

/* --- the end of a connection --- */

static void test_idle(void **state) {
        Side *s = *state;

        side_turns(s);
        expect_closed(s, false);
        side_close(s);
        side_turns(s);
        expect_closed(s, true);

        side_renew(s);
        one_more(s);
        assert_int_equal(shutdown(s->fd, SHUT_WR), 0);
        side_turns(s);
        expect_closed(s, true);

        /* What TLS keeps for itself, such as a ticket, is nothing. */
        side_renew(s);
        one_more(s);
        s->is_tls = s->swallows = true;
        side_send_text(s, "ticket");
        side_turns(s);
        expect_closed(s, false);
        s->swallows = false;
        one_more(s);

        side_renew(s);
        side_send_text(s, "x");
        s->frees = true;
        side_turns(s);
        expect_closed(s, true);
        assert_null(s->c);
}

static void test_stale(void **state) {
        Side *s = *state;

        one_more(s);
        side_start(s, "POST", "{}");
        side_receive(s);
        side_close(s);
        side_turns(s);
        expect_end(s, HTTP_WORK_STALE, "The connection was closed before an answer came");
        expect_closed(s, true);

        /* Reset, with the request unread. */
        side_renew(s);
        one_more(s);
        side_receive(s);
        side_start(s, "POST", "{}");
        side_close(s);
        side_turns(s);
        expect_end(s, HTTP_WORK_STALE, "The connection was closed before an answer came");

        /* One byte of an answer, and it is not stale any more. */
        side_renew(s);
        one_more(s);
        side_start(s, "POST", "{}");
        side_receive(s);
        side_send_text(s, "H");
        side_close(s);
        side_turns(s);
        expect_end(s, HTTP_WORK_BROKEN, "closed before the end of the answer");

        /* Never of a new connection. */
        side_renew(s);
        side_start(s, "POST", "{}");
        side_close(s);
        side_turns(s);
        expect_end(s, HTTP_WORK_BROKEN, "the transport's words");
}

/* Not a byte was taken. */
static void test_unsent(void **state) {
        Side *s = *state;

        one_more(s);
        side_close(s);
        side_start(s, "POST", "{}");
        expect_closed(s, false);
        side_turns(s);
        expect_end(s, HTTP_WORK_UNSENT, "the transport's words");
        expect_closed(s, true);
}

/* What the server sent before it closed is the answer, although the request could not be sent to its end. */
static void test_answer_before_the_reset(void **state) {
        _cleanup_free_ char *body = side_text(5 << 20);
        Side *s = *state;

        side_start(s, "POST", body);
        side_turns(s);
        side_send_text(s, "HTTP/1.1 413 X\r\nContent-Length: 3\r\n\r\nabc");
        s->write_error = -EPIPE;
        side_receive(s);
        side_turns(s);
        expect_end(s, HTTP_WORK_COMPLETE, "");
        expect_text(&s->data, "abc");

        /* It comes later. */
        side_renew(s);
        side_begin_read(s, 100);
        s->body = "0123456789";
        s->n_body = 10;
        http1_start(s->c, &s->w);
        side_turns(s);
        side_receive(s);
        side_send_text(s, "HTTP/1.1 413 X\r\nContent-Length: 3\r\n\r\na");
        s->write_error = -EPIPE;
        s->n_body_given = 0;
        http1_continue(s->c);
        side_turns(s);
        assert_int_equal(s->n_ends, 0);
        side_send_text(s, "bc");
        side_turns(s);
        expect_end(s, HTTP_WORK_COMPLETE, "");
        expect_text(&s->data, "abc");
        expect_closed(s, true);
}

/* --- bodies --- */

static void test_large_body(void **state) {
        _cleanup_free_ char *body = side_text(5 << 20);
        Side *s = *state;

        for (size_t max = 1000; max < (16 << 20); max *= 250) {
                side_renew(s);
                s->write_max = max;
                side_start(s, "POST", body);
                for (unsigned n = 0; s->sent.n < 5 << 20 && n < 1000000; n++) {
                        side_receive(s);
                        side_turn(s);
                }
                side_turns(s);
                side_receive(s);
                side_check_body(s, body, 5 << 20);
                side_send_text(s, THREE);
                side_turns(s);
                expect_end(s, HTTP_WORK_COMPLETE, "");
                one_more(s);
        }
}

/* A server that has answered does not wait for the rest; neither do we. */
static void test_answer_to_a_part(void **state) {
        _cleanup_free_ char *body = side_text(5 << 20);
        Side *s = *state;
        size_t n_first;

        side_start(s, "POST", body);
        side_turns(s);
        side_send_text(s, OK "Content-Length: 6\r\n\r\nabc");
        side_turns(s);
        expect_text(&s->data, "abc");
        assert_int_equal(s->n_ends, 0);
        side_receive(s); /* and it sends on, while the answer comes */
        n_first = s->sent.n;
        side_turns(s);
        side_receive(s);
        side_send_text(s, "def");
        side_turns(s);
        expect_end(s, HTTP_WORK_COMPLETE, "");
        expect_text(&s->data, "abcdef");
        assert_true(s->sent.n > n_first && s->sent.n < 5 << 20);
        expect_closed(s, true);
        assert_int_equal(s->n_idle, 0);
}

static void test_read_body(void **state) {
        Side *s = *state;

        for (unsigned k = 0; k < 4; k++) {
                const char *sent_head;
                bool chunked = k & 1;

                side_renew(s);
                s->body = "0123456789";
                s->n_body = 4;
                s->body_max = k & 2 ? 3 : SIZE_MAX;
                side_begin_read(s, chunked ? SIZE_MAX : 10);
                http1_start(s->c, &s->w);
                side_turns(s);
                s->n_body = 7;
                http1_continue(s->c);
                side_turns(s);
                http1_continue(s->c); /* nothing new */
                side_turns(s);
                s->n_body = 10;
                s->body_ends = true;
                http1_continue(s->c);
                side_turns(s);
                side_receive(s);
                if (!chunked)
                        side_check_body(s, "0123456789", 10);
                else if (k & 2) {
                        const char *sent = "0003\r\n012\r\n0001\r\n3\r\n0003\r\n456\r\n"
                                           "0003\r\n789\r\n0\r\n\r\n";

                        side_check_body(s, sent, strlen(sent));
                } else {
                        const char *sent = "0004\r\n0123\r\n0003\r\n456\r\n0003\r\n789\r\n0\r\n\r\n";

                        side_check_body(s, sent, strlen(sent));
                }
                sent_head = buf_cstr(&s->sent);
                assert_int_equal(!!strstr(sent_head, "\r\nTransfer-Encoding: chunked\r\n"), chunked);
                assert_int_equal(!!strstr(sent_head, "\r\nContent-Length: 10\r\n"), !chunked);
                side_send_text(s, THREE);
                side_turns(s);
                expect_end(s, HTTP_WORK_COMPLETE, "");
                one_more(s);
        }
}

/* Head and first piece are one write; later pieces are as large as a record of TLS. */
static void test_pieces(void **state) {
        _cleanup_free_ char *body = side_text(100000);
        Side *s = *state;

        s->body = body;
        s->n_body = 100000;
        side_begin_read(s, 100000);
        http1_start(s->c, &s->w);
        assert_int_equal(s->n_writes + s->n_sent, 0);
        side_turns(s);
        side_receive(s);
        side_check_body(s, body, 100000);
        assert_int_equal(s->n_writes, 100000 / HTTP_CLIENT_PIECE_MAX + 1);
        assert_int_equal(s->n_sent, 1);
}

static void test_body_that_fails(void **state) {
        Side *s = *state;

        s->body = "0123456789";
        s->n_body = 4;
        s->body_ends = true; /* too early */
        side_begin_read(s, 10);
        http1_start(s->c, &s->w);
        side_turns(s);
        expect_end(s, HTTP_WORK_ABORTED, "The body of the request could not be read");
        expect_closed(s, true);

        side_renew(s);
        s->body_error = -EIO;
        side_begin_read(s, 10);
        http1_start(s->c, &s->w);
        assert_int_equal(s->n_ends, 0);
        side_turns(s);
        expect_end(s, HTTP_WORK_ABORTED, "The body of the request could not be read");
}

/* --- pauses, aborts, cancels --- */

static void test_pause(void **state) {
        _cleanup_free_ char *body = side_text(1 << 20);
        char head[64];
        Side *s = *state;

        (void) snprintf(head, sizeof(head), OK "Content-Length: %d\r\n\r\n", 1 << 20);
        for (unsigned tls = 0; tls < 2; tls++) {
                size_t at = 0;

                side_renew(s);
                s->is_tls = tls;
                side_start(s, "POST", "{}");
                side_send_text(s, head);
                side_turns(s);
                s->w.paused = s->pauses = true;
                while (at < 1 << 20) {
                        ssize_t n = send(s->fd, body + at, (1 << 20) - at, MSG_NOSIGNAL);
                        size_t before = s->data.n;

                        at += n > 0 ? (size_t) n : 0;
                        side_turns(s); /* and it rests */
                        assert_int_equal(s->data.n, before);
                        s->w.paused = false;
                        http1_continue(s->c);
                        side_turns(s);
                        assert_true(s->data.n > before && s->data.n <= before + HTTP_CLIENT_READ_MAX);
                }
                s->pauses = s->w.paused = false;
                http1_continue(s->c);
                side_turns(s);
                expect_end(s, HTTP_WORK_COMPLETE, "");
                assert_int_equal(s->data.n, 1 << 20);
                assert_memory_equal(buf_data(&s->data), body, 1 << 20);
                one_more(s);
        }
}

/* The connection ends while the work is paused: the loop rests, and what was sent before is not lost. */
static void test_end_in_a_pause(void **state) {
        Side *s = *state;

        for (unsigned k = 0; k < 8; k++) {
                bool whole = k & 2;

                side_renew(s);
                s->is_tls = k & 1;
                side_start(s, "POST", "{}");
                side_receive(s);
                side_send_text(s, OK "Content-Length: 6\r\n\r\nabc");
                side_turns(s);
                s->w.paused = true;
                if (k & 4) {
                        side_send_text(s, whole ? "def" : "d");
                        side_turns(s);
                }
                if (!(k & 4))
                        side_send_text(s, whole ? "def" : "d");
                side_close(s);
                side_turns(s);
                assert_int_equal(s->n_ends, 0);
                http1_continue(s->c); /* still paused */
                side_turns(s);
                assert_int_equal(s->n_ends, 0);
                expect_text(&s->data, "abc");
                s->w.paused = false;
                http1_continue(s->c);
                side_turns(s);
                expect_text(&s->data, whole ? "abcdef" : "abcd");
                expect_end(s, whole ? HTTP_WORK_COMPLETE : HTTP_WORK_BROKEN, "");
                expect_closed(s, true);
        }
}

/* A work that is paused sends on. */
static void test_upload_in_a_pause(void **state) {
        _cleanup_free_ char *body = side_text(5 << 20);
        Side *s = *state;

        s->body = body;
        side_begin_read(s, 5 << 20);
        http1_start(s->c, &s->w);
        side_turns(s);
        side_send_text(s, OK "Content-Length: 6\r\n\r\nabc");
        side_turns(s);
        s->w.paused = true;
        side_send_text(s, "def");
        side_turns(s);
        s->n_body = 5 << 20;
        for (unsigned i = 0; i < 3; i++) {
                http1_continue(s->c);
                side_turns(s);
        }
        for (unsigned n = 0; n < 1000; n++) {
                side_receive(s);
                side_turns(s);
        }
        side_check_body(s, body, 5 << 20);
        expect_text(&s->data, "abc");
        assert_int_equal(s->n_ends, 0);
        s->w.paused = false;
        http1_continue(s->c);
        side_turns(s);
        expect_end(s, HTTP_WORK_COMPLETE, "");
        expect_text(&s->data, "abcdef");
        assert_int_equal(s->n_idle, 1);
}

static void test_abort(void **state) {
        Side *s = *state;

        for (unsigned k = 0; k < 3; k++) {
                side_renew(s);
                s->header_error = k == 0 ? -E2BIG : 0;
                s->head_error = k == 1 ? -E2BIG : 0;
                s->data_error = k == 2 ? -E2BIG : 0;
                side_start(s, "POST", "{}");
                side_send_text(s, THREE);
                side_turns(s);
                expect_end(s, HTTP_WORK_ABORTED, "The answer was not taken");
                expect_closed(s, true);
                assert_int_equal(s->n_idle, 0);
        }
}

static void test_cancel(void **state) {
        _cleanup_free_ char *body = side_text(5 << 20);
        static const char *const before[] = { "", "HTT", OK "A: ", OK "Content-Length: 3\r\n\r\na" };
        Side *s = *state;

        for (unsigned i = 0; i < 2 * ELEMENTSOF(before); i++)
                for (unsigned k = 0; k < 4; k++) {
                        side_renew(s);
                        side_start(s, "POST", i & 1 ? "{}" : body);
                        side_send_text(s, before[i / 2]);
                        if (k & 1)
                                side_turns(s);
                        if (k & 2)
                                http1_cancel(s->c);
                        else
                                s->c = http1_free(s->c);
                        assert_null(s->w.connection);
                        side_turns(s);
                        assert_int_equal(s->n_ends + s->n_closed + s->n_idle, 0);
                }

        /* Where something waits for the next turn. */
        side_renew(s);
        s->write_error = -EPIPE;
        side_start(s, "POST", "{}");
        http1_cancel(s->c);
        side_turns(s);
        assert_int_equal(s->n_ends + s->n_closed, 0);
        side_renew(s);
        side_begin_read(s, SIZE_MAX);
        http1_start(s->c, &s->w);
        s->c = http1_free(s->c);
        side_turns(s);
        assert_int_equal(s->n_ends + s->n_sent, 0);
}

static void test_free_in_idle(void **state) {
        Side *s = *state;

        s->frees = true;
        side_start(s, "POST", "{}");
        side_send_text(s, THREE);
        side_turns(s);
        expect_end(s, HTTP_WORK_COMPLETE, "");
        assert_null(s->c);
}

/* --- no memory --- */

/* Each allocation of an exchange fails, one after the other. The work ends, and once. */
static void test_no_memory(void **state) {
        Side *s = *state;
        unsigned n = 0;
        bool failed;

        do {
                n++;
                side_renew(s);
                assert_int_equal(buf_reserve(&s->headers_seen, 1000) + buf_reserve(&s->data, 1000), 0);
                s->body = "0123456789";
                s->n_body = 10;
                side_begin_read(s, n % 2 ? 10 : SIZE_MAX);
                s->body_ends = true;
                side_fail_allocation((n + 1) / 2);
                http1_start(s->c, &s->w);
                side_turns(s);
                side_send_text(s, OK "Content-Len");
                side_turns(s);
                side_send_text(s, "gth: 3\r\n\r\nabc");
                side_turns(s);
                failed = side_has_failed();
                assert_int_equal(s->n_ends, 1);
                if (!failed)
                        expect_end(s, HTTP_WORK_COMPLETE, "");
                else if (s->end != HTTP_WORK_COMPLETE)
                        assert_true(s->end == HTTP_WORK_ABORTED || s->end == HTTP_WORK_BROKEN);
                assert_int_equal(s->n_idle + s->n_closed, 1);
        } while (failed);
        assert_true(n > 4);
}

/* --- a turn's share --- */

static void test_fast_server(void **state) {
        Side *s = *state;

        for (size_t max = 1000; max <= 100000; max *= 100) {
                side_renew(s);
                s->read_max = max;
                side_start(s, "POST", "{}");
                side_send_text(s, OK "\r\n");
                side_turns(s);
                s->is_endless = true;
                side_send_text(s, "x"); /* so that epoll shows something */
                for (unsigned i = 0; i < 10; i++) {
                        size_t before = s->n_read;

                        side_turn(s);
                        assert_true(s->n_read <= before + 2 * (HTTP_CLIENT_TURN_MAX + HTTP_CLIENT_READ_MAX));
                }
                assert_true(s->n_read > HTTP_CLIENT_TURN_MAX);
                http1_cancel(s->c);
                s->is_endless = false;
                side_turns(s);
        }
}

#define WITH_SIDE(f) cmocka_unit_test_setup_teardown(f, side_setup, side_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                WITH_SIDE(test_requests),        WITH_SIDE(test_refused_requests),
                WITH_SIDE(test_long_request),    WITH_SIDE(test_system_calls),
                WITH_SIDE(test_answers),
                WITH_SIDE(test_broken_answers),  WITH_SIDE(test_invalid_answer),
                WITH_SIDE(test_bytes_behind),    WITH_SIDE(test_idle),
                WITH_SIDE(test_stale),           WITH_SIDE(test_unsent),
                WITH_SIDE(test_answer_before_the_reset),
                WITH_SIDE(test_large_body),      WITH_SIDE(test_answer_to_a_part),
                WITH_SIDE(test_read_body),       WITH_SIDE(test_pieces),
                WITH_SIDE(test_body_that_fails), WITH_SIDE(test_pause),
                WITH_SIDE(test_end_in_a_pause),  WITH_SIDE(test_upload_in_a_pause),
                WITH_SIDE(test_abort),
                WITH_SIDE(test_cancel),          WITH_SIDE(test_free_in_idle),
                WITH_SIDE(test_fast_server),     WITH_SIDE(test_no_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
