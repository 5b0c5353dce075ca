/* SPDX-License-Identifier: MIT */
#include "noon.h"

#include <errno.h>

#include "core/day.h"

/* The day's clock: it goes back only with a jump, a jump is reported with the day as it was, and each
 * day begins once, on nights on which the clocks change too. */

static void assert_sound(const Day *d) {
        assert_true(d->start <= d->now && d->now < d->end);
        assert_int_equal(d->start, zone_day_start(d->zone, d->now));
        assert_int_equal(d->end, zone_next_midnight(d->zone, d->now));
}

static void test_steps(void **state) {
        /* One after the other, from NOON. */
        static const struct {
                int64_t step; /* from the time that was kept */
                unsigned changed;
                bool is_kept; /* the step does not count */
                uint32_t date;
        } rows[] = {
                { 0, 0, false, 20261122 },
                { 1, 0, false, 20261122 },
                { -1, 0, true, 20261122 },
                { -(int64_t) DAY_CLOCK_JUMP + 1, 0, true, 20261122 },
                { -(int64_t) DAY_CLOCK_JUMP, DAY_SET_BACK, false, 20261122 },
                { 11 * (int64_t) USEC_PER_HOUR, 0, false, 20261122 },
                { 2 * (int64_t) USEC_PER_HOUR, DAY_TURNED, false, 20261123 },
                { -2 * (int64_t) USEC_PER_HOUR, DAY_SET_BACK | DAY_TURNED, false, 20261122 },
                { 400 * (int64_t) USEC_PER_DAY, DAY_TURNED, false, 20271227 },
                { -3650 * (int64_t) USEC_PER_DAY, DAY_SET_BACK | DAY_TURNED, false, 20171229 },
        };
        Day d;

        day_init(&d, zone, NOON);
        assert_int_equal(d.date, 20261122);
        assert_int_equal(d.now, NOON);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Day before = {}, was = d;
                usec_t now = d.now + (usec_t) rows[i].step;

                assert_int_equal(day_set(&d, now, &before), rows[i].changed);
                assert_int_equal(d.now, rows[i].is_kept ? was.now : now);
                assert_int_equal(d.date, rows[i].date);
                assert_sound(&d);
                if (rows[i].changed != 0)
                        assert_memory_equal(&before, &was, sizeof(was));
                else
                        assert_int_equal(before.now, 0); /* untouched */
        }
}

static void test_midnight(void **state) {
        Day d, before;
        usec_t end;

        day_init(&d, zone, NOON);
        end = d.end;
        assert_int_equal(day_set(&d, end - 1, &before), 0);
        assert_int_equal(day_set(&d, end, &before), DAY_TURNED);
        assert_int_equal(d.start, end);
        assert_int_equal(before.end, end);
        /* A moment earlier is waited out, so the last day does not come back. */
        assert_int_equal(day_set(&d, end - 1, &before), 0);
        assert_int_equal(d.now, end);
        assert_int_equal(d.date, 20261123);
}

/* A quarter of an hour at a time, from a noon to the noon three days later. */
static void walk(const Zone *z, usec_t from, const uint32_t *dates, const unsigned *hours, size_t n) {
        size_t i = 0;
        Day d, before;

        day_init(&d, z, from);
        for (usec_t now = from; now < from + (n - 1) * USEC_PER_DAY; now += USEC_PER_MINUTE * 15) {
                unsigned changed = day_set(&d, now, &before);

                assert_true(changed == 0 || changed == DAY_TURNED);
                if (changed) {
                        assert_int_equal(before.end, d.start);
                        i++;
                }
                assert_in_range(i, 0, n - 1);
                assert_int_equal(d.date, dates[i]);
                assert_int_equal((d.end - d.start) / USEC_PER_HOUR, hours[i]);
                assert_sound(&d);
        }
        assert_int_equal(i, n - 1);
        /* And the way back by the calendar alone. */
        for (size_t j = 0; j < n; j++)
                assert_int_equal(day_date_before(&d, (unsigned) j), dates[n - 1 - j]);
}

static void test_clocks_change(void **state) {
        static const uint32_t autumn[] = { 20261031, 20261101, 20261102, 20261103 };
        static const uint32_t spring[] = { 20270313, 20270314, 20270315, 20270316 };
        static const unsigned longer[] = { 24, 25, 24, 24 }, shorter[] = { 24, 23, 24, 24 };

        walk(zone, 1793473200 * USEC_PER_SEC, autumn, longer, ELEMENTSOF(autumn));
        walk(zone, 1804968000 * USEC_PER_SEC, spring, shorter, ELEMENTSOF(spring));
}

/* There the clocks were put back at one minute past midnight, into the day before. */
static void test_put_back_over_midnight(void **state) {
        static const uint32_t dates[] = { 20061028, 20061029, 20061030, 20061031 };
        static const unsigned hours[] = { 24, 25, 24, 24 };
        _cleanup_(zone_freep) Zone *z = NULL;

        if (zone_new("America/St_Johns", 1162000000 * USEC_PER_SEC, &z) == -ENOENT)
                skip(); /* no tzdata here */
        walk(z, 1162047600 * USEC_PER_SEC, dates, hours, ELEMENTSOF(dates));
}

static void test_date_before(void **state) {
        static const struct {
                unsigned n;
                uint32_t date;
        } rows[] = { { 0, 20261122 },  { 1, 20261121 },   { 21, 20261101 },
                     { 22, 20261031 }, { 365, 20251122 }, { 1000, 20240226 } };
        Day d;

        day_init(&d, zone, NOON);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(day_date_before(&d, rows[i].n), rows[i].date);
        day_init(&d, zone, 0);
        assert_int_equal(day_date_before(&d, 100000), 19691231); /* no further back than time itself */
}

/* Against a plain model: the time is the latest, or the one that a jump has brought. */
static void test_random_walk(void **state) {
        uint64_t random = 20261125;
        usec_t plain = NOON;
        Day d, before;

        day_init(&d, zone, NOON);
        for (unsigned i = 0; i < 100000; i++) {
                static const usec_t spans[] = { USEC_PER_SEC, 2 * USEC_PER_MINUTE, USEC_PER_DAY,
                                                90 * USEC_PER_DAY };
                uint64_t span, step;
                usec_t now;

                random = random * 6364136223846793005ULL + 1442695040888963407ULL;
                span = spans[(random >> 40) % 64 < 60 ? (random >> 50) % 2 : 2 + (random >> 50) % 2];
                step = (random >> 20) % span;
                now = (random >> 63) ? plain + step : usec_sub(plain, step);
                if (now < NOON / 2)
                        now = NOON;
                if (now >= plain || plain - now >= DAY_CLOCK_JUMP)
                        plain = now;
                (void) day_set(&d, now, &before);
                assert_int_equal(d.now, plain);
                assert_sound(&d);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_steps),
                cmocka_unit_test(test_midnight),
                cmocka_unit_test(test_clocks_change),
                cmocka_unit_test(test_put_back_over_midnight),
                cmocka_unit_test(test_date_before),
                cmocka_unit_test(test_random_walk),
        };

        return cmocka_run_group_tests_name("day", tests, setup, teardown);
}
