/* SPDX-License-Identifier: MIT */

/*
 * What test-http-client.c demands of each implementation of io/http-client.h, case by case, of the one that
 * speaks HTTP/2: over TLS, with a server of libnghttp2's. Calls share a connection here, so each case also
 * shows that the others of the connection go on. What ends is in test-http-client-ends.c.
 */

#include "test.h"

#include "base/text.h"
#include "http2-calls.h"

#define COMPLETE HTTP_OUTCOME_COMPLETE
#define BROKEN   HTTP_OUTCOME_BROKEN

/* --- the request --- */

static void test_request(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        char one[] = "X-One: 1", two[] = "X-Two: 2", host[64];
        char *const headers[] = { one, two };
        static const char *const lines[] = {
                ":method: POST", ":scheme: https", ":path: /v1/x?y=z", "x-one: 1", "x-two: 2",
                "content-type: application/json", "content-length: 2", ("x-goog-api-key: " CALLS_KEY),
        };
        Stream *t;

        call_start(c, &(HttpCallParams){
                         .body = "{}",
                         .n_body = 2,
                         .headers = headers,
                         .n_headers = 2,
                         .secret_header = "x-goog-api-key",
                         .secret = w->f->key,
                 });
        t = request(w);
        assert_int_equal(c->n_sent, 1);
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (!stream_has(t, lines[i]))
                        fail_msg("no %s in %s", lines[i], buf_cstr(&t->head));
        (void) snprintf(host, sizeof(host), ":authority: 127.0.0.1:%u", w->server.port);
        assert_true(stream_has(t, host));
        assert_null(strstr(buf_cstr(&t->head), "\nexpect:"));
        assert_null(strstr(buf_cstr(&t->head), "\naccept-encoding:"));
        assert_null(strstr(buf_cstr(&t->head), "\ntransfer-encoding:"));
        assert_null(strstr(buf_cstr(&t->head), "\nconnection:"));
        assert_string_equal(buf_cstr(&t->body), "{}");
        stream_head(t, "200", "", true);
        call_assert_ends(c, COMPLETE, 200, "");
}

static void test_methods(void **state) {
        static const struct {
                HttpCallParams p;
                const char *line;
                bool has_length;
        } rows[] = {
                { {}, ":method: GET", false },
                { { .method = "DELETE" }, ":method: DELETE", false },
                { { .method = "HEAD" }, ":method: HEAD", false },
                { { .method = "PATCH", .body = "{}", .n_body = 2 }, ":method: PATCH", true },
                { { .body = "", .n_body = 0 }, ":method: POST", true },
                { { .body = "a", .n_body = 1, .content_type = "Content-Type: a/b" },
                  "content-type: a/b", true },
        };
        World *w = *state;
        Call *c = &w->f->calls[0];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Stream *t;

                call_clear(c);
                call_start(c, &rows[i].p);
                t = request(w);
                assert_true(stream_has(t, rows[i].line));
                assert_int_equal(rows[i].has_length, !!strstr(buf_cstr(&t->head), "\ncontent-length:"));
                assert_int_equal(rows[i].has_length, !!strstr(buf_cstr(&t->head), "\ncontent-type:"));
                stream_head(t, "200", "", true);
                call_assert_ends(c, COMPLETE, 200, "");
        }
        assert_int_equal(w->server.n_conns, 1);
}

/* --- answers, cut at each byte --- */

typedef enum AnswerEnd {
        ENDS,     /* END_STREAM */
        TRAILS,   /* a trailer, with END_STREAM */
        RESETS,   /* RST_STREAM */
        REFUSES,  /* RST_STREAM with REFUSED_STREAM, within an answer */
        CLOSES,   /* the connection */
} AnswerEnd;

typedef struct Answer {
        const char *interim; /* the status of an answer before it; NULL: none */
        const char *status, *lines, *text;
        AnswerEnd end;
        const char *method;
        HttpOutcome outcome;
        const char *headers;
} Answer;

static const Answer answers[] = {
        { NULL, "200", "content-length: 5\n", "hello", ENDS, NULL, COMPLETE, "content-length: 5|" },
        { NULL, "200", "x-a: b c\n", "hello", ENDS, NULL, COMPLETE, "x-a: b c|" },
        { NULL, "200", "", "hello", TRAILS, NULL, COMPLETE, "" },
        { "100", "200", "x-a: b\n", "x", ENDS, NULL, COMPLETE, "x-a: b|" },
        { "103", "200", "", "x", ENDS, NULL, COMPLETE, "" },
        { NULL, "200", "content-length: 500\n", "", ENDS, "HEAD", COMPLETE, "content-length: 500|" },
        { NULL, "204", "x-a: b\n", "", ENDS, NULL, COMPLETE, "x-a: b|" },
        { NULL, "304", "content-length: 9\n", "", ENDS, NULL, COMPLETE, "content-length: 9|" },
        { NULL, "200", "content-length: 0\n", "", ENDS, NULL, COMPLETE, "content-length: 0|" },
        { NULL, "404", "", "no", ENDS, NULL, COMPLETE, "" },
        { NULL, "302", "location: /other\n", "", ENDS, NULL, COMPLETE, "location: /other|" },
        { NULL, "200", "content-encoding: gzip\n", "abc", ENDS, NULL, COMPLETE, "content-encoding: gzip|" },
        { NULL, "200", "content-length: 5\n", "hel", ENDS, NULL, BROKEN, NULL },
        { NULL, "200", "content-length: 2\n", "hello", ENDS, NULL, BROKEN, NULL },
        { NULL, "200", "", "hel", RESETS, NULL, BROKEN, "" },
        { NULL, "200", "", "hel", REFUSES, NULL, BROKEN, "" },
        { NULL, "200", "", "hel", CLOSES, NULL, BROKEN, "" },
        { "103", NULL, "", "", CLOSES, NULL, BROKEN, "" },
};

static void give_answer(Stream *t, const Answer *a) {
        if (a->interim)
                stream_head(t, a->interim, "x-i: j\n", false);
        if (a->status)
                stream_head(t, a->status, a->lines, false);
        if (a->end == TRAILS)
                t->trailers = "x-t: late";
        if (a->status)
                stream_say(t, a->text, a->end == ENDS || a->end == TRAILS);
        (void) server_held(t->conn);
        if (a->end == RESETS)
                stream_reset(t, NGHTTP2_INTERNAL_ERROR);
        if (a->end == REFUSES)
                stream_reset(t, NGHTTP2_REFUSED_STREAM);
}

/* Returns how many bytes the answer has. */
static size_t assert_answer(World *w, const Answer *a, size_t cut) {
        Call *c = &w->f->calls[0], *other = &w->f->calls[1];
        Stream *t, *beside;
        size_t n;

        /* Another stream of the connection is open meanwhile. */
        call_get(other);
        beside = request(w);
        call_clear(c);
        call_start(c, &(HttpCallParams){ .method = a->method });
        t = request(w);
        assert_ptr_equal(t->conn, beside->conn);
        until_settled(w);
        server_hold(t->conn);
        give_answer(t, a);
        n = server_held(t->conn);
        cut = MIN(cut, n);
        server_let_go(t->conn, cut);
        until_settled(w);
        if (t->conn->holds)
                server_let_go(t->conn, server_held(t->conn));
        if (a->end == CLOSES)
                server_end(t->conn);
        call_wait(c);
        if (c->outcome != a->outcome ||
            (a->outcome == COMPLETE &&
             (c->status != (int) strtol(a->status, NULL, 10) || !streq(buf_cstr(&c->body), a->text))) ||
            (a->headers && !streq(buf_cstr(&c->headers), a->headers)))
                fail_msg("%s %s, cut at %zu: %d, %d, %s, %s, %s", strempty(a->status), a->text, cut,
                         (int) c->outcome, c->status, buf_cstr(&c->body), buf_cstr(&c->headers), c->cause);
        assert_int_equal(c->n_sent, 1);
        if (a->end == CLOSES) {
                call_wait(other);
                assert_int_equal(other->outcome, BROKEN);
        } else {
                stream_answer(beside, "ok");
                call_assert_ends(other, COMPLETE, 200, "ok");
        }
        return n;
}

static void test_answers(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                size_t n = 1;

                for (size_t cut = 0; cut <= n; cut++) {
                        const World *w = *state;

                        if (w->server.n_conns > SERVER_CONNS_MAX - 4 ||
                            w->server.n_streams > SERVER_STREAMS_MAX - 4) {
                                (void) world_teardown(state);
                                (void) world_setup(state);
                        }
                        n = assert_answer(*state, &answers[i], cut);
                }
                assert_true(n > 9);
        }
}

/* --- pauses --- */

static void test_pause(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        c->pauses = true;
        call_start(c, &(HttpCallParams){});
        t = request(w);
        stream_head(t, "200", "", false);
        stream_say(t, "abc", false);
        until(w, c->n_data == 1);
        stream_say(t, "def", false);
        until_settled(w);
        assert_int_equal(c->body.n, 3);
        http_call_pause(c->http, false);
        http_call_pause(c->http, true); /* the last one counts */
        until_settled(w);
        assert_int_equal(c->body.n, 3);
        http_call_pause(c->http, false);
        assert_int_equal(c->body.n, 3); /* not from within */
        until(w, c->body.n == 6);
        stream_say(t, "ghi", true);
        until_settled(w);
        assert_int_equal(c->n_done, 0);
        http_call_pause(c->http, false);
        call_assert_ends(c, COMPLETE, 200, "abcdefghi");
}

/* Neither the end of the stream nor that of the connection ends what is held. */
static void test_pause_and_end(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];

        for (int drops = 0; drops < 2; drops++) {
                Stream *t;

                call_clear(c);
                c->pauses = true;
                call_start(c, &(HttpCallParams){});
                t = request(w);
                stream_head(t, "200", "", false);
                stream_say(t, "abc", false);
                until(w, c->n_data == 1);
                stream_say(t, "def", true);
                until_settled(w);
                if (drops)
                        server_drop(t->conn);
                else
                        server_end(t->conn);
                until_settled(w);
                assert_int_equal(c->n_done, 0);
                c->pauses = false;
                http_call_pause(c->http, false);
                call_assert_ends(c, COMPLETE, 200, "abcdef");
        }
}

static void test_pause_in_head(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        c->pauses_head = true;
        call_start(c, &(HttpCallParams){});
        t = request(w);
        stream_head(t, "200", "x-a: b\n", false);
        stream_say(t, "abc", true);
        until(w, c->headers.n > 0);
        until_settled(w);
        assert_int_equal(c->n_data, 0);
        assert_int_equal(c->n_done, 0);
        http_call_pause(c->http, false);
        call_assert_ends(c, COMPLETE, 200, "abc");
}

/* What a paused call holds is bounded, and it holds up no other call of its connection. */
static void test_pause_holds_little(void **state) {
        static const size_t n = 8U << 20;
        _cleanup_free_ char *body = malloc(n);
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        assert_non_null(body);
        memset(body, 'x', n);
        c->pauses = true;
        call_start(c, &(HttpCallParams){});
        t = request(w);
        stream_head(t, "200", "", false);
        stream_data(t, body, n, true);
        until(w, c->n_data == 1);
        until_settled(w);
        assert_true(t->out.n > n / 2);
        assert_ptr_equal(assert_works(w, &w->f->calls[1]), t->conn);
        c->pauses = false;
        http_call_pause(c->http, false);
        call_wait(c);
        assert_int_equal(c->outcome, COMPLETE);
        assert_int_equal(c->body.n, n);
}

/* --- cancel --- */

static void test_cancel(void **state) {
        enum { STARTED, CONNECTED, SENT, IN_HEAD, IN_BODY, PAUSED, WHOLE, WHOLE_PAUSED, _STAGE_MAX };
        World *w = *state;
        Call *c = &w->f->calls[0];

        for (int stage = 0; stage < _STAGE_MAX; stage++) {
                bool whole = stage == WHOLE || stage == WHOLE_PAUSED;
                size_t n = w->server.n_conns;
                Stream *t = NULL;

                call_clear(c);
                c->pauses = stage == PAUSED || stage == WHOLE_PAUSED;
                call_start(c, &(HttpCallParams){ .body = "{}", .n_body = 2 });
                if (stage >= CONNECTED)
                        until(w, w->server.n_conns > n);
                if (stage >= SENT)
                        t = request(w);
                if (stage >= IN_HEAD) {
                        server_hold(t->conn);
                        stream_head(t, "200", "x-a: b\n", false);
                        server_let_go(t->conn, server_held(t->conn) - 3);
                        until_settled(w);
                }
                if (stage >= IN_BODY) {
                        server_let_go(t->conn, server_held(t->conn));
                        stream_say(t, "abc", false);
                }
                if (c->pauses)
                        until(w, c->n_data == 1);
                if (whole)
                        stream_say(t, "defghi", true);
                if (!whole || stage == WHOLE_PAUSED)
                        until_settled(w);
                c->http = http_call_free(c->http);
                if (stage == IN_HEAD)
                        server_let_go(t->conn, server_held(t->conn));
                if (stage >= SENT && !whole) {
                        until(w, t->closed);
                        assert_int_equal(t->reset, NGHTTP2_CANCEL);
                }
                until_settled(w);
                assert_int_equal(c->n_done, 0);
                while (server_find(&w->server, false))
                        ; /* the one that went while it was on its way */
                (void) assert_works(w, &w->f->calls[1]);
                assert_int_equal(w->server.n_conns, n + 1); /* the connection stays */
                server_end(&w->server.conns[n]);            /* the next stage connects again */
                until_settled(w);
        }
}

static void test_cancel_upload(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        c->n_total = 100;
        c->n_ready = 10;
        call_start_ops(c, &(HttpCallParams){ .n_body = 100 }, true);
        t = server_head(&w->server, &w->f->peer);
        until(w, c->n_read == 10);
        c->http = http_call_free(c->http);
        until(w, t->closed);
        assert_int_equal(t->reset, NGHTTP2_CANCEL);
        assert_ptr_equal(assert_works(w, &w->f->calls[1]), t->conn);
}

static void test_many(void **state) {
        World *w = *state;

        for (int kept = 0; kept < 2; kept++) {
                Stream *t[4];

                for (size_t i = 0; i < ELEMENTSOF(t); i++) {
                        call_post(&w->f->calls[i]);
                        t[i] = request(w);
                }
                assert_int_equal(w->server.n_conns, 1);
                /* The last one first. */
                for (size_t i = ELEMENTSOF(t); i-- > 0;) {
                        stream_answer(t[i], "x");
                        call_assert_ends(&w->f->calls[i], COMPLETE, 200, "x");
                }
        }
}

/* No more streams than the server takes: another connection has them. */
static void test_streams_max(void **state) {
        World *w = *state;
        Stream *t[5];

        w->server.streams_max = 2;
        (void) assert_works(w, &w->f->calls[7]); /* its SETTINGS have come */
        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                call_post(&w->f->calls[i]);
        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                t[i] = request(w);
        for (size_t i = 0; i < w->server.n_conns; i++) {
                size_t n = 0;

                for (size_t k = 0; k < ELEMENTSOF(t); k++)
                        n += t[k]->conn == &w->server.conns[i];
                assert_true(n <= 2);
        }
        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                stream_answer(t[i], "x");
        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                call_assert_ends(&w->f->calls[i], COMPLETE, 200, "x");
}

static void test_start_in_done(void **state) {
        World *w = *state;

        w->f->calls[0].then = &w->f->calls[1];
        call_start(&w->f->calls[0], &(HttpCallParams){});
        stream_head(request(w), "200", "", true);
        call_wait(&w->f->calls[0]);
        assert_non_null(w->f->calls[1].http);
        stream_answer(request(w), "x");
        call_assert_ends(&w->f->calls[1], COMPLETE, 200, "x");
        assert_int_equal(w->server.n_conns, 1);
}

/* --- bodies that are not held --- */

static void assert_letters(const Stream *t, size_t n) {
        assert_int_equal(t->body.n, n);
        for (size_t i = 0; i < n; i++)
                if (buf_data(&t->body)[i] != (char) ('a' + i % 26))
                        fail_msg("byte %zu", i);
}

static void test_upload(void **state) {
        static const struct {
                size_t n;
                bool is_known;
        } rows[] = { { 1, true }, { 100000, true }, { 0, true }, { 100000, false }, { 0, false } };
        World *w = *state;
        Call *c = &w->f->calls[0];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char line[64];
                Stream *t;

                call_clear(c);
                c->n_total = rows[i].n;
                c->n_ready = rows[i].n / 3;
                call_start_ops(c, &(HttpCallParams){ .n_body = rows[i].is_known ? rows[i].n : SIZE_MAX },
                               true);
                until(w, c->n_read == c->n_ready && c->n_sent == 1);
                until_settled(w);
                c->n_ready = c->n_total;
                http_call_continue(c->http);
                t = request(w);
                assert_letters(t, rows[i].n);
                (void) snprintf(line, sizeof(line), "content-length: %zu", rows[i].n);
                assert_int_equal(stream_has(t, line), rows[i].is_known);
                stream_answer(t, "ok");
                call_assert_ends(c, COMPLETE, 200, "ok");
        }
        assert_int_equal(w->server.n_conns, 1);
}

static void test_upload_is_not_held(void **state) {
        static const size_t n = 16U << 20;
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        w->server.deaf = true;
        c->n_total = c->n_ready = n;
        call_start_ops(c, &(HttpCallParams){ .n_body = n }, true);
        until(w, c->n_read > 0);
        until_settled(w);
        assert_true(c->n_read < n / 2);
        server_listen_again(&w->server.conns[0]);
        t = request(w);
        assert_letters(t, n);
        stream_head(t, "200", "", true);
        call_assert_ends(c, COMPLETE, 200, "");
}

/* The answer begins before the body has ended. */
static void test_upload_while_answer_comes(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        c->n_total = 100;
        c->n_ready = 10;
        call_start_ops(c, &(HttpCallParams){ .n_body = 100 }, true);
        t = server_head(&w->server, &w->f->peer);
        stream_head(t, "200", "", false);
        stream_say(t, "abc", false);
        until(w, c->n_data == 1);
        c->n_ready = 100;
        http_call_continue(c->http);
        until(w, t->whole);
        assert_letters(t, 100);
        stream_say(t, "de", true);
        call_assert_ends(c, COMPLETE, 200, "abcde");
}

/* A whole answer to half a request: the rest is not wanted. */
static void test_upload_is_answered_early(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        c->n_total = 100;
        c->n_ready = 10;
        call_start_ops(c, &(HttpCallParams){ .n_body = 100 }, true);
        t = server_head(&w->server, &w->f->peer);
        stream_answer(t, "enough");
        call_assert_ends(c, COMPLETE, 200, "enough");
        until(w, t->closed);
        assert_ptr_equal(assert_works(w, &w->f->calls[1]), t->conn);
}

static void test_upload_fails(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];

        for (int is_short = 0; is_short < 2; is_short++) {
                call_clear(c);
                c->n_ready = 10;
                c->n_total = is_short ? 10 : 100;
                c->read_error = is_short ? 0 : -EIO;
                call_start_ops(c, &(HttpCallParams){ .n_body = 100 }, true);
                call_wait(c);
                assert_int_equal(c->outcome, HTTP_OUTCOME_ABORTED);
                until_settled(w);
                while (server_find(&w->server, false))
                        ;
                (void) assert_works(w, &w->f->calls[1]);
        }
        assert_int_equal(w->server.n_conns, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

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
                TEST(test_streams_max),
                TEST(test_start_in_done),
                TEST(test_upload),
                TEST(test_upload_is_not_held),
                TEST(test_upload_while_answer_comes),
                TEST(test_upload_is_answered_early),
                TEST(test_upload_fails),
        };

        return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
