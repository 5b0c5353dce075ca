/* SPDX-License-Identifier: MIT */
#pragma once

/* Where keys stand with a model; a part of the pool, see pick.c. What others may ask is in pool.h. */

#include "pool/heaps.h"

/* Where a key stands with a model. */
typedef struct PoolStanding {
        PoolState state;
        PoolState proven; /* the same as if no probe were out */
        usec_t available_at; /* 0: now */
        bool is_quota;       /* nothing but quota is in its way… */
        bool is_daily;       /* …and that of a day is part of it */
        CeilingKind full;    /* the ceiling that is in its way for longest; _CEILING_MAX: none */
        bool is_healthy;     /* neither unhealthy nor dead */
} PoolStanding;

PoolState pool_key_state(const PoolKey *k); /* of the key as such */

/* For a request of so many tokens. s may be NULL for a key that was never tried for the model, b too if none
 * of its project was. */
void pool_standing(Pool *p, PoolKey *k, PoolBucket *b, PoolSlot *s, uint64_t tokens, PoolStanding *ret);

/* What a walk over all keys finds for a model. */
typedef struct PoolCensus {
        PoolRefusal refusal;
        size_t n_usable, n_healthy, n_total; /* n_total: enabled */
} PoolCensus;

void pool_census(Pool *p, PoolModel *m, uint64_t tokens, PoolCensus *ret);
void pool_refusal(Pool *p, PoolModel *m, uint64_t tokens, PoolRefusal *ret);
/* Of one project's enabled keys; b may be NULL: for no model in particular. */
void pool_refusal_of(Pool *p, const PoolProject *project, PoolBucket *b, uint64_t tokens, PoolRefusal *ret);
void pool_refusal_rotation(Pool *p, PoolRefusal *ret); /* for no model in particular */
