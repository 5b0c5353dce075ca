/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A circuit breaker: closed (all pass), open until a moment (none pass), then half-open: exactly one
 * request, the probe, passes, and its outcome closes the breaker or opens it again for longer. The pool has
 * one for each key (death), project (billing), bucket = (project, model) (quota) and two for each slot =
 * (key, model): an unexplained throttle, and health. They differ only in how long they open, which is
 * core/judgement's and core/cooldown's to say.
 *
 * The breaker names its probe, so that a request which was the probe of an earlier opening is not taken for
 * the present one's when it comes back late.
 */

#include "base/clock.h"

typedef struct Breaker {
        usec_t until;     /* 0: closed; else open up to here, half-open from here on */
        usec_t since;     /* when it opened last */
        uint64_t probe;   /* the id of the lease that is out as the probe; 0: none is */
        unsigned strikes; /* how often it has opened in a row: what the waits grow by */
} Breaker;

typedef enum BreakerState {
        BREAKER_CLOSED,
        BREAKER_OPEN,
        BREAKER_HALF_OPEN, /* a probe may go */
        BREAKER_PROBING,   /* a probe is out: nobody else goes */
} BreakerState;

static inline BreakerState breaker_state(const Breaker *b, usec_t now) {
        if (b->until == 0)
                return BREAKER_CLOSED;
        if (b->probe != 0)
                return BREAKER_PROBING;
        return now < b->until ? BREAKER_OPEN : BREAKER_HALF_OPEN;
}

static inline void breaker_open(Breaker *b, usec_t now, usec_t until) {
        b->until = until;
        b->since = now;
        b->probe = 0;
        b->strikes++;
}

/* The probe came back without an answer to the question: half-open again, from `until` on. */
static inline void breaker_release(Breaker *b, usec_t until) {
        b->until = until;
        b->probe = 0;
}

static inline void breaker_close(Breaker *b) {
        *b = (Breaker){};
}
