/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "core/cooldown.h"

#define NOON (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)

static void test_table(void **state) {
        static const struct {
                VerdictClass class;
                unsigned strikes;
                const char *hint, *to_reset;
                unsigned spread;
                const char *wait;
        } rows[] = {
                /* the first time: the shortest credible wait */
                { VERDICT_DAY, 0, "38.90923309s", "12h", 0, "39s" },
                { VERDICT_DAY, 0, "0", "12h", 0, "60s" },
                { VERDICT_DAY, 0, "9h", "12h", 0, "1h" },
                { VERDICT_LIMIT_ZERO, 0, "45.5s", "12h", 0, "46s" },
                { VERDICT_MINUTE, 0, "7s", "12h", 0, "7s" },
                { VERDICT_MINUTE, 0, "10ms", "12h", 0, "1s" },
                { VERDICT_MINUTE, 0, "0", "12h", 0, "60s" },
                { VERDICT_RATE_UNKNOWN, 0, "0", "12h", 0, "5s" },
                /* repeats: the ladder, or the hint where it is longer */
                { VERDICT_DAY, 1, "38s", "12h", 0, "60s" },
                { VERDICT_DAY, 2, "38s", "12h", 0, "5min" },
                { VERDICT_DAY, 3, "38s", "12h", 0, "15min" },
                { VERDICT_DAY, 4, "38s", "12h", 0, "1h" },
                { VERDICT_DAY, 5, "38s", "12h", 0, "2h" },
                { VERDICT_DAY, 6, "38s", "12h", 0, "4h" },
                { VERDICT_DAY, 7, "38s", "12h", 0, "8h" },
                { VERDICT_DAY, 4000000000, "38s", "12h", 0, "8h" },
                { VERDICT_DAY, 1, "9h", "12h", 0, "9h" },
                { VERDICT_DAY, 3, "20min", "12h", 0, "20min" },
                { VERDICT_LIMIT_ZERO, 3, "0", "12h", 0, "15min" },
                { VERDICT_RATE_UNKNOWN, 1, "0", "12h", 0, "60s" },
                { VERDICT_RATE_UNKNOWN, 2, "0", "12h", 0, "5min" },
                /* a throttle's hint is kept to three times more */
                { VERDICT_MINUTE, 3, "7s", "12h", 0, "7s" },
                { VERDICT_MINUTE, 4, "7s", "12h", 0, "60s" },
                { VERDICT_MINUTE, 5, "7s", "12h", 0, "5min" },
                { VERDICT_MINUTE, 5, "0", "12h", 0, "5min" },
                /* never beyond the reset; by the day a few seconds, each its own */
                { VERDICT_DAY, 7, "38s", "3h", 0, "10801s" },
                { VERDICT_DAY, 7, "38s", "3h", 8, "10809s" },
                { VERDICT_DAY, 7, "38s", "3h", 9, "10801s" },
                { VERDICT_DAY, 1, "900h", "3h", 0, "10801s" },
                { VERDICT_MINUTE, 9, "38s", "3h", 5, "3h" },
                { VERDICT_RATE_UNKNOWN, 9, "0", "10min", 5, "10min" },
                { VERDICT_MINUTE, 0, "38s", "10ms", 0, "1s" }, /* never at once */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                usec_t hint, to_reset, wait, until;

                assert_int_equal(duration_parse(rows[i].hint, &hint), 0);
                assert_int_equal(duration_parse(rows[i].to_reset, &to_reset), 0);
                assert_int_equal(duration_parse(rows[i].wait, &wait), 0);
                until = cooldown_until(rows[i].class, rows[i].strikes, hint, NOON, NOON + to_reset,
                                    rows[i].spread);
                if (until != NOON + wait)
                        fail_msg("row %zu: %llu s", i, (unsigned long long) (until - NOON) / USEC_PER_SEC);
        }
}

static void test_no_overflow(void **state) {
        assert_true(cooldown_until(VERDICT_DAY, 9, USEC_INFINITY, NOON, USEC_INFINITY, 3) == USEC_INFINITY);
        assert_int_equal(cooldown_until(VERDICT_DAY, 0, USEC_INFINITY, NOON, USEC_INFINITY, 3),
                         NOON + USEC_PER_HOUR);
}

/* A day with a quota that is spent from its first minute on, and answers which always ask for the same short
 * wait. */
static void test_a_day_of_lies(void **state) {
        static const struct {
                VerdictClass class;
                usec_t hint;
        } rows[] = {
                { VERDICT_DAY, 38 * USEC_PER_SEC },     { VERDICT_DAY, 1 },
                { VERDICT_DAY, 0 },                     { VERDICT_LIMIT_ZERO, 45 * USEC_PER_SEC },
                { VERDICT_MINUTE, 38 * USEC_PER_SEC },  { VERDICT_MINUTE, 0 },
                { VERDICT_MINUTE, 1 },                  { VERDICT_RATE_UNKNOWN, 0 },
                { VERDICT_RATE_UNKNOWN, USEC_PER_SEC }, { VERDICT_DAY, USEC_PER_HOUR },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                usec_t now = NOON, reset = NOON + USEC_PER_DAY;
                unsigned strikes = 0;

                /* Each probe is sent as soon as it may. */
                while (now < reset)
                        now = cooldown_until(rows[i].class, strikes++, rows[i].hint, now, reset,
                                             (unsigned) i);
                assert_in_range(strikes - 1, 1, 12); /* the first answer was no probe */
                assert_in_range(now, reset, reset + 10 * USEC_PER_SEC);
        }
}

/* Where the delay is right, the quota is used again soon after it recovers, after minutes or hours. */
static void test_truth(void **state) {
        static const usec_t spans[] = {
                2 * USEC_PER_SEC, 38 * USEC_PER_SEC, 61 * USEC_PER_SEC,  20 * USEC_PER_MINUTE,
                USEC_PER_HOUR,    3 * USEC_PER_HOUR, 9 * USEC_PER_HOUR,
        };
        static const VerdictClass classes[] = { VERDICT_DAY, VERDICT_LIMIT_ZERO, VERDICT_MINUTE };

        for (size_t i = 0; i < ELEMENTSOF(spans); i++)
                for (size_t j = 0; j < ELEMENTSOF(classes); j++) {
                        usec_t now = NOON, back = NOON + spans[i] + 1234, reset = NOON + USEC_PER_DAY;
                        unsigned strikes = 0;

                        while (now < back)
                                now = cooldown_until(classes[j], strikes++, back - now, now, reset, 0);
                        assert_in_range(now, back, back + 60 * USEC_PER_SEC);
                        assert_in_range(strikes - 1, 0, 1);
                }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_no_overflow),
                cmocka_unit_test(test_a_day_of_lies),
                cmocka_unit_test(test_truth),
        };

        return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
