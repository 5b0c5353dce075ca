/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <systemd/sd-event.h>

#include "base/log.h"
#include "base/ratelimit.h"
#include "io/log-limit.h"

/* --- the bucket, on a clock of our own --- */

static void test_bucket(void **state _unused_) {
        static const struct {
                usec_t at;
                unsigned asked, passed;
        } rows[] = {
                { 1000 * USEC_PER_SEC, 10, 5 },          /* a full bucket, whatever the clock shows */
                { 1000 * USEC_PER_SEC, 10, 0 },
                { 1001 * USEC_PER_SEC, 10, 0 },          /* one grows back in two seconds */
                { 1002 * USEC_PER_SEC, 10, 1 },
                { 1009 * USEC_PER_SEC, 10, 3 },          /* three and a half */
                { 1010 * USEC_PER_SEC, 10, 1 },          /* the other half */
                { 9000 * USEC_PER_SEC, 10, 5 },          /* never more than full */
        };
        RateLimit l = { .interval = 10 * USEC_PER_SEC, .burst = 5 };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                unsigned passed = 0;

                for (unsigned k = 0; k < rows[i].asked; k++)
                        passed += ratelimit_take(&l, rows[i].at);
                assert_int_equal(passed, rows[i].passed);
        }
}

static void test_bucket_in_the_long_run(void **state _unused_) {
        RateLimit l = { .interval = 10 * USEC_PER_SEC, .burst = 50 };
        unsigned passed = 0;

        for (usec_t at = 0; at < USEC_PER_HOUR; at += USEC_PER_MSEC)
                passed += ratelimit_take(&l, at);
        assert_int_equal(passed, 50 + 50 * 360 - 1); /* the last one grows back at the hour's end */
}

/* --- the lines --- */

#define LINES_MAX 16U

static struct {
        char lines[LINES_MAX][160], counts[LINES_MAX][24];
        size_t n;
} said;

static void sink(const LogRecord *r) {
        assert_true(said.n < LINES_MAX);
        (void) snprintf(said.lines[said.n], sizeof(said.lines[0]), "%s", r->message);
        assert_int_equal(r->n_fields, 1);
        assert_string_equal(r->fields[0].name, "left_out");
        (void) snprintf(said.counts[said.n], sizeof(said.counts[0]), "%s", r->fields[0].value);
        said.n++;
}

static void test_left_out(void **state _unused_) {
        _cleanup_(log_limiter_freep) LogLimiter *l = NULL;
        _cleanup_(loop_freep) Loop *loop = NULL;
        LogKind a, b, c;

        said.n = 0;
        log_setup(LOG_LEVEL_INFO, LOG_FORMAT_SINK, sink);
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(log_limiter_new(loop, USEC_PER_HOUR, 2, &l), 0);
        log_kind_init(l, &a, "this");
        log_kind_init(l, &b, "that");
        log_kind_init(l, &c, "neither");
        for (unsigned i = 0; i < 5; i++)
                assert_true(log_kind_pass(l, &a) == (i < 2));
        for (unsigned i = 0; i < 3; i++)
                assert_true(log_kind_pass(l, &b) == (i < 2)); /* a separate bucket */
        assert_true(log_kind_pass(l, &c));
        assert_true(log_kind_pass(l, &c));
        assert_int_equal(said.n, 0);
        l = log_limiter_free(l); /* as at the end of the program: pending counts are logged */
        assert_int_equal(said.n, 2);
        assert_string_equal(said.lines[0], "3 lines about this were left out in the last 1h");
        assert_string_equal(said.counts[0], "3");
        assert_string_equal(said.lines[1], "1 lines about that were left out in the last 1h");
}

/* Logged once when the interval ends, even if nothing more happens. */
static void test_left_out_is_said_in_time(void **state _unused_) {
        _cleanup_(log_limiter_freep) LogLimiter *l = NULL;
        _cleanup_(loop_freep) Loop *loop = NULL;
        LogKind a;

        said.n = 0;
        log_setup(LOG_LEVEL_INFO, LOG_FORMAT_SINK, sink);
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(log_limiter_new(loop, 20 * USEC_PER_MSEC, 1, &l), 0);
        log_kind_init(l, &a, "this");
        while (log_kind_pass(l, &a))
                ;
        while (said.n == 0)
                assert_true(sd_event_run(loop_event(loop), USEC_PER_SEC) > 0);
        assert_string_equal(said.counts[0], "1");
        l = log_limiter_free(l);
        assert_int_equal(said.n, 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bucket),
                cmocka_unit_test(test_bucket_in_the_long_run),
                cmocka_unit_test(test_left_out),
                cmocka_unit_test(test_left_out_is_said_in_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
