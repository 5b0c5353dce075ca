/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whom a row is about: the pool's things by what they are called in a store. What a row says may be
 * anything; what makes no sense is counted, and found to be nobody's. A part of restore.c.
 */

#include "pool/state/restore-absent.h"
#include "pool/internal.h"

typedef struct PoolLookup {
        Pool *pool;
        PoolKey **index; /* by digest; NULL as long as no row has asked for it */
        size_t n_index;
        size_t n_senseless;
        PoolAbsent absent;
} PoolLookup;

void pool_lookup_init(PoolLookup *l, Pool *p);
void pool_lookup_done(PoolLookup *l);

/* All of these give 0 and NULL for what is not in the pool, or has its rows already; then `used` is when the
 * row says that it was used. */
int pool_lookup_key(PoolLookup *l, const RowValue *v, usec_t used, PoolKey **ret);
int pool_lookup_project(PoolLookup *l, const RowValue *v, usec_t used, PoolProject **ret);

/* Made where it is missing, as far as there is room: no model is forgotten for one that is only remembered.
 */
int pool_lookup_model(PoolLookup *l, const RowValue *v, PoolModel **ret);
/* Of the project and the model that a row begins with; made likewise. */
int pool_lookup_bucket(PoolLookup *l, const RowValue *v, usec_t used, PoolBucket **ret);

bool pool_lookup_model_name(PoolLookup *l, const RowValue *v, char ret[static MODEL_NAME_MAX + 1]);
