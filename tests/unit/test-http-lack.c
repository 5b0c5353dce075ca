/* SPDX-License-Identifier: MIT */

/*
 * Calls that wait for a descriptor, and connections that are closed for them. Dials and connections are
 * doubles; each counts as one. A limit of 4 leaves room for 2.
 */

#include "test.h"

#include <systemd/sd-event.h>

#include "pool-calls.h"

static void test_waits_for_a_descriptor(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 4);
        for (size_t i = 0; i < 4; i++)
                start(f, i, HOST "/");
        settle(f->loop);
        assert_int_equal(n_dials, 2);
        dialled(f->loop, 0, false);
        dialled(f->loop, 1, false);
        assert_int_equal(n_dials, 2);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        assert_done(&f->calls[0], HTTP_OUTCOME_COMPLETE);
        assert_ptr_equal(ones[0]->work, work_of(&f->calls[2])); /* the connection goes on with it */
        ends(f->loop, 1, HTTP_WORK_COMPLETE, false);
        assert_int_equal(n_dials, 3); /* and the other one's descriptor is used again */
        dialled(f->loop, 2, false);
        ends(f->loop, 2, HTTP_WORK_COMPLETE, true);
        assert_done(&f->calls[3], HTTP_OUTCOME_COMPLETE);
        f->calls[2].http = http_call_free(f->calls[2].http);
}

static void test_idle_ones_go_first(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 4);
        for (size_t i = 0; i < 2; i++) {
                start(f, i, HOST "/");
                dialled(f->loop, i, false);
        }
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        start(f, 2, SAFE "/");
        assert_int_equal(n_dials, 2);
        settle(f->loop);
        assert_null(ones[0]);
        assert_non_null(ones[1]); /* it has a call */
        assert_int_equal(n_dials, 3);
        dialled(f->loop, 2, true);
        assert_ptr_equal(twos[0]->works[0], work_of(&f->calls[2]));
        f->calls[2].http = http_call_free(f->calls[2].http);
        f->calls[1].http = http_call_free(f->calls[1].http);
}

/* A dial that fails is the end of one call, not of all that have no dial. */
static void test_dial_fails_for_one(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 4);
        for (size_t i = 0; i < 5; i++)
                start(f, i, HOST "/");
        undialled(f->loop, 0);
        assert_done(&f->calls[0], HTTP_OUTCOME_UNREACHED);
        for (size_t i = 1; i < 5; i++)
                assert_int_equal(f->calls[i].n_done, 0);
        assert_int_equal(n_dials, 3);
}

static void test_no_descriptor_in_time(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 4);
        start(f, 0, HOST "/");
        start(f, 1, HOST "/");
        dialled(f->loop, 0, false);
        dialled(f->loop, 1, false);
        f->connect_timeout = 50 * USEC_PER_MSEC;
        start(f, 2, HOST "/");
        while (f->calls[2].n_done == 0)
                assert_true(sd_event_run(loop_event(f->loop), UINT64_MAX) >= 0);
        assert_done(&f->calls[2], HTTP_OUTCOME_LACKING);
        assert_non_null(strstr(f->calls[2].cause, "LimitNOFILE="));
        assert_int_equal(f->calls[0].n_done + f->calls[1].n_done, 0);
        assert_int_equal(n_dials, 2);
        /* Nothing is left to wait for. */
        assert_int_equal(sd_event_run(loop_event(f->loop), 0), 0);
}

/* An unused connection of HTTP/2 goes, too: each proxy may have one. Those that calls use do not. */
static void test_unused_http2_goes(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 4);
        start(f, 0, SAFE "/");
        dialled(f->loop, 0, true);
        start(f, 1, SAFE ":81/");
        dialled(f->loop, 1, true);
        ends_stream(f->loop, 0, HTTP_WORK_COMPLETE);
        assert_done(&f->calls[0], HTTP_OUTCOME_COMPLETE);
        start(f, 2, SAFE ":82/");
        settle(f->loop);
        assert_null(twos[0]);
        assert_non_null(twos[1]);
        assert_int_equal(n_dials, 3);
        dialled(f->loop, 2, true);
        assert_ptr_equal(twos[2]->works[0], work_of(&f->calls[2]));
        f->calls[2].http = http_call_free(f->calls[2].http);
        f->calls[1].http = http_call_free(f->calls[1].http);
}

/* Each descriptor is the turn of another server, whichever has more calls, and no new call is before one
 * that waits. */
static void test_turns(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 4);
        for (size_t i = 0; i < 5; i++)
                start(f, i, HOST "/");
        start(f, 5, HOST ":81/");
        start(f, 6, HOST ":82/");
        settle(f->loop);
        assert_int_equal(n_dials, 2);
        dialled(f->loop, 0, false);
        dialled(f->loop, 1, false);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, false);
        assert_int_equal(n_dials, 3);
        f->calls[1].http = http_call_free(f->calls[1].http);
        start(f, 7, HOST "/"); /* there is a descriptor, but not for this one */
        settle(f->loop);
        assert_int_equal(n_dials, 4);
        assert_int_equal(dials[3]->p.port, 81);
        dialled(f->loop, 3, false);
        ends(f->loop, 2, HTTP_WORK_COMPLETE, false);
        assert_int_equal(n_dials, 5);
        assert_int_equal(dials[4]->p.port, 82);
        dialled(f->loop, 2, false);
        ends(f->loop, 3, HTTP_WORK_COMPLETE, false);
        assert_int_equal(n_dials, 6);
        assert_int_equal(dials[5]->p.port, 80);
        for (size_t i = 2; i < 8; i++)
                f->calls[i].http = http_call_free(f->calls[i].http);
}

/* It became idle after another call began to wait for a descriptor. */
static void test_idle_later(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 4);
        start(f, 0, HOST "/");
        start(f, 1, SAFE "/");
        dialled(f->loop, 0, false);
        dialled(f->loop, 1, true);
        start(f, 2, HOST ":81/");
        start(f, 3, HOST ":82/");
        settle(f->loop);
        assert_int_equal(n_dials, 2);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        assert_null(ones[0]);
        assert_int_equal(n_dials, 3);
        ends_stream(f->loop, 0, HTTP_WORK_COMPLETE);
        twos[0]->ops->room(twos[0], twos[0]->userdata);
        settle(f->loop);
        assert_null(twos[0]);
        assert_int_equal(n_dials, 4);
        for (size_t i = 2; i < 4; i++)
                f->calls[i].http = http_call_free(f->calls[i].http);
}

/* A server that takes no more streams keeps no connection from its own calls. */
static void test_full_http2_goes(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 2);
        start(f, 0, SAFE "/");
        dialled(f->loop, 0, true);
        ends_stream(f->loop, 0, HTTP_WORK_COMPLETE);
        twos[0]->max = 0;
        assert_non_null(twos[0]);
        start(f, 1, SAFE "/");
        settle(f->loop);
        assert_null(twos[0]);
        assert_int_equal(n_dials, 2);
        f->calls[1].http = http_call_free(f->calls[1].http);
}

/* A connection that would only spread the streams is not made. */
static void test_no_spread(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 2);
        for (size_t i = 0; i < 2 * HTTP_POOL_SPREAD_STREAMS; i++) {
                start(f, i, SAFE "/");
                if (i == 0)
                        dialled(f->loop, 0, true);
        }
        assert_int_equal(n_dials, 1);
        descriptors_set_limit(loop_descriptors(f->loop), 4);
        start(f, 2 * HTTP_POOL_SPREAD_STREAMS, SAFE "/");
        assert_int_equal(n_dials, 2);
        for (size_t i = 0; i <= 2 * HTTP_POOL_SPREAD_STREAMS; i++)
                f->calls[i].http = http_call_free(f->calls[i].http);
}

/* The calls that lacked one have gone: nothing waits for them. */
static void test_cancelled(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 2);
        start(f, 0, HOST "/");
        dialled(f->loop, 0, false);
        start(f, 1, HOST "/");
        f->calls[1].http = http_call_free(f->calls[1].http);
        assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0); /* the next look */
        settle(f->loop);
        assert_int_equal(sd_event_run(loop_event(f->loop), 0), 0);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, false);
        assert_int_equal(n_dials, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, pool_setup, pool_teardown)
#define TEST_SHORT(f) cmocka_unit_test_setup_teardown(f, pool_setup_short, pool_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_waits_for_a_descriptor),
                TEST(test_idle_ones_go_first),
                TEST(test_dial_fails_for_one),
                TEST_SHORT(test_no_descriptor_in_time),
                TEST(test_unused_http2_goes),
                TEST(test_turns),
                TEST(test_idle_later),
                TEST(test_full_http2_goes),
                TEST(test_no_spread),
                TEST_SHORT(test_cancelled),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
