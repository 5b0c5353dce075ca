/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "base/zone.h"

#define NOW (1795334400 * USEC_PER_SEC) /* 2026-11-22 08:00 UTC */

/* Days when the clocks change, and their neighbours, in local time. From `from` (the day's first instant)
 * to the next midnight `hours` pass. */
typedef struct Day {
        const char *zone;
        const char *from;
        unsigned hours, minutes;
} Day;

static const Day days[] = {
        { "America/Los_Angeles", "2026-01-15T00:00:00-08:00", 24 },
        { "America/Los_Angeles", "2026-03-07T00:00:00-08:00", 24 },
        { "America/Los_Angeles", "2026-03-08T00:00:00-08:00", 23 },
        { "America/Los_Angeles", "2026-03-09T00:00:00-07:00", 24 },
        { "America/Los_Angeles", "2026-11-01T00:00:00-07:00", 25 },
        { "America/Los_Angeles", "2026-11-02T00:00:00-08:00", 24 },
        { "America/Los_Angeles", "2026-12-31T00:00:00-08:00", 24 },
        { "America/Los_Angeles", "2027-03-14T00:00:00-08:00", 23 },
        { "America/Los_Angeles", "2027-11-07T00:00:00-07:00", 25 },
        { "America/Los_Angeles", "2028-02-29T00:00:00-08:00", 24 },
        { "America/Los_Angeles", "2028-03-12T00:00:00-08:00", 23 },
        { "America/Los_Angeles", "2028-11-05T00:00:00-07:00", 25 },
        { "America/Los_Angeles", "2040-03-11T00:00:00-08:00", 23 },
        { "America/Los_Angeles", "2040-11-04T00:00:00-07:00", 25 },
};

/* Zones that only tzdata knows. */
static const Day more_days[] = {
        { "UTC", "2026-03-08T00:00:00+00:00", 24 },
        { "Europe/Berlin", "2027-03-28T00:00:00+01:00", 23 },
        { "Europe/Berlin", "2027-10-31T00:00:00+02:00", 25 },
        { "Asia/Kathmandu", "2026-06-01T00:00:00+05:45", 24 },
        { "Asia/Kolkata", "2026-06-01T00:00:00+05:30", 24 },
        { "Australia/Lord_Howe", "2026-10-04T00:00:00+10:30", 23, 30 }, /* puts its clocks by half an hour */
        { "Australia/Lord_Howe", "2027-04-04T00:00:00+11:00", 24, 30 },
        /* Havana has no midnight when summer begins, and two when it ends. Its summer of 2026 never ended.
         */
        { "America/Havana", "2028-03-11T00:00:00-05:00", 24 },
        { "America/Havana", "2028-03-12T01:00:00-04:00", 23 },
        { "America/Havana", "2028-11-05T00:00:00-04:00", 25 },
        /* Nuuk's clocks go back from Sunday's midnight to Saturday's last hour. */
        { "America/Nuuk", "2027-10-30T00:00:00-01:00", 25 },
};

static void check(const Day *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_(zone_freep) Zone *z = NULL;
                usec_t from, next,
                        length = rows[i].hours * USEC_PER_HOUR + rows[i].minutes * USEC_PER_MINUTE;
                char shown[TIMESTAMP_STRING_MAX];
                int offset, hours, minutes, r;
                struct tm tm = {};

                assert_non_null(strptime(rows[i].from, "%Y-%m-%dT%H:%M:%S", &tm));
                assert_int_equal(sscanf(rows[i].from + 20, "%d:%d", &hours, &minutes), 2);
                offset = (hours * 60 + minutes) * 60;
                if (rows[i].from[19] == '-')
                        offset = -offset;
                from = (usec_t) (timegm(&tm) - offset) * USEC_PER_SEC;

                r = zone_new(rows[i].zone, NOW, &z);
                if (r == -ENOENT)
                        print_message("%s is not installed here\n", rows[i].zone);
                assert_int_equal(r, 0);

                timestamp_format(from, zone_offset(z, from), shown);
                assert_string_equal(shown, rows[i].from);
                next = zone_next_midnight(z, from);
                if (next - from != length)
                        print_message("%s %s\n", rows[i].zone, rows[i].from);
                assert_int_equal(next - from, length);

                /* Whatever moment of the day is asked about, the answer is the same. */
                for (usec_t t = from; t < next; t += 10 * USEC_PER_MINUTE) {
                        assert_int_equal(zone_day_start(z, t), from);
                        assert_int_equal(zone_next_midnight(z, t), next);
                }
                assert_int_equal(zone_day_start(z, next - 1), from);
                assert_int_equal(zone_next_midnight(z, next - 1), next);
                assert_int_equal(zone_day_start(z, next), next);
        }
}

static void test_days(void **state) {
        check(days, ELEMENTSOF(days));
}

static void test_more_days(void **state) {
        _cleanup_(zone_freep) Zone *z = NULL;

        if (zone_new("Europe/Berlin", NOW, &z) == -ENOENT)
                skip(); /* no tzdata on this machine */
        check(more_days, ELEMENTSOF(more_days));
}

/* The quota's own zone needs no tzdata, and comes out the same. */
static void test_without_tzdata(void **state) {
        Zone *z = NULL;

        assert_int_equal(setenv("TZDIR", TEST_DATA "/unit", true), 0);
        check(days, ELEMENTSOF(days));
        check((const Day[]){ { "UTC", "2026-03-08T00:00:00+00:00", 24 } }, 1);
        assert_int_equal(zone_new("Europe/Berlin", NOW, &z), -ENOENT);
        assert_int_equal(unsetenv("TZDIR"), 0);
}

/* Day follows day without a gap, at most a few hours longer or shorter, over all the years of the table. */
static void test_every_day(void **state) {
        static const char *const zones[] = { "America/Los_Angeles", "America/Havana",
                                             "America/Nuuk",        "Africa/Cairo",
                                             "Africa/Casablanca",   "Australia/Lord_Howe" };

        for (size_t i = 0; i < ELEMENTSOF(zones); i++) {
                _cleanup_(zone_freep) Zone *z = NULL;
                usec_t t, next;
                int r;

                r = zone_new(zones[i], NOW, &z);
                if (r == -ENOENT)
                        continue; /* no tzdata on this machine */
                assert_int_equal(r, 0);
                t = zone_day_start(z, NOW);
                for (unsigned day = 0; day < 366 * (ZONE_YEARS + 5); day++, t = next) {
                        next = zone_next_midnight(z, t);
                        assert_in_range(next - t, 22 * USEC_PER_HOUR, 26 * USEC_PER_HOUR);
                        assert_int_equal(zone_day_start(z, next), next);
                        assert_int_equal(zone_day_start(z, next - 1), t);
                }
        }
}

/* A zone that once went back over midnight in the first minute of the day: time never leads back. */
static void test_back_over_midnight(void **state) {
        _cleanup_(zone_freep) Zone *z = NULL;
        usec_t before, midnight;

        if (zone_new("America/St_Johns", 1162000000 * USEC_PER_SEC, &z) == -ENOENT)
                skip();
        /* 2006-10-29: at 00:01 the clock went back to 23:01 of the 28th. */
        midnight = 1162089000 * USEC_PER_SEC;
        before = zone_day_start(z, midnight - USEC_PER_HOUR);
        assert_int_equal(zone_day_start(z, midnight), midnight);
        for (unsigned m = 0; m < 180; m++)
                assert_int_equal(zone_day_start(z, midnight + m * USEC_PER_MINUTE), midnight);
        assert_int_equal(zone_next_midnight(z, midnight - 1), midnight);
        assert_int_equal(zone_next_midnight(z, midnight), midnight + 25 * USEC_PER_HOUR);
        assert_int_equal(midnight - before, 24 * USEC_PER_HOUR);
}

static void test_names(void **state) {
        static const struct {
                const char *name;
                int r;
        } rows[] = {
                { "America/Los_Angeles", 0 },
                { "", -EINVAL },
                { "/etc/localtime", -EINVAL },
                { "../../etc/localtime", -EINVAL },
                { "America/../UTC", -EINVAL },
                { "America/", -EINVAL },
                { "PST8PDT,M3.2.0,M11.1.0", -EINVAL },
                { ":UTC", -EINVAL },
                { "America/Los Angeles", -EINVAL },
                { "America", -ENOENT }, /* a directory */
                { "America/Nowhere", -ENOENT },
                { "tzdata", -ENOENT },
                { "A23456789012345678901234567890123456789012345678901234567890ABCD", -ENOENT },
                { "A23456789012345678901234567890123456789012345678901234567890ABCDE", -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(zone_freep) Zone *z = NULL;

                assert_int_equal(zone_new(rows[i].name, NOW, &z), rows[i].r);
        }
}

static void test_restores_tz(void **state) {
        _cleanup_(zone_freep) Zone *z = NULL;
        time_t t = 1795334400;
        struct tm tm;

        assert_int_equal(setenv("TZ", "XYZ-3", true), 0);
        tzset();
        assert_int_equal(zone_new("America/Los_Angeles", NOW, &z), 0);
        assert_string_equal(getenv("TZ"), "XYZ-3");
        assert_non_null(localtime_r(&t, &tm));
        assert_int_equal(tm.tm_gmtoff, 3 * 3600);

        assert_int_equal(unsetenv("TZ"), 0);
        tzset();
        z = zone_free(z);
        assert_int_equal(zone_new("America/Los_Angeles", NOW, &z), 0);
        assert_null(getenv("TZ"));
}

/* Before and behind the table, and at the epoch, there is still an answer. */
static void test_far(void **state) {
        _cleanup_(zone_freep) Zone *z = NULL;
        usec_t far = NOW + 100 * 365 * USEC_PER_DAY, next;

        assert_int_equal(zone_new("America/Los_Angeles", NOW, &z), 0);
        assert_int_equal(zone_day_start(z, 0), 0);
        assert_int_equal(zone_next_midnight(z, 0), 8 * USEC_PER_HOUR);
        next = zone_next_midnight(z, far);
        assert_true(next > far && next <= far + USEC_PER_DAY);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_days),        cmocka_unit_test(test_more_days),
                cmocka_unit_test(test_names),       cmocka_unit_test(test_without_tzdata),
                cmocka_unit_test(test_every_day),   cmocka_unit_test(test_back_over_midnight),
                cmocka_unit_test(test_restores_tz), cmocka_unit_test(test_far),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
