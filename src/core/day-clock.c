/* SPDX-License-Identifier: MIT */

/*
 * A wall clock can be wrong for a moment: a machine without a battery starts in 1970, a virtual machine
 * comes back from a snapshot, a person sets the wrong year. What time takes away (the requests of today, the
 * use of a ceiling, a cooldown, the owner of a file) does not come back when the clock is right again. So no
 * single reading may take it.
 *
 * The wall clock is believed at once, at midnight as well, if the other clocks agree: since the last reading
 * as much time has passed by them as by it, give or take a minute. A machine that was suspended agrees by
 * CLOCK_BOOTTIME. Otherwise the wall clock has jumped, forward or back. A jump is believed after the wall
 * clock has kept to it for an hour of CLOCK_MONOTONIC. Until then the time goes on from the last reading
 * that was believed, by the other clocks. A midnight on that way is a midnight.
 *
 * The reading at the start has nothing to be compared with, and is believed.
 *
 * The other clocks are read once a minute, not in each request: within a minute after a reading that was
 * believed, the wall clock cannot go further than the tolerance.
 */

#include "core/day-clock.h"

static usec_t distance(usec_t a, usec_t b) {
        return a > b ? a - b : b - a;
}

/* As much time has passed by the wall clock as by one of the others. */
static bool agrees(const DayReading *from, const DayReading *to) {
        usec_t awake = usec_sub(to->passed.awake, from->passed.awake);
        usec_t all = usec_sub(to->passed.all, from->passed.all);

        return distance(to->wall, usec_add(from->wall, awake)) < DAY_CLOCK_TOLERANCE ||
               distance(to->wall, usec_add(from->wall, all)) < DAY_CLOCK_TOLERANCE;
}

static usec_t believe(DayClock *c, const DayReading *now) {
        c->last = *now;
        c->good_until = usec_add(now->wall, DAY_CLOCK_TOLERANCE);
        c->doubted = false;
        return now->wall;
}

void day_clock_init(DayClock *c, const DayReading *now) {
        *c = (DayClock){};
        (void) believe(c, now);
}

usec_t day_clock_set(DayClock *c, const DayReading *now) {
        if (agrees(&c->last, now))
                return believe(c, now);
        if (!c->doubted || !agrees(&c->claim, now)) {
                c->doubted = true;
                c->claim = *now;
                c->good_until = 0;
        }
        if (usec_sub(now->passed.awake, c->claim.passed.awake) >= DAY_CLOCK_PROOF)
                return believe(c, now);
        return usec_add(c->last.wall, usec_sub(now->passed.all, c->last.passed.all));
}

/* --- the process's clock --- */

static DayClock process;
static bool started;

static DayReading read_clocks(usec_t wall) {
        return (DayReading){ wall, { clock_monotonic(), clock_boottime() } };
}

void day_clock_start(void) {
        DayReading now = read_clocks(clock_realtime());

        day_clock_init(&process, &now);
        started = true;
}

usec_t day_clock_now(void) {
        usec_t wall = clock_realtime();
        DayReading now;

        if (!started || (wall >= process.last.wall && wall < process.good_until))
                return wall;
        now = read_clocks(wall);
        return day_clock_set(&process, &now);
}
