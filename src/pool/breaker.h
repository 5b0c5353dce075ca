/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A circuit breaker: closed (all pass), open until a moment (none pass), then half-open: one request, the
 * probe, passes, and its outcome closes the breaker or opens it again for longer. The pool has one for each
 * key (Google rejects the key), one for each project (no credit, or suspended), one for each bucket =
 * (project, model) (the quota is spent, or the model is closed to the project), and two for each slot =
 * (key, model): an unexplained throttle, and health. They differ only in how long they open; core/judgement
 * and core/cooldown decide that.
 *
 * Google refuses at once, but an answer may take minutes. So a probe that is not refused within
 * BREAKER_PROBE_TIME has passed (pool/probe.c), except where only an answer is proof. And after a throttle
 * of a minute whose end Google has named, several probes go at once (a slow start): four, and twice as many
 * with each half second that passes without a refusal.
 *
 * The breaker stores the id of its first probe. Leases are numbered in order, and only probes pass a breaker
 * that is not closed, so a lease with this number or a later one is a probe. The late result of an earlier
 * lease is not taken for the result of a probe.
 */

#include "base/clock.h"

#define BREAKER_PROBE_TIME  (2 * USEC_PER_SEC)
#define BREAKER_SLOW_START  4U /* probes at once */
#define BREAKER_SLOW_DOUBLE (500 * USEC_PER_MSEC)

typedef struct Breaker {
        usec_t until;      /* 0: closed; else open up to here, half-open from here on */
        usec_t since;      /* when it opened last */
        uint64_t probe;    /* the id of the lease that is the first probe; 0: none is under way */
        usec_t passes;     /* with a probe: when it passes unless it is refused; USEC_INFINITY: never so */
        unsigned n_probes; /* under way */
        unsigned strikes;  /* how often it has opened in a row (these are not the slot's strikes); waits
                            * grow with it */
        bool slow_start;   /* several probes may be under way */
} Breaker;

typedef enum BreakerState {
        BREAKER_CLOSED,
        BREAKER_OPEN,
        BREAKER_HALF_OPEN, /* a probe may go */
        BREAKER_PROBING,   /* a probe is under way; no other request passes */
} BreakerState;

const char *breaker_state_to_string(BreakerState s); /* "closed", "open", "half-open", "probing" */

/* While probes are under way: when the breaker lets the next request through, if nothing happens before. */
usec_t breaker_next_probe(const Breaker *b, usec_t now);

static inline BreakerState breaker_state(const Breaker *b, usec_t now) {
        if (b->until == 0)
                return BREAKER_CLOSED;
        if (b->probe != 0)
                return breaker_next_probe(b, now) <= now ? BREAKER_HALF_OPEN : BREAKER_PROBING;
        return now < b->until ? BREAKER_OPEN : BREAKER_HALF_OPEN;
}

static inline bool breaker_is_probe(const Breaker *b, uint64_t lease) {
        return b->probe != 0 && lease >= b->probe;
}

static inline void breaker_open(Breaker *b, usec_t now, usec_t until) {
        b->until = until;
        b->since = now;
        b->probe = 0;
        b->n_probes = 0;
        b->slow_start = false;
        b->strikes++;
}

/* `passes`: USEC_INFINITY if only an answer is proof. */
static inline void breaker_begin_probe(Breaker *b, uint64_t lease, usec_t passes) {
        if (b->probe == 0) {
                b->probe = lease;
                b->passes = passes;
        }
        b->n_probes++;
}

/* The probes show nothing: half-open again, from `until` on. */
static inline void breaker_release(Breaker *b, usec_t until) {
        b->until = until;
        b->probe = 0;
        b->n_probes = 0;
}

static inline void breaker_close(Breaker *b) {
        *b = (Breaker){};
}

/* Closes it, but the next refusal counts as a repeated one. */
static inline void breaker_close_for_now(Breaker *b) {
        *b = (Breaker){ .strikes = b->strikes, .since = b->since };
}
