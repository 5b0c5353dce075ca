/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A circuit breaker: closed (all pass), open until a moment (none pass), then half-open: exactly one
 * request, the probe, passes, and its outcome closes the breaker or opens it again for longer. The pool has
 * one for each key (Google rejects the key), one for each project (no credit, or suspended), one for each
 * bucket = (project, model) (the quota is spent, or the model is closed to the project), and two for each
 * slot = (key, model): an unexplained throttle, and health. They differ only in how long they open;
 * core/judgement and core/cooldown decide that.
 *
 * The breaker stores the id of its probe, so that the late result of an earlier probe is not taken for the
 * result of the present one.
 */

#include "base/clock.h"

typedef struct Breaker {
        usec_t until;     /* 0: closed; else open up to here, half-open from here on */
        usec_t since;     /* when it opened last */
        uint64_t probe;   /* the id of the lease that is the probe; 0: none is under way */
        unsigned strikes; /* how often it has opened in a row (these are not the slot's strikes); waits
                           * grow with it */
} Breaker;

typedef enum BreakerState {
        BREAKER_CLOSED,
        BREAKER_OPEN,
        BREAKER_HALF_OPEN, /* a probe may go */
        BREAKER_PROBING,   /* the probe is under way; no other request passes */
} BreakerState;

const char *breaker_state_to_string(BreakerState s); /* "closed", "open", "half-open", "probing" */

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

/* The probe ended without showing anything: half-open again, from `until` on. */
static inline void breaker_release(Breaker *b, usec_t until) {
        b->until = until;
        b->probe = 0;
}

static inline void breaker_close(Breaker *b) {
        *b = (Breaker){};
}
