/* SPDX-License-Identifier: MIT */
#pragma once

/* The rules of the pool, written down as plainly as can be: arrays, and loops over all keys. For
 * test-pool-walk. */

#include "test.h"

#include "pool/admin.h"

#define KEYS   13U
#define SHARED 3U /* projects */
#define MODELS 3U
#define LEASES 24U
#define LIVES  (KEYS + LEASES + 1) /* of keys, those included that live on for their requests */

typedef struct Gate {
        usec_t until, since;
        uint64_t probe; /* the first one under way */
        usec_t passes;  /* it passes then; 0: only by an answer */
        unsigned strikes, n_probes;
        bool slow; /* several probes may go */
} Gate;

typedef struct Pair {
        uint64_t total, errors;
        uint64_t today_of[2]; /* requests, and the day's beginning that they belong to */
        usec_t last;
        unsigned strikes;
        Gate rate, health;
        PoolState told;
} Pair;

typedef struct Owner {
        Gate gate, bucket[MODELS];
        bool money, closed[MODELS], daily[MODELS];
        usec_t overloaded[MODELS]; /* up to here, others come first */
        const struct Life *throttled[MODELS]; /* the last that met a bare 429 */
        usec_t throttled_at[MODELS];
        unsigned n_keys;
        bool fresh; /* it had no key before the reload */
} Owner;

typedef struct Life {
        bool used, gone, disabled, configured;
        unsigned which; /* of the keys that there are in the world */
        unsigned index, n_out;
        Owner *project, own;
        Gate key;
        Pair pair[MODELS];
        PoolState told;
} Life;

typedef struct Plain {
        const Zone *zone;
        usec_t now;
        int64_t off, claim; /* of the clock: how much of it is believed, and what the wall clock shows */
        bool doubted;
        usec_t claimed_at;
        Life lives[LIVES];
        Life *keys[KEYS]; /* in the order of the configuration */
        unsigned n_keys;
        Owner shared[SHARED];
        bool known[MODELS];
        Life *taken; /* by the pool's pick, where the order is free; else NULL */
} Plain;

/* What a reload asks for. */
typedef struct Wanted {
        unsigned which, project; /* SHARED: its own */
        bool disabled;
} Wanted;

int64_t plain_clock(Plain *w, int64_t off, usec_t passed); /* how far the clock is off, of a wall clock
                                                            * that is off by `off` */
void plain_time(Plain *w, usec_t now);
void plain_roll(Plain *w, unsigned m);
bool plain_may(Plain *w, Life *k, unsigned m);
Life *plain_choice(Plain *w, unsigned m, uint64_t excluded, const Owner *avoid, uint64_t *ret_brought);
Life *plain_pick(Plain *w, unsigned m, uint64_t excluded, const Owner *avoid, uint64_t id);
void plain_judge(Plain *w, Life *k, unsigned m, const Verdict *v, uint64_t id);
void plain_report(Plain *w, Life *k, unsigned m, const Verdict *v, uint64_t id);
PoolState plain_state(Plain *w, Life *k, unsigned m, PoolState *ret_proven, usec_t *ret_at, bool *ret_quota);
PoolRefusal plain_refusal(Plain *w, unsigned m);
int plain_reset(Plain *w, unsigned k, unsigned m);
Life *plain_new(Plain *w, const Wanted *wanted);
void plain_set_keys(Plain *w, const Wanted *wanted, unsigned n, PoolChange *ret);
uint64_t plain_today(const Pair *p, usec_t day);
