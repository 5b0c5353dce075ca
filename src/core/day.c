/* SPDX-License-Identifier: MIT */

/*
 * The time never goes back by a little: two callers may have read the clock a moment apart, and NTP steps
 * it. Such a step is waited out: the time does not move until the clock has caught up. A step of
 * DAY_CLOCK_JUMP or more is a clock that was wrong, before or now: the time follows it, and the caller
 * learns by how much it went back, so that it can move what it has stored along. A jump forward needs
 * nothing: it is time that has passed.
 *
 * The day ends at the zone's midnight (base/zone), after 23, 24 or 25 hours. On a night on which the clock
 * is put back over midnight the day that had begun goes on, so a date never comes a second time without a
 * jump.
 */

#include "core/day.h"

static uint32_t date_at(const Zone *zone, usec_t t) {
        time_t local = (time_t) (t / USEC_PER_SEC) + zone_offset(zone, t);
        struct tm tm = {};

        (void) gmtime_r(&local, &tm);
        return (uint32_t) ((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday);
}

void day_init(Day *d, const Zone *zone, usec_t now) {
        *d = (Day){
                .zone = zone,
                .now = now,
                .start = zone_day_start(zone, now),
                .end = zone_next_midnight(zone, now),
        };
        d->date = date_at(zone, d->start);
}

unsigned day_set_slow(Day *d, usec_t now, Day *ret_before) {
        Day before = *d;
        unsigned changed = 0;

        if (now < d->now) {
                if (d->now - now < DAY_CLOCK_JUMP)
                        return 0;
                changed |= DAY_SET_BACK;
        }
        d->now = now;
        if (now < d->start || now >= d->end) {
                day_init(d, d->zone, now);
                changed |= DAY_TURNED;
        }
        *ret_before = before;
        return changed;
}

uint32_t day_date_of(const Day *d, usec_t t) {
        return date_at(d->zone, zone_day_start(d->zone, t));
}

/* Noon in UTC is in the date's day, or, in a zone more than 12 hours away, in the day before or after it. */
usec_t day_date_begin(const Day *d, uint32_t date) {
        struct tm tm = {
                .tm_year = (int) (date / 10000) - 1900,
                .tm_mon = (int) (date / 100 % 100) - 1,
                .tm_mday = (int) (date % 100),
                .tm_hour = 12,
        };
        time_t noon = timegm(&tm);
        usec_t t;

        if (noon <= 0)
                return 0;
        t = (usec_t) noon * USEC_PER_SEC;
        if (day_date_of(d, t) > date)
                t = usec_sub(t, USEC_PER_DAY);
        else if (day_date_of(d, t) < date)
                t = usec_add(t, USEC_PER_DAY);
        return zone_day_start(d->zone, t);
}

/* From noon, so that an hour more or less in between makes no other date. */
uint32_t day_date_before(const Day *d, unsigned n) {
        return date_at(d->zone, usec_sub(usec_add(d->start, 12 * USEC_PER_HOUR), n * USEC_PER_DAY));
}
