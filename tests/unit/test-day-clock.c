/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "core/day-clock.h"

/* The clock that days go by: which readings of the wall clock it believes, and what it shows meanwhile. */

#define START (1795377600 * USEC_PER_SEC)
#define SECOND ((int64_t) USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (365 * DAY)

typedef struct Step {
        int64_t awake, suspended; /* what passes before this reading */
        int64_t off;              /* by how much the wall clock differs from the true time */
        int64_t shown;            /* by how much the clock does */
} Step;

static void run_steps(const Step *steps, size_t n) {
        usec_t awake = 77 * USEC_PER_DAY, all = 99 * USEC_PER_DAY, began = all;
        DayClock c;

        day_clock_init(&c, &(DayReading){ START, { awake, all } });
        for (size_t i = 0; i < n; i++) {
                usec_t now;

                awake += (usec_t) steps[i].awake;
                all += (usec_t) (steps[i].awake + steps[i].suspended);
                now = day_clock_set(&c, &(DayReading){ START + all - began + (usec_t) steps[i].off,
                                                       { awake, all } });
                if ((int64_t) (now - (START + all - began)) != steps[i].shown)
                        fail_msg("step %zu: off by %lld s", i,
                                 (long long) (now - (START + all - began)) / SECOND);
        }
}

#define RUN(...)                                                                                            \
        do {                                                                                                \
                static const Step _steps[] = { __VA_ARGS__ };                                               \
                run_steps(_steps, ELEMENTSOF(_steps));                                                      \
        } while (0)

static void test_time_passes(void **state) {
        RUN({ SECOND, 0, 0, 0 }, { 3 * DAY, 0, 0, 0 }, { 0, 0, 0, 0 }, { SECOND, 9 * HOUR, 0, 0 });
}

/* Drift and small corrections are followed, as far as they go together. */
static void test_small_steps(void **state) {
        RUN({ SECOND, 0, 59 * SECOND, 59 * SECOND }, { SECOND, 0, 118 * SECOND, 118 * SECOND },
            { SECOND, 0, 60 * SECOND, 60 * SECOND }, { SECOND, 0, 0, 60 * SECOND });
}

static void test_one_glance_changes_nothing(void **state) {
        RUN({ SECOND, 0, 4 * YEAR, 0 }, { SECOND / 3, 0, 0, 0 }, { SECOND, 0, -56 * YEAR, 0 },
            { SECOND, 0, 0, 0 }, { SECOND, 0, DAY, 0 }, { 59 * MINUTE, 0, DAY, 0 }, { SECOND, 0, 0, 0 },
            { DAY, 0, 0, 0 });
        /* Nothing within a day either: cooldowns and files end then, too. */
        RUN({ SECOND, 0, 2 * HOUR, 0 }, { SECOND, 0, 0, 0 }, { SECOND, 0, -2 * HOUR, 0 },
            { SECOND, 0, 0, 0 });
}

static void test_believed_after_an_hour(void **state) {
        RUN({ SECOND, 0, YEAR, 0 }, { HOUR - 1, 0, YEAR, 0 }, { 1, 0, YEAR, YEAR }, { 1, 0, YEAR, YEAR },
            { 1, 0, 0, YEAR }, { HOUR, 0, 0, 0 });
        RUN({ SECOND, 0, -DAY, 0 }, { HOUR, 0, -DAY, -DAY }, { 3 * DAY, 0, -DAY, -DAY });
        /* It may be corrected a little meanwhile. */
        RUN({ SECOND, 0, DAY, 0 }, { HOUR, 0, DAY + 40 * SECOND, DAY + 40 * SECOND });
}

/* An hour of one jump, and not of two different ones. */
static void test_another_jump_begins_again(void **state) {
        RUN({ SECOND, 0, YEAR, 0 }, { 40 * MINUTE, 0, DAY, 0 }, { 40 * MINUTE, 0, DAY, 0 },
            { 20 * MINUTE, 0, DAY, DAY });
        RUN({ SECOND, 0, DAY, 0 }, { 40 * MINUTE, 0, 0, 0 }, { SECOND, 0, DAY, 0 },
            { 40 * MINUTE, 0, DAY, 0 });
}

/* A suspend is time that has passed, but no proof. */
static void test_suspend(void **state) {
        RUN({ SECOND, 0, DAY, 0 }, { SECOND, 9 * HOUR, DAY, 0 }, { SECOND, 0, 0, 0 });
        RUN({ SECOND, 0, DAY, 0 }, { SECOND, 9 * HOUR, DAY, 0 }, { HOUR, 0, DAY, DAY });
}

/* Before the start, and as long as nothing jumps, it is the wall clock. */
static void test_process(void **state) {
        usec_t before = clock_realtime(), now = day_clock_now();

        assert_in_range(now, before, clock_realtime());
        day_clock_start();
        before = clock_realtime();
        now = day_clock_now();
        assert_in_range(now, before, clock_realtime());
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_time_passes),
                cmocka_unit_test(test_small_steps),
                cmocka_unit_test(test_one_glance_changes_nothing),
                cmocka_unit_test(test_believed_after_an_hour),
                cmocka_unit_test(test_another_jump_begins_again),
                cmocka_unit_test(test_suspend),
                cmocka_unit_test(test_process),
        };

        return cmocka_run_group_tests_name("day-clock", tests, NULL, NULL);
}
