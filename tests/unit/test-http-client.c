/* SPDX-License-Identifier: MIT */

/*
 * What the calls of io/http-client.h must do, whatever the way to the server is. Every test runs for every
 * way; a new one is a row of `ways`.
 */

#include "test.h"

#include "base/text.h"
#include "http-calls.h"

static const Way ways[] = {
        { "direct", "127.0.0.1", NULL },
        { "through an http proxy", "gemini.test", "http://user:hunter2@" },
};

/* --- the request --- */

static void test_request(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        char one[] = "X-One: 1", two[] = "X-Two: 2";
        char *const headers[] = { one, two };
        static const char *const parts[] = {
                "\r\nX-One: 1\r\n", "\r\nX-Two: 2\r\n", "\r\nContent-Type: application/json\r\n",
                "\r\nContent-Length: 2\r\n", "\r\nx-goog-api-key: " CALLS_KEY "\r\n", "\r\n\r\n{}",
        };
        PeerConn *peer;
        char host[128];

        call_start(c, &(HttpCallParams){
                         .body = "{}",
                         .n_body = 2,
                         .headers = headers,
                         .n_headers = 2,
                         .secret_header = "x-goog-api-key",
                         .secret = f->key,
                 });
        peer = peer_request(&f->peer);
        assert_int_equal(c->n_sent, 1);
        assert_non_null(startswith(buf_cstr(&peer->in), "POST /v1/x?y=z HTTP/1.1\r\n"));
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (!strcasestr(buf_cstr(&peer->in), parts[i]))
                        fail_msg("no %s in %s", parts[i], buf_cstr(&peer->in));
        (void) snprintf(host, sizeof(host), "\r\nHost: %s\r\n", f->host);
        assert_non_null(strcasestr(buf_cstr(&peer->in), host));
        assert_null(strcasestr(buf_cstr(&peer->in), "\r\nExpect:"));
        assert_null(strcasestr(buf_cstr(&peer->in), "\r\nAccept-Encoding:"));
        assert_null(strcasestr(buf_cstr(&peer->in), "\r\nTransfer-Encoding:"));
        peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "");
}

static void test_methods(void **state) {
        static const struct {
                HttpCallParams p;
                const char *line;
                bool has_length;
        } rows[] = {
                { {}, "GET /v1/x?y=z HTTP/1.1\r\n", false },
                { { .method = "DELETE" }, "DELETE /v1/x?y=z HTTP/1.1\r\n", false },
                { { .method = "HEAD" }, "HEAD /v1/x?y=z HTTP/1.1\r\n", false },
                { { .method = "PATCH", .body = "{}", .n_body = 2 }, "PATCH /v1/x?y=z HTTP/1.1\r\n", true },
                { { .body = "", .n_body = 0 }, "POST /v1/x?y=z HTTP/1.1\r\n", true },
                { { .body = "a", .n_body = 1, .content_type = "Content-Type: a/b" },
                  "POST /v1/x?y=z HTTP/1.1\r\n", true },
        };
        Fixture *f = *state;
        Call *c = &f->calls[0];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PeerConn *peer;

                call_clear(c);
                call_start(c, &rows[i].p);
                peer = peer_request(&f->peer);
                assert_non_null(startswith(buf_cstr(&peer->in), rows[i].line));
                assert_int_equal(rows[i].has_length, !!strcasestr(buf_data(&peer->in), "\nContent-Length:"));
                assert_int_equal(rows[i].has_length, !!strcasestr(buf_data(&peer->in), "\nContent-Type:"));
                if (rows[i].p.content_type)
                        assert_non_null(strcasestr(buf_data(&peer->in), rows[i].p.content_type));
                peer_forget(peer);
                peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "");
        }
        assert_int_equal(f->peer.n_conns, 1);
}

/* --- answers, cut at each byte --- */

#define OK       "HTTP/1.1 200 OK\r\n"
#define COMPLETE HTTP_OUTCOME_COMPLETE
#define BROKEN   HTTP_OUTCOME_BROKEN

typedef struct Answer {
        const char *text;
        bool ends; /* the server closes the connection behind it */
        const char *method;
        HttpOutcome outcome;
        int status; /* -1: any */
        const char *body, *headers;
} Answer;

static const Answer answers[] = {
        { OK "Content-Length: 5\r\n\r\nhello", false, NULL, COMPLETE, 200, "hello", "Content-Length: 5|" },
        { OK "content-length:5\r\nX-A:  b c \r\n\r\nhello", true, NULL, COMPLETE, 200, "hello", NULL },
        { OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", false, NULL,
          COMPLETE, 200, "abcde", "Transfer-Encoding: chunked|" },
        { OK "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: late\r\n\r\n", false,
          NULL, COMPLETE, 200, "abc", "Transfer-Encoding: chunked|Trailer: X-T|" },
        { OK "X-A: b\r\n\r\nuntil the end", true, NULL, COMPLETE, 200, "until the end", "X-A: b|" },
        { OK "Connection: close\r\nContent-Length: 2\r\n\r\nab", true, NULL, COMPLETE, 200, "ab",
          "Connection: close|Content-Length: 2|" },
        { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", true, NULL, COMPLETE, 200, "ab",
          "Content-Length: 2|" },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
          OK "Content-Length: 1\r\n\r\nx", false, NULL, COMPLETE, 200, "x", "Content-Length: 1|" },
        { OK "Content-Length: 500\r\n\r\n", false, "HEAD", COMPLETE, 200, "", "Content-Length: 500|" },
        { OK "Transfer-Encoding: chunked\r\n\r\n", false, "HEAD", COMPLETE, 200, "",
          "Transfer-Encoding: chunked|" },
        { "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", false, NULL, COMPLETE, 204, "", "X-A: b|" },
        { "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, NULL, COMPLETE, 304, "",
          "Content-Length: 9|" },
        { OK "Content-Length: 0\r\n\r\n", false, NULL, COMPLETE, 200, "", "Content-Length: 0|" },
        { "HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno", false, NULL, COMPLETE, 404, "no",
          "Content-Length: 2|" },
        { "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", false, NULL, COMPLETE,
          302, "", "Location: /other|Content-Length: 0|" },
        { OK "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", false, NULL, COMPLETE, 200, "abc",
          "Content-Encoding: gzip|Content-Length: 3|" },
        { OK "Content-Length: 5\r\n\r\nhel", true, NULL, BROKEN, 200, "hel", NULL },
        { OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", true, NULL, BROKEN, 200, "hel", NULL },
        { OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", true, NULL, BROKEN, 200, "hel", NULL },
        { OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", true, NULL, BROKEN, 200, "", NULL },
        { "SSH-2.0-OpenSSH_9.2\r\n", true, NULL, BROKEN, 0, "", "" },
        { "HTTP/1.1 200 OK\r\nContent-Le", true, NULL, BROKEN, -1, "", NULL },
        { "", true, NULL, BROKEN, 0, "", "" },
};

static void assert_answer(Fixture *f, const Answer *a, size_t cut) {
        Call *c = &f->calls[0];
        size_t n = strlen(a->text), n_conns = f->peer.n_conns;
        PeerConn *peer;

        call_clear(c);
        call_start(c, &(HttpCallParams){ .method = a->method });
        peer = peer_request(&f->peer);
        peer_forget(peer);
        peer_write(peer, a->text, cut);
        peer_settle(&f->peer);
        peer_write(peer, a->text + cut, n - cut);
        if (a->ends)
                peer_end(peer);
        call_wait(c);
        if (c->outcome != a->outcome || (a->status >= 0 && c->status != a->status) ||
            !streq(buf_cstr(&c->body), a->body) || (a->headers && !streq(buf_cstr(&c->headers), a->headers)))
                fail_msg("%s, cut at %zu: %d, %d, %s, %s, %s", a->text, cut, (int) c->outcome, c->status,
                         buf_data(&c->body), buf_data(&c->headers), c->cause);
        assert_int_equal(c->n_sent, 1);
        /* It was one connection as long as the server kept it. */
        if (!a->ends && n_conns > 0)
                assert_int_equal(f->peer.n_conns, n_conns);
}

static void test_answers(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                for (size_t cut = 0; cut <= strlen(answers[i].text); cut++) {
                        const Fixture *f = *state;

                        if (f->peer.n_conns > PEER_CONNS_MAX - 4) {
                                (void) calls_teardown(state);
                                (void) calls_setup(state);
                        }
                        assert_answer(*state, &answers[i], cut);
                }
                (void) calls_teardown(state);
                (void) calls_setup(state);
        }
}

/* --- pauses --- */

static void test_pause(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;

        c->pauses = true;
        call_start(c, &(HttpCallParams){});
        peer = peer_request(&f->peer);
        peer_say(peer, OK "Content-Length: 9\r\n\r\nabc");
        peer_until(&f->peer, c->n_data == 1);
        peer_say(peer, "def");
        peer_settle(&f->peer);
        assert_int_equal(c->body.n, 3);
        http_call_pause(c->http, false);
        http_call_pause(c->http, true); /* the last one counts */
        peer_settle(&f->peer);
        assert_int_equal(c->body.n, 3);
        http_call_pause(c->http, false);
        assert_int_equal(c->body.n, 3); /* not from within */
        peer_until(&f->peer, c->body.n == 6);
        peer_say(peer, "ghi");
        peer_settle(&f->peer);
        assert_int_equal(c->n_done, 0);
        http_call_pause(c->http, false);
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "abcdefghi");
}

/* The end of the connection ends nothing that is held. */
static void test_pause_and_end(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;

        c->pauses = true;
        call_start(c, &(HttpCallParams){});
        peer = peer_request(&f->peer);
        peer_say(peer, OK "\r\nabc");
        peer_until(&f->peer, c->n_data == 1);
        peer_say(peer, "def");
        peer_end(peer);
        peer_settle(&f->peer);
        assert_int_equal(c->n_done, 0);
        c->pauses = false;
        http_call_pause(c->http, false);
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "abcdef");
}

static void test_pause_in_head(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;

        c->pauses_head = true;
        call_start(c, &(HttpCallParams){});
        peer = peer_request(&f->peer);
        peer_say(peer, OK "Content-Length: 3\r\n\r\nabc");
        peer_until(&f->peer, c->headers.n > 0);
        peer_settle(&f->peer);
        assert_int_equal(c->n_data, 0);
        assert_int_equal(c->n_done, 0);
        http_call_pause(c->http, false);
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "abc");
}

/* What a paused call holds is bounded: the rest waits at the server. */
static void test_pause_holds_little(void **state) {
        static const size_t n = 64U << 20;
        _cleanup_free_ char *body = malloc(n);
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;
        char head[64];

        assert_non_null(body);
        memset(body, 'x', n);
        c->pauses = true;
        call_start(c, &(HttpCallParams){});
        peer = peer_request(&f->peer);
        (void) snprintf(head, sizeof(head), OK "Content-Length: %zu\r\n\r\n", n);
        peer_say(peer, head);
        peer_write(peer, body, n);
        peer_until(&f->peer, c->n_data == 1);
        peer_settle(&f->peer);
        assert_true(peer->out.n > n / 2);
        (void) call_assert_works(&f->calls[1]); /* and holds up no other */
        c->pauses = false;
        http_call_pause(c->http, false);
        call_wait(c);
        assert_int_equal(c->outcome, HTTP_OUTCOME_COMPLETE);
        assert_int_equal(c->body.n, n);
}

/* --- cancel --- */

static void test_cancel(void **state) {
        enum { STARTED, CONNECTED, SENT, IN_HEAD, IN_BODY, PAUSED, WHOLE, WHOLE_PAUSED, _STAGE_MAX };
        Fixture *f = *state;
        Call *c = &f->calls[0];

        for (int stage = 0; stage < _STAGE_MAX; stage++) {
                bool whole = stage == WHOLE || stage == WHOLE_PAUSED;
                PeerConn *peer = NULL;
                size_t n = f->peer.n_conns;

                call_clear(c);
                c->pauses = stage == PAUSED || stage == WHOLE_PAUSED;
                call_start(c, &(HttpCallParams){ .body = "{}", .n_body = 2 });
                if (stage >= CONNECTED) {
                        peer_until(&f->peer, f->peer.n_conns > n);
                        peer = &f->peer.conns[n];
                }
                if (stage >= SENT)
                        peer = peer_request(&f->peer);
                if (stage >= IN_HEAD)
                        peer_say(peer, OK "Content-");
                if (stage >= IN_BODY)
                        peer_say(peer, "Length: 9\r\n\r\nabc");
                if (c->pauses)
                        peer_until(&f->peer, c->n_data == 1);
                if (whole)
                        peer_say(peer, "defghi");
                if (!whole || stage == WHOLE_PAUSED)
                        peer_settle(&f->peer);
                c->http = http_call_free(c->http);
                if (stage >= SENT && !whole)
                        peer_until(&f->peer, peer->ended);
                peer_settle(&f->peer);
                assert_int_equal(c->n_done, 0);
                (void) call_assert_works(&f->calls[1]);
                for (size_t i = 0; i < f->peer.n_conns; i++)
                        if (f->peer.conns[i].fd >= 0)
                                peer_end(&f->peer.conns[i]); /* the next stage connects again */
                peer_settle(&f->peer);
        }
}

static void test_cancel_upload(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];

        c->n_total = 100;
        c->n_ready = 10;
        call_start_ops(c, &(HttpCallParams){ .n_body = 100 }, true);
        peer_until(&f->peer, c->n_read == 10);
        c->http = http_call_free(c->http);
        peer_until(&f->peer, f->peer.n_conns == 1 && f->peer.conns[0].ended);
        (void) call_assert_works(&f->calls[1]);
}

static void test_many(void **state) {
        Fixture *f = *state;

        for (int kept = 0; kept < 2; kept++) {
                PeerConn *peers[4];

                for (size_t i = 0; i < ELEMENTSOF(peers); i++) {
                        call_post(&f->calls[i]);
                        peers[i] = peer_request(&f->peer);
                }
                assert_int_equal(f->peer.n_conns, ELEMENTSOF(peers));
                /* The last one first. */
                for (size_t i = ELEMENTSOF(peers); i-- > 0;) {
                        peer_forget(peers[i]);
                        peer_say(peers[i], OK "Content-Length: 1\r\n\r\nx");
                        call_assert_ends(&f->calls[i], HTTP_OUTCOME_COMPLETE, 200, "x");
                }
        }
}

static void test_start_in_done(void **state) {
        Fixture *f = *state;
        PeerConn *peer;

        f->calls[0].then = &f->calls[1];
        call_start(&f->calls[0], &(HttpCallParams){});
        peer = peer_request(&f->peer);
        peer_forget(peer);
        peer_say(peer, OK "Content-Length: 0\r\n\r\n");
        call_wait(&f->calls[0]);
        assert_non_null(f->calls[1].http);
        peer = peer_request(&f->peer);
        peer_say(peer, OK "Content-Length: 1\r\n\r\nx");
        call_assert_ends(&f->calls[1], HTTP_OUTCOME_COMPLETE, 200, "x");
        assert_int_equal(f->peer.n_conns, 1);
}

/* --- connections that end --- */

static void test_ended_while_idle(void **state) {
        Fixture *f = *state;

        peer_end(call_assert_works(&f->calls[0]));
        peer_settle(&f->peer);
        call_post(&f->calls[0]);
        (void) peer_request(&f->peer);
        peer_reset(call_assert_works(&f->calls[1]));
        peer_settle(&f->peer);
        call_post(&f->calls[1]);
        (void) peer_request(&f->peer);
}

static void lose(PeerConn *c, bool by_reset) {
        if (by_reset)
                peer_reset(c);
        else
                peer_end(c);
}

/* The kept connection ends when the next request is on its way. */
static void test_stale(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];

        for (int by_reset = 0; by_reset < 2; by_reset++) {
                (void) call_assert_works(c);
                call_post(c);
                lose(peer_request(&f->peer), by_reset);
                call_assert_ends(c, HTTP_OUTCOME_BROKEN, 0, "");
                call_assert_cause(c, "The connection was closed before an answer came");
                assert_int_equal(c->n_sent, 1);
                assert_true(peer_is_quiet(&f->peer));

                (void) call_assert_works(c);
                call_get(c);
                lose(peer_request(&f->peer), by_reset);
                lose(peer_request(&f->peer), by_reset); /* it is sent once more */
                call_wait(c);
                assert_int_equal(c->outcome, HTTP_OUTCOME_BROKEN);
                assert_int_equal(c->n_sent, 1);
                assert_true(peer_is_quiet(&f->peer)); /* and not a third time */
        }
}

/* After the first line of the answer nothing is sent once more. */
static void test_stale_in_answer(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;

        (void) call_assert_works(c);
        call_get(c);
        peer = peer_request(&f->peer);
        peer_say(peer, OK);
        peer_settle(&f->peer);
        peer_end(peer);
        call_wait(c);
        assert_int_equal(c->outcome, HTTP_OUTCOME_BROKEN);
        assert_true(peer_is_quiet(&f->peer));
}

static void test_reset(void **state) {
        static const char *const parts[] = { "", OK "Content-", OK "Content-Length: 9\r\n\r\n",
                                            OK "Content-Length: 9\r\n\r\nabc" };
        Fixture *f = *state;
        Call *c = &f->calls[0];

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                PeerConn *peer;

                call_get(c);
                peer = peer_request(&f->peer);
                peer_say(peer, parts[i]);
                peer_settle(&f->peer);
                peer_reset(peer);
                call_wait(c);
                assert_int_equal(c->outcome, HTTP_OUTCOME_BROKEN);
                assert_true(c->cause[0]);
                assert_true(peer_is_quiet(&f->peer));
        }
}

/* What comes unasked on a kept connection is no answer to the next request. */
static void test_unasked(void **state) {
        Fixture *f = *state;

        PeerConn *peer;

        peer = call_assert_works(&f->calls[0]);
        peer_say(peer, OK "Content-Length: 4\r\n\r\nevil");
        peer_settle(&f->peer);
        assert_ptr_not_equal(call_assert_works(&f->calls[0]), peer);
}

static void test_answer_refused(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;

        c->refuses = true;
        call_start(c, &(HttpCallParams){});
        peer = peer_request(&f->peer);
        peer_say(peer, OK "Content-Length: 9\r\n\r\nabc");
        call_assert_ends(c, HTTP_OUTCOME_ABORTED, 200, "");
        (void) call_assert_works(&f->calls[1]);
}

/* --- bodies that are not held --- */

static void assert_letters(const PeerConn *peer, size_t n) {
        _cleanup_buf_ Buf body = BUF_INIT(HELD_MAX);

        peer_body(peer, &body);
        assert_int_equal(body.n, n);
        for (size_t i = 0; i < n; i++)
                if (buf_data(&body)[i] != (char) ('a' + i % 26))
                        fail_msg("byte %zu", i);
}

static void test_upload(void **state) {
        static const struct {
                size_t n;
                bool is_known;
        } rows[] = { { 1, true }, { 100000, true }, { 0, true }, { 100000, false }, { 0, false } };
        Fixture *f = *state;
        Call *c = &f->calls[0];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PeerConn *peer;

                call_clear(c);
                c->n_total = rows[i].n;
                c->n_ready = rows[i].n / 3;
                call_start_ops(c, &(HttpCallParams){ .n_body = rows[i].is_known ? rows[i].n : SIZE_MAX },
                               true);
                peer_until(&f->peer, c->n_read == c->n_ready && c->n_sent == 1);
                peer_settle(&f->peer);
                c->n_ready = c->n_total;
                http_call_continue(c->http);
                peer = peer_request(&f->peer);
                assert_letters(peer, rows[i].n);
                assert_null(strcasestr(buf_cstr(&peer->in), "\r\nExpect:"));
                peer_forget(peer);
                peer_say(peer, OK "Content-Length: 2\r\n\r\nok");
                call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "ok");
        }
        assert_int_equal(f->peer.n_conns, 1);
}

static void test_upload_is_not_held(void **state) {
        static const size_t n = 64U << 20;
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;

        f->peer.deaf = true;
        c->n_total = c->n_ready = n;
        call_start_ops(c, &(HttpCallParams){ .n_body = n }, true);
        peer_until(&f->peer, c->n_read > 0);
        peer_settle(&f->peer);
        assert_true(c->n_read < n / 2);
        peer = &f->peer.conns[0];
        peer->deaf = false;
        assert_int_equal(loop_fd_modify(f->loop, &peer->watch, EPOLLIN), 0);
        peer_until(&f->peer, peer->in.n > n);
        assert_letters(peer_request(&f->peer), n);
        peer_say(peer, OK "Content-Length: 0\r\n\r\n");
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "");
}

/* The answer begins before the body has ended. */
static void test_upload_while_answer_comes(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;

        c->n_total = 100;
        c->n_ready = 10;
        call_start_ops(c, &(HttpCallParams){ .n_body = 100 }, true);
        peer_until(&f->peer, f->peer.n_conns == 1 && f->peer.conns[0].in.n > 0 && c->n_read == 10);
        peer = &f->peer.conns[0];
        peer_say(peer, OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        peer_until(&f->peer, c->n_data == 1);
        c->n_ready = 100;
        http_call_continue(c->http);
        assert_letters(peer_request(&f->peer), 100);
        peer_say(peer, "2\r\nde\r\n0\r\n\r\n");
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "abcde");
}

static void test_upload_fails(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];

        for (int is_short = 0; is_short < 2; is_short++) {
                call_clear(c);
                c->n_ready = 10;
                c->n_total = is_short ? 10 : 100;
                c->read_error = is_short ? 0 : -EIO;
                call_start_ops(c, &(HttpCallParams){ .n_body = 100 }, true);
                call_wait(c);
                assert_int_equal(c->outcome, HTTP_OUTCOME_ABORTED);
                (void) call_assert_works(&f->calls[1]);
                peer_end(&f->peer.conns[f->peer.n_conns - 1]);
                peer_settle(&f->peer);
        }
}

/* --- not reached --- */

static void assert_unreached(Call *c, const char *url, usec_t timeout) {
        call_clear(c);
        call_start(c, &(HttpCallParams){ .url = url,
                                    .connect_timeout = timeout,
                                    .secret_header = "x-goog-api-key",
                                    .secret = c->f->key });
        call_assert_ends(c, HTTP_OUTCOME_UNREACHED, 0, "");
        assert_int_equal(c->n_sent, 0);
        assert_true(c->cause[0]);
        assert_null(strstr(c->cause, CALLS_KEY));
        assert_null(strstr(c->cause, "hunter2"));
        assert_null(strchr(c->cause, '\n'));
}

static void test_unreached(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        char url[128];

        (void) snprintf(url, sizeof(url), "https://%s/x", f->host);
        /* The server does not answer TLS. */
        assert_unreached(c, url, 100 * USEC_PER_MSEC);

        /* It speaks something else. */
        call_clear(c);
        call_start(c, &(HttpCallParams){ .url = url });
        peer_until(&f->peer, f->peer.n_conns == 2 && f->peer.conns[1].in.n > 0);
        peer_say(&f->peer.conns[1], "HTTP/1.1 400 Bad Request\r\n\r\n");
        call_assert_ends(c, HTTP_OUTCOME_UNREACHED, 0, "");

        /* It hangs up. */
        call_clear(c);
        call_start(c, &(HttpCallParams){ .url = url });
        peer_until(&f->peer, f->peer.n_conns == 3 && f->peer.conns[2].in.n > 0);
        peer_end(&f->peer.conns[2]);
        call_assert_ends(c, HTTP_OUTCOME_UNREACHED, 0, "");

        peer_stop_listening(&f->peer);
        assert_unreached(c, f->url, USEC_PER_SEC);
        if (f->proxy) {
                char want[128];

                (void) snprintf(want, sizeof(want), "proxy %s: connection refused", proxy_address(f->proxy));
                assert_string_equal(c->cause, want);
        } else
                assert_non_null(startswith(c->cause, "Connection refused"));
        assert_unreached(c, "http://name.invalid/", 20 * USEC_PER_SEC);
}

/* --- the rest --- */

static void test_cause_has_no_secret(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        PeerConn *peer;

        call_start(c, &(HttpCallParams){ .secret_header = "x-goog-api-key", .secret = f->key });
        peer = peer_request(&f->peer);
        peer_say(peer, "HTTP/9.9 " CALLS_KEY "\r\n" CALLS_KEY ": " CALLS_KEY "\r\n\r\n");
        peer_end(peer);
        call_wait(c);
        assert_int_equal(c->outcome, HTTP_OUTCOME_BROKEN);
        assert_true(c->cause[0]);
        assert_null(strstr(c->cause, CALLS_KEY));
}

static void test_retry_after(void **state) {
        static const struct {
                const char *value;
                usec_t seconds;
        } rows[] = { { "Retry-After: 7\r\n", 7 }, { "retry-after:0\r\n", 0 }, { "", 0 },
                     { "Retry-After: soon\r\n", 0 },
                     { "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0 } };
        Fixture *f = *state;
        Call *c = &f->calls[0];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PeerConn *peer;

                call_get(c);
                peer = peer_request(&f->peer);
                peer_forget(peer);
                peer_say(peer, "HTTP/1.1 429 Too Many Requests\r\n");
                peer_say(peer, rows[i].value);
                peer_say(peer, "Content-Length: 0\r\n\r\n");
                call_wait(c);
                assert_int_equal(c->retry_after, rows[i].seconds * USEC_PER_SEC);
        }
}

static void test_retry_after_date(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];
        time_t then = time(NULL) + 100;
        PeerConn *peer;
        char line[128];
        struct tm tm;

        call_get(c);
        assert_non_null(gmtime_r(&then, &tm));
        (void) strftime(line, sizeof(line), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
        peer = peer_request(&f->peer);
        peer_say(peer, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n");
        peer_say(peer, line);
        peer_say(peer, "\r\n");
        call_wait(c);
        assert_in_range(c->retry_after, 80 * USEC_PER_SEC, 100 * USEC_PER_SEC);
}

static void test_timings(void **state) {
        usec_t begun = clock_monotonic();
        Fixture *f = *state;
        HttpTimings *t = &f->calls[0].timings;

        (void) call_assert_works(&f->calls[0]);
        assert_false(t->reused);
        assert_true(begun <= t->connected && t->connected <= t->sent + USEC_PER_MSEC);
        assert_int_equal(t->secured, 0);
        assert_true(t->sent <= t->head + USEC_PER_MSEC && t->head <= clock_monotonic());
        (void) call_assert_works(&f->calls[0]);
        assert_true(t->reused);
        assert_int_equal(t->connected, 0);
        assert_true(t->sent > 0 && t->head > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, calls_setup, calls_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_request),
                TEST(test_methods),
                TEST(test_answers),
                TEST(test_pause),
                TEST(test_pause_and_end),
                TEST(test_pause_in_head),
                TEST(test_pause_holds_little),
                TEST(test_cancel),
                TEST(test_cancel_upload),
                TEST(test_many),
                TEST(test_start_in_done),
                TEST(test_ended_while_idle),
                TEST(test_stale),
                TEST(test_stale_in_answer),
                TEST(test_reset),
                TEST(test_unasked),
                TEST(test_answer_refused),
                TEST(test_upload),
                TEST(test_upload_is_not_held),
                TEST(test_upload_while_answer_comes),
                TEST(test_upload_fails),
                TEST(test_unreached),
                TEST(test_cause_has_no_secret),
                TEST(test_retry_after),
                TEST(test_retry_after_date),
                TEST(test_timings),
        };
        int failed = 0;

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                calls_by = &ways[i];
                failed += cmocka_run_group_tests_name(calls_by->name, tests, NULL, NULL);
        }
        return failed;
}
