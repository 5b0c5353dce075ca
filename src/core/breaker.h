/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A circuit breaker: closed (all pass), open until a moment (none pass), then half-open: exactly one request, the
 * probe, passes, and its outcome closes the breaker or opens it again for longer. The pool has one for each key
 * (death), project (billing), bucket = (project, model) (quota) and slot = (key, model) (health); they differ only in
 * how long they open, which is core/health's and core/quota's to say.
 */

#include "base/clock.h"

typedef struct Breaker {
        usec_t until;     /* 0: closed; else open up to here, half-open from here on */
        unsigned strikes; /* how often it has opened in a row: what the waits grow by */
        bool probing;     /* the one probe is out */
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
        if (b->probing)
                return BREAKER_PROBING;
        return now < b->until ? BREAKER_OPEN : BREAKER_HALF_OPEN;
}

static inline void breaker_open(Breaker *b, usec_t until) {
        b->until = until;
        b->strikes++;
        b->probing = false;
}

static inline void breaker_close(Breaker *b) {
        *b = (Breaker){};
}
