/* SPDX-License-Identifier: MIT */
#pragma once

/* The standing of keys for a model: the internal view. Part of the pool, see pick.c; view.h is public. */

#include "pool/heaps.h"

/* The standing of one key for a model. */
typedef struct PoolStanding {
        PoolState state;
        PoolState proven; /* the state as it is without a probe under way, never POOL_PROBING */
        usec_t available_at; /* 0: now */
        bool is_quota;       /* nothing but quota blocks it */
        bool is_daily;       /* a day's quota is among what blocks it */
        CeilingKind full;    /* the ceiling that blocks it longest; _CEILING_MAX: none */
        const PoolError *error; /* explains `proven`; NULL: nothing blocks it, or no error was kept */
        bool is_healthy;     /* neither unhealthy nor dead */
} PoolStanding;

PoolState pool_key_state(const PoolKey *k); /* of the key itself */

/* For a request of so many tokens. s is NULL for a key without a slot for the model, b too if the project
 * has no bucket. */
void pool_standing(Pool *p, PoolKey *k, PoolBucket *b, PoolSlot *s, uint64_t tokens, PoolStanding *ret);

/* The result of a walk over all keys for a model. */
typedef struct PoolCensus {
        PoolRefusal refusal;
        size_t n_usable, n_healthy, n_total; /* n_total: enabled keys */
} PoolCensus;

PoolCounters pool_tally_counters(const PoolTally *t, usec_t day); /* as of the day that begins then */

void pool_census_add(PoolCensus *c, const PoolKey *k, const PoolStanding *s); /* one key more */
void pool_census(Pool *p, PoolModel *m, uint64_t tokens, PoolCensus *ret);
void pool_refusal(Pool *p, PoolModel *m, uint64_t tokens, PoolRefusal *ret);
/* For one project's enabled keys; b NULL: for no model in particular. */
void pool_refusal_of(Pool *p, const PoolProject *project, PoolBucket *b, uint64_t tokens, PoolRefusal *ret);
void pool_refusal_rotation(Pool *p, PoolRefusal *ret); /* for no model in particular */
