/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The present day of quotas and counters, and the present time for everything that counts by that day.
 * Pure: the time comes from the caller. See day.c for what happens when the clock is wrong.
 */

#include "base/zone.h"

typedef struct Day {
        const Zone *zone;  /* borrowed */
        usec_t now;        /* the latest time that was set; it goes back only with a jump of the clock */
        usec_t start, end; /* of the day that holds `now`: start <= now < end */
        uint32_t date;     /* that day's date: 20261125 */
} Day;

/* If the clock goes back by less than this, the day's time does not move until the clock has caught up; a
 * longer step is a jump. */
#define DAY_CLOCK_JUMP USEC_PER_MINUTE

/* What day_set() has changed besides the time; a bit each. */
enum {
        DAY_TURNED = 1,   /* the present day is another one than before, nearly always the next one */
        DAY_SET_BACK = 2, /* the clock has jumped back */
};

void day_init(Day *d, const Zone *zone, usec_t now);

__attribute__((cold)) unsigned day_set_slow(Day *d, usec_t now, Day *ret_before); /* of day_set() */

/* Sets the time. Returns what else has changed, nearly always 0; if not 0, *ret_before is the day before the
 * change. Afterwards d->now is the valid time, which may be later than `now`. */
static inline unsigned day_set(Day *d, usec_t now, Day *ret_before) {
        if (now < d->now || now >= d->end)
                return day_set_slow(d, now, ret_before);
        d->now = now;
        return 0;
}

/* The date n days before this day; with 0 its own. */
uint32_t day_date_before(const Day *d, unsigned n);
uint32_t day_date_of(const Day *d, usec_t t); /* the date of the day that holds `t` */
usec_t day_date_begin(const Day *d, uint32_t date); /* when that day begins; 0 for a date before 1970 */
