/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The clock that days, quotas, cooldowns and expiries go by: the wall clock, but a jump of it is believed
 * only after an hour. See day-clock.c.
 */

#include "base/clock.h"

/* How far the wall clock may differ from the other clocks before it has jumped. */
#define DAY_CLOCK_TOLERANCE USEC_PER_MINUTE
/* A jump is believed when the wall clock has kept to it for so long. */
#define DAY_CLOCK_PROOF USEC_PER_HOUR

/* What has passed since some moment: without the time of a suspend, and with it. */
typedef struct DayPassed {
        usec_t awake, all; /* CLOCK_MONOTONIC and CLOCK_BOOTTIME */
} DayPassed;

/* A reading of the wall clock, and of the others at that moment. */
typedef struct DayReading {
        usec_t wall;
        DayPassed passed;
} DayReading;

typedef struct DayClock {
        DayReading last;   /* the latest one that was believed */
        usec_t good_until; /* from `last` up to here the wall clock is believed without the others; 0: it
                            * is not */
        bool doubted;
        DayReading claim; /* while doubted: the first reading after the jump */
} DayClock;

void day_clock_init(DayClock *c, const DayReading *now); /* this one is believed */
usec_t day_clock_set(DayClock *c, const DayReading *now); /* the time that holds */

/* The process's clock. Before day_clock_start() it is the wall clock. For the event loop's thread only. */
void day_clock_start(void);
usec_t day_clock_now(void);
