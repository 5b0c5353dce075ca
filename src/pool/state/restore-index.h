/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Finds the key, project, model or bucket of the pool that a row belongs to, by the name that it has in the
 * store. A row may contain anything: one that makes no sense is counted and belongs to nothing. Part of
 * restore.c.
 */

#include "pool/state/restore-absent.h"
#include "pool/internal.h"

typedef struct RestoreIndex {
        Pool *pool;
        bool is_part;    /* the index has the keys that were added to it; otherwise all keys */
        PoolKey **index; /* by digest; NULL until a row needs it */
        size_t n_index, n_allocated;
        size_t n_senseless; /* rows that make no sense */
        RestoreAbsent absent;
} RestoreIndex;

void restore_index_init(RestoreIndex *l, Pool *p, bool is_part);
void restore_index_done(RestoreIndex *l);

/* Of a part: adds a key; then they are sorted. */
int restore_index_add(RestoreIndex *l, PoolKey *k);
void restore_index_sort(RestoreIndex *l);

/* All of these return 0 and set NULL if the key, project or bucket is not in the pool, or already has its
 * rows. `used` is the time of last use in the row. */
int restore_index_key(RestoreIndex *l, const RowValue *v, usec_t used, PoolKey **ret);
int restore_index_project(RestoreIndex *l, const RowValue *v, usec_t used, PoolProject **ret);

/* Creates the model if it is missing and there is room: no model is forgotten to make room for one from the
 * store. */
int restore_index_model(RestoreIndex *l, const RowValue *v, PoolModel **ret);
/* Finds the bucket of the project and the model in a row's first columns. It is created in the same way. */
int restore_index_bucket(RestoreIndex *l, const RowValue *v, usec_t used, PoolBucket **ret);

bool restore_index_model_name(RestoreIndex *l, const RowValue *v, char ret[static MODEL_NAME_MAX + 1]);
