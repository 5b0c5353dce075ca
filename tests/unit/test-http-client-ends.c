/* SPDX-License-Identifier: MIT */

/* The second half of test-http-client-http2.c: connections and streams that end, and what becomes of their
 * calls. */

#include "test.h"

#include <systemd/sd-event.h>

#include "base/limits-http-client.h"
#include "http2-calls.h"

#define COMPLETE HTTP_OUTCOME_COMPLETE
#define BROKEN   HTTP_OUTCOME_BROKEN

/* --- the clock: what has passed without being waited for --- */

static usec_t passed;

usec_t __real_loop_now(Loop *l);
usec_t __wrap_loop_now(Loop *l);
int __real_sd_event_source_set_time(sd_event_source *s, uint64_t usec);
int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t usec);

usec_t __wrap_loop_now(Loop *l) {
        return __real_loop_now(l) + passed;
}

int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t usec) {
        return __real_sd_event_source_set_time(s, usec_sub(usec, passed));
}

/* --- connections and streams that end --- */

static void lose(ServerConn *c, bool drops) {
        if (drops)
                server_drop(c);
        else
                server_end(c);
}

static void test_ended_while_idle(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];

        for (int drops = 0; drops < 2; drops++) {
                lose(assert_works(w, c), drops);
                until_settled(w);
                call_post(c);
                stream_answer(request(w), "x");
                call_assert_ends(c, COMPLETE, 200, "x");
        }
}

/* The connection ends when requests are on their way: the server may have processed them. */
static void test_stale(void **state) {
        World *w = *state;

        for (int drops = 0; drops < 2; drops++) {
                Stream *t;

                (void) assert_works(w, &w->f->calls[0]);
                call_post(&w->f->calls[0]);
                call_get(&w->f->calls[1]);
                (void) request(w);
                t = request(w);
                lose(t->conn, drops);
                for (size_t i = 0; i < 2; i++) {
                        call_assert_ends(&w->f->calls[i], BROKEN, 0, "");
                        assert_true(w->f->calls[i].cause[0]);
                        assert_int_equal(w->f->calls[i].n_sent, 1);
                }
                assert_true(is_quiet(w));
        }
}

static void test_reset(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];

        for (int in_body = 0; in_body < 2; in_body++) {
                Stream *t;

                call_get(c);
                t = request(w);
                if (in_body) {
                        stream_head(t, "200", "", false);
                        stream_say(t, "abc", false);
                        until(w, c->body.n == 3);
                }
                stream_reset(t, NGHTTP2_INTERNAL_ERROR);
                call_wait(c);
                assert_int_equal(c->outcome, BROKEN);
                assert_string_equal(c->cause, "The server reset the stream (INTERNAL_ERROR)");
                assert_true(is_quiet(w));
                assert_ptr_equal(assert_works(w, &w->f->calls[1]), t->conn);
        }
}

/* What the server has certainly not processed is sent once more: on the next connection, if this one takes
 * nothing more. */
static void test_refused(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        call_post(c);
        t = request(w);
        stream_reset(t, NGHTTP2_REFUSED_STREAM);
        stream_answer(request(w), "x");
        call_assert_ends(c, COMPLETE, 200, "x");
        assert_int_equal(c->n_sent, 1);

        /* Not when an answer had begun. */
        call_post(c);
        t = request(w);
        stream_head(t, "200", "", false);
        until_settled(w);
        stream_reset(t, NGHTTP2_REFUSED_STREAM);
        call_wait(c);
        assert_int_equal(c->outcome, BROKEN);
        assert_true(is_quiet(w));
}

static void test_goaway(void **state) {
        World *w = *state;
        Stream *t[3], *again;

        for (size_t i = 0; i < ELEMENTSOF(t); i++) {
                call_post(&w->f->calls[i]);
                t[i] = request(w);
        }
        server_goaway(t[0]->conn, t[1]->id, NGHTTP2_NO_ERROR, "");
        again = request(w);
        assert_ptr_not_equal(again->conn, t[0]->conn);
        for (size_t i = 0; i < 2; i++) {
                stream_answer(t[i], "old");
                call_assert_ends(&w->f->calls[i], COMPLETE, 200, "old");
        }
        stream_answer(again, "new");
        call_assert_ends(&w->f->calls[2], COMPLETE, 200, "new");
        assert_int_equal(w->f->calls[2].n_sent, 1);
        until(w, t[0]->conn->ended);
        assert_ptr_equal(assert_works(w, &w->f->calls[0]), again->conn);
}

/* A connection that was idle for long may be dead, and a request that it has taken could not be sent again:
 * so it is asked before. */
static void test_silent_for_long(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        ServerConn *first;
        Stream *t;

        first = assert_works(w, c);
        passed += HTTP_POOL_IDLE_TIME / 2;
        call_post(c);
        t = request(w);
        assert_ptr_equal(t->conn, first);
        assert_int_equal(first->n_pings, 0); /* not yet */
        stream_answer(t, "x");
        call_assert_ends(c, COMPLETE, 200, "x");

        passed += 2 * HTTP_POOL_IDLE_TIME;
        call_post(c);
        t = request(w);
        assert_ptr_equal(t->conn, first);
        assert_int_equal(first->n_pings, 1);
        stream_answer(t, "y");
        call_assert_ends(c, COMPLETE, 200, "y");

        server_deafen(first);
        passed += 2 * HTTP_POOL_IDLE_TIME;
        call_post(c);
        call_post(&w->f->calls[1]);
        t = request(w);
        assert_ptr_not_equal(t->conn, first);
        stream_answer(t, "z");
        call_assert_ends(c, COMPLETE, 200, "z");
        stream_answer(request(w), "z");
        call_assert_ends(&w->f->calls[1], COMPLETE, 200, "z");
        assert_int_equal(c->n_sent, 1);
        assert_int_equal(w->server.n_conns, 2);
}

/* Frames of no stream are no answer to the next request. */
static void test_unasked(void **state) {
        static const unsigned char data[] = { 0, 0, 4, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 0, 0, 0, 3,
                                              'e', 'v', 'i', 'l' };
        static const unsigned char push[] = { 0, 0, 4, NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS,
                                              0, 0, 0, 1, 0, 0, 0, 2 };
        World *w = *state;
        ServerConn *c;

        c = assert_works(w, &w->f->calls[0]);
        server_raw(c, data, sizeof(data));
        until(w, c->ended);
        assert_true(c->left);
        assert_ptr_not_equal(assert_works(w, &w->f->calls[0]), c);

        c = assert_works(w, &w->f->calls[0]);
        server_raw(c, push, sizeof(push));
        until(w, c->ended);
        assert_ptr_not_equal(assert_works(w, &w->f->calls[0]), c);
}

static void test_answer_refused(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        c->refuses = true;
        call_start(c, &(HttpCallParams){});
        t = request(w);
        stream_head(t, "200", "", false);
        stream_say(t, "abc", false);
        call_assert_ends(c, HTTP_OUTCOME_ABORTED, 200, "");
        until(w, t->closed);
        assert_int_equal(t->reset, NGHTTP2_CANCEL);
        assert_ptr_equal(assert_works(w, &w->f->calls[1]), t->conn);
}

/* --- not reached --- */

static void assert_unreached(Call *c, const char *url, usec_t timeout, const char *cause) {
        call_clear(c);
        call_start(c, &(HttpCallParams){ .url = url,
                                         .connect_timeout = timeout,
                                         .secret_header = "x-goog-api-key",
                                         .secret = c->f->key });
        call_assert_ends(c, HTTP_OUTCOME_UNREACHED, 0, "");
        assert_int_equal(c->n_sent, 0);
        assert_non_null(strstr(c->cause, cause));
        assert_null(strstr(c->cause, CALLS_KEY));
}

static void test_unreached(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        char url[128];

        /* A server that does not answer TLS. */
        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", w->f->peer.port);
        assert_unreached(c, url, 100 * USEC_PER_MSEC, "");
        /* One that is not trusted. */
        trust(w, false);
        assert_unreached(c, w->f->url, 20 * USEC_PER_SEC, "certificate");
        /* One that is not there. */
        trust(w, true);
        server_stop_listening(&w->server);
        assert_unreached(c, w->f->url, 20 * USEC_PER_SEC, "Connection refused");
}

/* --- the rest --- */

static void test_cause_has_no_secret(void **state) {
        World *w = *state;
        Call *c = &w->f->calls[0];
        Stream *t;

        call_start(c, &(HttpCallParams){ .secret_header = "x-goog-api-key", .secret = w->f->key });
        t = request(w);
        server_goaway(t->conn, t->id, NGHTTP2_PROTOCOL_ERROR, CALLS_KEY);
        server_end(t->conn);
        call_wait(c);
        assert_int_equal(c->outcome, BROKEN);
        assert_true(c->cause[0]);
        assert_null(strstr(c->cause, CALLS_KEY));
}

static void test_retry_after(void **state) {
        static const struct {
                const char *lines;
                usec_t seconds;
        } rows[] = { { "retry-after: 7\n", 7 }, { "retry-after: 0\n", 0 }, { "", 0 },
                     { "retry-after: soon\n", 0 } };
        World *w = *state;
        Call *c = &w->f->calls[0];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                call_get(c);
                stream_head(request(w), "429", rows[i].lines, true);
                call_wait(c);
                assert_int_equal(c->retry_after, rows[i].seconds * USEC_PER_SEC);
        }
}

static void test_timings(void **state) {
        usec_t begun = clock_monotonic();
        World *w = *state;
        HttpTimings *t = &w->f->calls[0].timings;

        (void) assert_works(w, &w->f->calls[0]);
        assert_false(t->reused);
        assert_true(begun <= t->connected && t->connected <= t->secured && t->secured <= clock_monotonic());
        assert_true(t->sent <= t->head + USEC_PER_MSEC && t->head <= clock_monotonic());
        (void) assert_works(w, &w->f->calls[0]);
        assert_true(t->reused);
        assert_int_equal(t->connected + t->secured, 0);
        assert_true(t->sent > 0 && t->head > 0);
}

static int setup(void **state) {
        passed = 0;
        return world_setup(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_ended_while_idle),
                TEST(test_stale),
                TEST(test_reset),
                TEST(test_refused),
                TEST(test_goaway),
                TEST(test_silent_for_long),
                TEST(test_unasked),
                TEST(test_answer_refused),
                TEST(test_unreached),
                TEST(test_cause_has_no_secret),
                TEST(test_retry_after),
                TEST(test_timings),
        };

        return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
