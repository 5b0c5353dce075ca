/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What Google counts: the quota of a project for a model, by Google's own name for it. A bucket is what was
 * asked for; an alias and its target are two buckets with one quota. A part of the pool, see pool-quota.c.
 */

#include "core/breaker.h"
#include "core/ceiling.h"
#include "core/pool-key.h"

typedef struct PoolModel PoolModel;

typedef struct PoolQuota {
        List buckets; /* that share it */
        Breaker breaker;
        bool closed; /* why it is open: the model is closed to this project, or else quota… */
        bool daily;  /* …of the day */
        Ceiling ceiling;
} PoolQuota;

/* What MODEL_LIMITS tells of a model in a project (NULL: one without a name). */
void pool_limits_find(const Pool *p, const char *model, const char *project,
                      uint64_t ret[static _CEILING_MAX]);

/* Gives a new bucket its quota: that of another bucket of its project, if Google counts the two as one. */
int pool_quota_attach(Pool *p, PoolBucket *b);
void pool_quota_detach(PoolBucket *b); /* the last one frees it */

/* When the quota's ceilings let a request of so many tokens through; 0: now. */
usec_t pool_quota_free_at(Pool *p, PoolQuota *q, uint64_t tokens, CeilingKind *ret_kind);

void pool_quota_take(Pool *p, PoolQuota *q, uint64_t tokens);
/* The end of a request: what is known now of its size, and what Google has said of ceilings. */
void pool_quota_report(Pool *p, const Lease *lease, const Verdict *v, const Usage *usage);

/* False if the request does not fit: then the bucket is crowded. `tries` begins with 0. */
bool pool_bucket_try(Pool *p, PoolBucket *b, uint64_t tokens, unsigned *tries);
/* Brings one back that has stood aside for a larger request, if this one fits. */
bool pool_model_uncrowd(Pool *p, PoolModel *m, uint64_t tokens);

bool pool_bucket_is_spent(Pool *p, PoolBucket *b); /* found so, or full */
void pool_quota_reset(Pool *p, PoolQuota *q);

/* Puts all buckets that share it where they belong now. */
void pool_quota_place(Pool *p, PoolQuota *q);

/* What is known of one goes to the other, whose own knowledge wins: they were one all along. */
void pool_quota_inherit(Pool *p, PoolQuota *to, const PoolQuota *from);
