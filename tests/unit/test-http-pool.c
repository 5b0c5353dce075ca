/* SPDX-License-Identifier: MIT */

/*
 * Which call goes over which connection, and what is sent once more. Dials and connections are doubles: the
 * test decides what becomes of them.
 */

#include "test.h"

#include <systemd/sd-event.h>

#include "pool-calls.h"

/* --- URLs --- */

static void test_urls(void **state) {
        static const struct {
                const char *url, *host, *target, *authority;
                uint16_t port; /* 0: it is refused */
        } rows[] = {
                { "http://a.b/c?d", "a.b", "/c?d", "a.b", 80 },
                { "https://a.b", "a.b", "/", "a.b", 443 },
                { "https://a.b:8443?q", "a.b", "/?q", "a.b:8443", 8443 },
                { "http://[::1]:81/x#y", "[::1]", "/x", "[::1]:81", 81 },
                { "http://[::1]/", "[::1]", "/", "[::1]", 80 },
                { "ftp://a/", NULL, NULL, NULL, 0 },
                { "http:///x", NULL, NULL, NULL, 0 },
                { "http://:80/x", NULL, NULL, NULL, 0 },
                { "http://u:p@a/", NULL, NULL, NULL, 0 },
                { "http://a:0/", NULL, NULL, NULL, 0 },
                { "http://a:70000/", NULL, NULL, NULL, 0 },
                { "http://a:x/", NULL, NULL, NULL, 0 },
                { "http://a:/", NULL, NULL, NULL, 0 },
                { "http://[::1/", NULL, NULL, NULL, 0 },
                { "http://[::1]x/", NULL, NULL, NULL, 0 },
                { "", NULL, NULL, NULL, 0 },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t n = n_dials;
                int r = start_as(f, 0, &(HttpCallParams){ .url = rows[i].url }, false);

                if (rows[i].port == 0) {
                        assert_int_equal(r, -EINVAL);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_int_equal(n_dials, n + 1);
                assert_string_equal(dials[n]->host, rows[i].host);
                assert_int_equal(dials[n]->p.port, rows[i].port);
                assert_int_equal(dials[n]->p.tls, rows[i].url[4] == 's');
                assert_int_equal(dials[n]->p.http2, dials[n]->p.tls);
                assert_string_equal(work_of(&f->calls[0])->target, rows[i].target);
                assert_string_equal(work_of(&f->calls[0])->authority, rows[i].authority);
                undialled(f->loop, n);
                assert_done(&f->calls[0], HTTP_OUTCOME_UNREACHED);
        }
}

/* --- HTTP/1.1 --- */

static void test_each_has_a_connection(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < 3; i++)
                start(f, i, HOST "/");
        assert_int_equal(n_dials, 3);
        dialled(f->loop, 2, false); /* the first connection is for the oldest call */
        assert_ptr_equal(ones[0]->work, work_of(&f->calls[0]));
        dialled(f->loop, 0, false);
        dialled(f->loop, 1, false);
        assert_ptr_equal(ones[2]->work, work_of(&f->calls[2]));
        ends(f->loop, 1, HTTP_WORK_COMPLETE, true);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        ends(f->loop, 2, HTTP_WORK_COMPLETE, false);
        for (size_t i = 0; i < 3; i++)
                assert_done(&f->calls[i], HTTP_OUTCOME_COMPLETE);
        assert_null(ones[2]);

        /* The one that was used last; then the other one; then a new one. */
        for (size_t i = 0; i < 3; i++)
                start(f, i, HOST "/");
        assert_ptr_equal(ones[0]->work, work_of(&f->calls[0]));
        assert_ptr_equal(ones[1]->work, work_of(&f->calls[1]));
        assert_int_equal(n_dials, 4);
        /* A connection that becomes free is for the one that waits; its dial is for the next one. */
        ends(f->loop, 1, HTTP_WORK_COMPLETE, true);
        assert_ptr_equal(ones[1]->work, work_of(&f->calls[2]));
        start(f, 3, HOST "/");
        assert_int_equal(n_dials, 4);
        dialled(f->loop, 3, false);
        assert_ptr_equal(ones[3]->work, work_of(&f->calls[3]));
}

static void test_another_origin(void **state) {
        static const char *const urls[] = { HOST ":81/", "http://one.tes/", "http://one.test.org/",
                                            SAFE "/" };
        Fixture *f = *state;

        start(f, 0, HOST "/");
        dialled(f->loop, 0, false);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        for (size_t i = 0; i < ELEMENTSOF(urls); i++) {
                start(f, 1, urls[i]);
                assert_int_equal(n_dials, 2 + i);
        }
}

static void test_idle_is_bounded(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < HTTP_POOL_IDLE_MAX + 5; i++)
                start(f, i, HOST "/");
        for (size_t i = 0; i < HTTP_POOL_IDLE_MAX + 5; i++)
                dialled(f->loop, i, false);
        assert_int_equal(n_alive, HTTP_POOL_IDLE_MAX + 5);
        for (size_t i = 0; i < HTTP_POOL_IDLE_MAX + 5; i++)
                ends(f->loop, i, HTTP_WORK_COMPLETE, true);
        assert_int_equal(n_alive, HTTP_POOL_IDLE_MAX);
        assert_null(ones[4]); /* the oldest ones have ended */
        assert_non_null(ones[5]);
}

static void test_idle_ends(void **state) {
        Fixture *f = *state;

        start(f, 0, HOST "/");
        dialled(f->loop, 0, false);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        assert_int_equal(n_alive, 1);
        while (n_alive > 0)
                assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
}

static void test_cancel_leaves_the_dial(void **state) {
        Fixture *f = *state;

        start(f, 0, HOST "/");
        f->calls[0].http = http_call_free(f->calls[0].http);
        start(f, 1, HOST "/");
        assert_int_equal(n_dials, 1);
        f->calls[1].http = http_call_free(f->calls[1].http);
        dialled(f->loop, 0, false);
        start(f, 2, HOST "/");
        assert_int_equal(n_dials, 1);
        assert_int_equal(ones[0]->n_started, 1);
        f->calls[2].http = http_call_free(f->calls[2].http);
        settle(f->loop);
        assert_null(ones[0]);
}

static void test_dial_fails(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < 3; i++)
                start(f, i, HOST "/");
        undialled(f->loop, 1);
        assert_done(&f->calls[0], HTTP_OUTCOME_UNREACHED);
        assert_int_equal(f->calls[0].n_sent, 0);
        assert_string_equal(f->calls[0].cause, "Connection refused");
        assert_int_equal(f->calls[1].n_done + f->calls[2].n_done, 0);
        dialled(f->loop, 0, false);
        undialled(f->loop, 2);
        assert_done(&f->calls[2], HTTP_OUTCOME_UNREACHED);
        assert_ptr_equal(ones[0]->work, work_of(&f->calls[1]));
        assert_int_equal(n_dials, 3);
}

/* A call that came after the dial had begun has its own time. */
static void test_dial_fails_for_the_older(void **state) {
        Fixture *f = *state;

        start(f, 0, SAFE "/");
        assert_int_equal(n_dials, 1);
        settle(f->loop);
        while (sd_event_run(loop_event(f->loop), 2 * USEC_PER_MSEC) > 0)
                ;
        start(f, 1, SAFE "/");
        assert_int_equal(n_dials, 1);
        undialled(f->loop, 0);
        assert_done(&f->calls[0], HTTP_OUTCOME_UNREACHED);
        assert_int_equal(f->calls[1].n_done, 0);
        assert_int_equal(n_dials, 2);
        assert_in_range(dials[1]->p.timeout, 1, 10 * USEC_PER_SEC);
        undialled(f->loop, 1);
        assert_done(&f->calls[1], HTTP_OUTCOME_UNREACHED);
}

/* --- once more --- */

static void test_stale(void **state) {
        static const struct {
                const char *method;
                HttpWorkEnd end;
                bool again;
        } rows[] = {
                { "GET", HTTP_WORK_STALE, true },   { "POST", HTTP_WORK_STALE, false },
                { "DELETE", HTTP_WORK_STALE, false }, { "GET", HTTP_WORK_BROKEN, false },
                { "POST", HTTP_WORK_UNSENT, true }, { "POST", HTTP_WORK_BROKEN, false },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t n = n_dials;
                const HttpCallParams p = { .url = HOST "/", .method = rows[i].method };

                assert_int_equal(start_as(f, 0, &p, false), 0);
                dialled(f->loop, n, false);
                ends(f->loop, n_ones - 1, rows[i].end, false);
                assert_int_equal(f->calls[0].n_done, !rows[i].again);
                assert_int_equal(n_dials, n + 1 + rows[i].again);
                if (!rows[i].again) {
                        assert_done(&f->calls[0], HTTP_OUTCOME_BROKEN);
                        assert_string_equal(f->calls[0].cause, "It broke");
                        continue;
                }
                dialled(f->loop, n + 1, false);
                ends(f->loop, n_ones - 1, HTTP_WORK_COMPLETE, false);
                assert_done(&f->calls[0], HTTP_OUTCOME_COMPLETE);
                assert_int_equal(f->calls[0].n_sent, 1);
        }
}

static void test_not_for_ever(void **state) {
        Fixture *f = *state;

        start(f, 0, HOST "/");
        for (size_t i = 0; i <= HTTP_POOL_AGAIN_MAX; i++) {
                assert_int_equal(f->calls[0].n_done, 0);
                dialled(f->loop, i, false);
                ends(f->loop, i, HTTP_WORK_UNSENT, false);
        }
        assert_done(&f->calls[0], HTTP_OUTCOME_BROKEN);
        /* A stale one is the last one. */
        n_dials = n_ones = 0;
        start(f, 0, HOST "/");
        for (size_t i = 0; i < 2; i++) {
                dialled(f->loop, i, false);
                ends(f->loop, i, HTTP_WORK_STALE, false);
        }
        assert_done(&f->calls[0], HTTP_OUTCOME_BROKEN);
}

/* The other idle connections are as old as the one that has ended. */
static void test_again_is_fresh(void **state) {
        Fixture *f = *state;

        start(f, 0, HOST "/");
        start(f, 1, HOST "/");
        dialled(f->loop, 0, false);
        dialled(f->loop, 1, false);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        ends(f->loop, 1, HTTP_WORK_STALE, false);
        assert_int_equal(n_dials, 3);
        assert_null(ones[0]->work);
        /* But another call takes it, and passes the one that waits. */
        start(f, 2, HOST "/");
        assert_ptr_equal(ones[0]->work, work_of(&f->calls[2]));
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        assert_null(ones[0]->work);
        dialled(f->loop, 2, false);
        assert_ptr_equal(ones[2]->work, work_of(&f->calls[1]));
}

static void test_body_is_gone(void **state) {
        Fixture *f = *state;
        char byte;

        assert_int_equal(start_as(f, 0, &(HttpCallParams){ .url = HOST "/", .n_body = SIZE_MAX }, true), 0);
        dialled(f->loop, 0, false);
        ends(f->loop, 0, HTTP_WORK_UNSENT, false); /* nothing was read */
        assert_int_equal(f->calls[0].n_done, 0);
        dialled(f->loop, 1, false);
        assert_int_equal(http_work_read(work_of(&f->calls[0]), &byte, 1), 1);
        ends(f->loop, 1, HTTP_WORK_UNSENT, false);
        assert_done(&f->calls[0], HTTP_OUTCOME_BROKEN);
}

/* --- HTTP/2 --- */

static void test_one_dial_for_many(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < 5; i++)
                start(f, i, SAFE "/");
        assert_int_equal(n_dials, 1);
        dialled(f->loop, 0, true);
        assert_int_equal(twos[0]->n, 5);
        start(f, 5, SAFE "/");
        assert_int_equal(twos[0]->n, 6);
        assert_int_equal(n_dials, 1);
        f->calls[5].http = http_call_free(f->calls[5].http);
        assert_int_equal(twos[0]->n_cancelled, 1);
        for (size_t i = 0; i < 5; i++)
                ends_stream(f->loop, 0, HTTP_WORK_COMPLETE);
        for (size_t i = 0; i < 5; i++)
                assert_done(&f->calls[i], HTTP_OUTCOME_COMPLETE);
}

static void test_server_has_only_http1(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < 3; i++)
                start(f, i, SAFE "/");
        assert_int_equal(n_dials, 1);
        dialled(f->loop, 0, false);
        assert_int_equal(n_dials, 3);
        dialled(f->loop, 1, false);
        dialled(f->loop, 2, false);
        assert_ptr_equal(ones[2]->work, work_of(&f->calls[2]));
}

static void test_failed_dial_fails_all(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < 5; i++)
                start(f, i, SAFE "/");
        undialled(f->loop, 0);
        for (size_t i = 0; i < 5; i++)
                assert_done(&f->calls[i], HTTP_OUTCOME_UNREACHED);
        assert_int_equal(n_dials, 1);
}

static void test_spread(void **state) {
        Fixture *f = *state;
        size_t n = 0;

        start(f, n++, SAFE "/");
        dialled(f->loop, 0, true);
        while (n < HTTP_POOL_SPREAD_STREAMS * HTTP_POOL_SPREAD) {
                size_t before = n_dials;

                start(f, n++, SAFE "/");
                if (n % HTTP_POOL_SPREAD_STREAMS == 0 && n < HTTP_POOL_SPREAD_STREAMS * HTTP_POOL_SPREAD) {
                        assert_int_equal(n_dials, before + 1);
                        dialled(f->loop, before, true);
                } else
                        assert_int_equal(n_dials, before);
        }
        assert_int_equal(n_twos, HTTP_POOL_SPREAD);
        for (size_t i = 0; i < n_twos; i++)
                assert_int_equal(twos[i]->n, HTTP_POOL_SPREAD_STREAMS);
        start(f, n++, SAFE "/");
        assert_int_equal(n_dials, HTTP_POOL_SPREAD);
}

static void test_spread_of_others(void **state) {
        const HttpPoolSpread spread = { .connections = 2, .streams = 1 };
        Fixture *f = *state;

        http_client_free(f->client);
        assert_int_equal(http_pool_new_spread(f->loop, &spread, &f->client), 0);
        start(f, 0, SAFE "/");
        assert_int_equal(n_dials, 1);
        dialled(f->loop, 0, true);
        assert_int_equal(n_dials, 2);
        dialled(f->loop, 1, true);
        start(f, 1, SAFE "/");
        start(f, 2, SAFE "/");
        assert_int_equal(n_dials, 2);
}

static void test_spread_that_fails(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < HTTP_POOL_SPREAD_STREAMS; i++)
                start(f, i, SAFE "/");
        dialled(f->loop, 0, true);
        start(f, 10, SAFE "/");
        assert_int_equal(n_dials, 2);
        undialled(f->loop, 1);
        start(f, 11, SAFE "/"); /* not at once again */
        assert_int_equal(n_dials, 2);
        for (size_t i = 0; i < MANY; i++)
                assert_int_equal(f->calls[i].n_done, 0);
}

static void test_full(void **state) {
        Fixture *f = *state;

        streams_max = 3;
        for (size_t i = 0; i < 5; i++)
                start(f, i, SAFE "/");
        dialled(f->loop, 0, true);
        assert_int_equal(twos[0]->n, 3);
        assert_int_equal(n_dials, 2);
        ends_stream(f->loop, 0, HTTP_WORK_COMPLETE);
        twos[0]->ops->room(twos[0], twos[0]->userdata);
        settle(f->loop);
        assert_int_equal(twos[0]->n, 3);
        dialled(f->loop, 1, true);
        assert_int_equal(twos[1]->n, 1);
}

/* A new connection has little room before the server's SETTINGS: that is no reason for another one. */
static void test_new_is_not_full(void **state) {
        Fixture *f = *state;

        streams_max = HTTP_POOL_SPREAD_STREAMS;
        streams_new = true;
        for (size_t i = 0; i < 3; i++)
                start(f, i, SAFE "/");
        dialled(f->loop, 0, true);
        assert_int_equal(twos[0]->n, 3);
        assert_int_equal(n_dials, 1);
        twos[0]->is_new = false;
        start(f, 3, SAFE "/");
        assert_int_equal(n_dials, 2);
}

static void test_goaway(void **state) {
        Fixture *f = *state;
        Http2 *c;

        for (size_t i = 0; i < 3; i++)
                start(f, i, SAFE "/");
        dialled(f->loop, 0, true);
        c = twos[0];
        c->drains = true;
        ends_stream(f->loop, 0, HTTP_WORK_UNSENT); /* above the last stream that the server took */
        assert_int_equal(n_dials, 2);
        ends_stream(f->loop, 0, HTTP_WORK_COMPLETE);
        ends_stream(f->loop, 0, HTTP_WORK_COMPLETE);
        c->ops->closed(c, c->userdata);
        settle(f->loop);
        assert_null(twos[0]);
        dialled(f->loop, 1, true);
        assert_int_equal(twos[1]->n, 1);
        ends_stream(f->loop, 1, HTTP_WORK_COMPLETE);
        for (size_t i = 0; i < 3; i++)
                assert_done(&f->calls[i], HTTP_OUTCOME_COMPLETE);
}

static void test_head_too_large(void **state) {
        Fixture *f = *state;

        start(f, 0, SAFE "/");
        dialled(f->loop, 0, true);
        twos[0]->refusal = -E2BIG;
        start(f, 1, SAFE "/");
        settle(f->loop);
        assert_done(&f->calls[1], HTTP_OUTCOME_ABORTED);
        assert_int_equal(f->calls[0].n_done, 0);
}

/* --- a reload --- */

static void test_renew(void **state) {
        Fixture *f = *state;

        start(f, 0, HOST "/");
        start(f, 1, HOST "/");
        dialled(f->loop, 0, false);
        dialled(f->loop, 1, false);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        start(f, 2, SAFE "/");
        dialled(f->loop, 2, true);

        /* The same origin: nothing ends. */
        http_client_renew(f->client, &(HttpClientParams){ .url = HOST "/v1" });
        settle(f->loop);
        assert_non_null(ones[0]);
        assert_true(twos[0]->drains);
        assert_int_equal(n_configured, 0);

        http_client_renew(f->client, &(HttpClientParams){ .url = "http://other.test" });
        settle(f->loop);
        assert_null(ones[0]); /* it was idle */
        assert_non_null(ones[1]);
        ends(f->loop, 1, HTTP_WORK_COMPLETE, true);
        assert_done(&f->calls[1], HTTP_OUTCOME_COMPLETE);
        assert_null(ones[1]);
        /* The old origin can be used nevertheless. */
        start(f, 0, HOST "/");
        assert_int_equal(n_dials, 4);
        dialled(f->loop, 3, false);
        ends(f->loop, 2, HTTP_WORK_COMPLETE, true);
        assert_non_null(ones[2]);
}

static void test_renew_cas(void **state) {
        Fixture *f = *state;

        http_client_renew(f->client, &(HttpClientParams){ .url = SAFE, .ca_file = "/a" });
        assert_int_equal(n_configured, 1);
        start(f, 0, SAFE "/");
        dialled(f->loop, 0, true);
        http_client_renew(f->client, &(HttpClientParams){ .url = SAFE });
        assert_int_equal(n_configured, 2);
        assert_true(twos[0]->drains);
        http_client_renew(f->client, &(HttpClientParams){ .url = SAFE });
        assert_int_equal(n_configured, 2);
}

/* What is being dialled has the old CAs: the calls that wait get another dial. */
static void test_renew_dials(void **state) {
        Fixture *f = *state;

        start(f, 0, SAFE "/");
        assert_int_equal(n_dials, 1);
        http_client_renew(f->client, &(HttpClientParams){ .url = SAFE, .ca_file = "/a" });
        settle(f->loop);
        assert_null(dials[0]);
        assert_int_equal(n_dials, 2);
        dialled(f->loop, 1, true);
        ends_stream(f->loop, 0, HTTP_WORK_COMPLETE);
        assert_done(&f->calls[0], HTTP_OUTCOME_COMPLETE);

        /* Without such a call there is none. */
        start(f, 0, HOST "/");
        f->calls[0].http = http_call_free(f->calls[0].http);
        http_client_renew(f->client, &(HttpClientParams){ .url = SAFE });
        settle(f->loop);
        assert_null(dials[2]);
        assert_int_equal(n_dials, 3);
}

/* --- pauses --- */

static void test_held(void **state) {
        Fixture *f = *state;
        HttpWork *w;

        for (int refuses = 0; refuses < 2; refuses++) {
                n_dials = n_ones = 0;
                start(f, 0, HOST "/");
                dialled(f->loop, 0, false);
                w = work_of(&f->calls[0]);
                f->calls[0].refuses = refuses;
                http_call_pause(f->calls[0].http, true);
                assert_true(w->paused);
                assert_int_equal(http_work_head(w, 200), 0);
                assert_int_equal(http_work_data(w, "o", 1), 0);
                http_call_pause(f->calls[0].http, false);
                assert_int_equal(http_work_data(w, "k", 1), 0); /* behind what is held */
                ones[0]->work = NULL;
                http_work_end(w, HTTP_WORK_COMPLETE, NULL);
                ones[0]->ops->closed(ones[0], ones[0]->userdata);
                http_call_pause(f->calls[0].http, true);
                settle(f->loop);
                assert_int_equal(f->calls[0].n_done, 0);
                assert_string_equal(f->calls[0].body, "");
                http_call_pause(f->calls[0].http, false);
                assert_string_equal(f->calls[0].body, "");
                settle(f->loop);
                assert_done(&f->calls[0], refuses ? HTTP_OUTCOME_ABORTED : HTTP_OUTCOME_COMPLETE);
        }
}

static void test_held_is_refused(void **state) {
        Fixture *f = *state;

        start(f, 0, SAFE "/");
        dialled(f->loop, 0, true);
        http_call_pause(f->calls[0].http, true);
        assert_int_equal(http_work_head(work_of(&f->calls[0]), 200), 0);
        assert_int_equal(http_work_data(work_of(&f->calls[0]), "ok", 2), 0);
        f->calls[0].refuses = true;
        http_call_pause(f->calls[0].http, false);
        settle(f->loop);
        assert_done(&f->calls[0], HTTP_OUTCOME_ABORTED);
        assert_int_equal(twos[0]->n_cancelled, 1);
}

static void test_continue(void **state) {
        Fixture *f = *state;

        start(f, 0, SAFE "/");
        http_call_continue(f->calls[0].http); /* it waits: nothing to do */
        settle(f->loop);
        dialled(f->loop, 0, true);
        http_call_pause(f->calls[0].http, true);
        http_call_pause(f->calls[0].http, false);
        http_call_continue(f->calls[0].http);
        assert_int_equal(twos[0]->n_continued, 0);
        settle(f->loop);
        assert_int_equal(twos[0]->n_continued, 1);
        http_call_pause(f->calls[0].http, true);
        http_call_pause(f->calls[0].http, false);
        f->calls[0].http = http_call_free(f->calls[0].http);
        settle(f->loop);
        assert_int_equal(twos[0]->n_continued, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, pool_setup, pool_teardown)

/* A server that takes no streams any more, on one connection after the other: they do not pile up. */
static void test_useless(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < 5; i++) {
                start(f, i, SAFE "/");
                dialled(f->loop, i, true);
                assert_ptr_equal(twos[i]->works[0], work_of(&f->calls[i]));
                ends_stream(f->loop, i, HTTP_WORK_COMPLETE);
                twos[i]->max = 0;
        }
        assert_int_equal(n_alive, 1);
        assert_non_null(twos[4]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_useless),
                TEST(test_urls),
                TEST(test_each_has_a_connection),
                TEST(test_another_origin),
                TEST(test_idle_is_bounded),
                cmocka_unit_test_setup_teardown(test_idle_ends, pool_setup_short, pool_teardown),
                TEST(test_cancel_leaves_the_dial),
                TEST(test_dial_fails),
                TEST(test_dial_fails_for_the_older),
                TEST(test_stale),
                TEST(test_not_for_ever),
                TEST(test_again_is_fresh),
                TEST(test_body_is_gone),
                TEST(test_one_dial_for_many),
                TEST(test_server_has_only_http1),
                TEST(test_failed_dial_fails_all),
                TEST(test_spread),
                TEST(test_spread_of_others),
                TEST(test_spread_that_fails),
                TEST(test_full),
                TEST(test_new_is_not_full),
                TEST(test_goaway),
                TEST(test_head_too_large),
                TEST(test_renew),
                TEST(test_renew_cas),
                TEST(test_renew_dials),
                TEST(test_held),
                TEST(test_held_is_refused),
                TEST(test_continue),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
