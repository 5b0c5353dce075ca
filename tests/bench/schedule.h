/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When the requests of an open loop are due: at a constant rate, whether or not earlier ones are answered.
 * A request that cannot be sent because no connection is idle waits, and its latency counts from the moment
 * at which it was due. So a server that stops for a second delays a second's worth of requests, and all of
 * them are seen; a closed loop sees one.
 */

#include "base/clock.h"

typedef struct Schedule {
        usec_t begin;
        unsigned rate;  /* a second */
        uint64_t n_all; /* requests in all */
        uint64_t n_taken;
} Schedule;

/* The moment at which request i is due. The rate holds exactly over a second: no rounding adds up. */
static inline usec_t schedule_time(const Schedule *s, uint64_t i) {
        assert(s->rate > 0);

        return s->begin + i / s->rate * USEC_PER_SEC + i % s->rate * USEC_PER_SEC / s->rate;
}

static inline bool schedule_done(const Schedule *s) {
        return s->n_taken == s->n_all;
}

/* True if the next request is due, and has not been taken. */
static inline bool schedule_due(const Schedule *s, usec_t now) {
        return !schedule_done(s) && schedule_time(s, s->n_taken) <= now;
}

/* Takes the next request; returns when it was or will be due. */
static inline usec_t schedule_take(Schedule *s) {
        assert(!schedule_done(s));

        return schedule_time(s, s->n_taken++);
}

/* How long until the next request is due; USEC_INFINITY if there is none. */
static inline usec_t schedule_wait(const Schedule *s, usec_t now) {
        return schedule_done(s) ? USEC_INFINITY : usec_sub(schedule_time(s, s->n_taken), now);
}
