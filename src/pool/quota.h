/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What Google counts: the quota of a project for a model, by Google's own name for it. A bucket is what was
 * asked for; an alias and its target are two buckets with one quota. A part of the pool, see pool/quota.c.
 */

#include "pool/breaker.h"
#include "core/ceiling.h"
#include "pool/key.h"

typedef struct PoolModel PoolModel;

/*
 * What must survive a restart of all that quotas know: of PoolQuota the breaker (without its probe), closed,
 * daily, ceiling.kept (CeilingKept, core/ceiling.h); of PoolModel counted_as; of PoolKey learned. The rest
 * is told anew (ceiling.told, by MODEL_LIMITS) or is of one minute (the ceiling's slots, throttled).
 * counted_as is restored by pool_model_learn_name(), which groups the buckets, learned by
 * pool_project_restore(), which brings the key to its project.
 */
typedef struct PoolQuota {
        List buckets; /* that share it */
        Breaker breaker;
        bool closed; /* why it is open: the model is closed to this project, or else quota… */
        bool daily;  /* …of the day */
        Ceiling ceiling;
        bool restored; /* a store's row of its ceiling is in it; its other buckets' say the same */
        const PoolSlot *throttled; /* the last that met a throttle without a reason; only compared */
        usec_t throttled_at;
} PoolQuota;

/* What MODEL_LIMITS tells of a model in a project (NULL: one without a name). */
void pool_limits_find(const Pool *p, const char *model, const char *project,
                      uint64_t ret[static _CEILING_MAX]);

/* Gives a new bucket its quota: that of another bucket of its project, if Google counts the two as one. */
int pool_quota_attach(Pool *p, PoolBucket *b);
void pool_quota_detach(PoolBucket *b); /* the last one frees it */

/* When the quota's ceilings let a request of so many tokens through; 0: now. */
usec_t pool_quota_free_at(Pool *p, PoolQuota *q, uint64_t tokens, CeilingKind *ret_kind);

/* A throttle without a reason that two keys of the project have met, with no answer between: it is the
 * project's. To be told of every verdict. */
bool pool_quota_is_throttled(Pool *p, const PoolSlot *s, VerdictClass class);

void pool_quota_take(Pool *p, PoolQuota *q, uint64_t tokens);
/* A quota has told of its own name for the model; or a store has. */
void pool_model_learn_name(Pool *p, PoolModel *m, const char *name);

/* The end of a request: what is known now of its size, and what Google has said of ceilings. */
void pool_quota_report(Pool *p, const Lease *lease, const Verdict *v, const Usage *usage);

/* False if the request does not fit: then the bucket is crowded. `tries` begins with 0. */
bool pool_bucket_try(Pool *p, PoolBucket *b, uint64_t tokens, unsigned *tries);
/* Brings one back that has stood aside for a larger request, if this one fits. */
bool pool_model_uncrowd(Pool *p, PoolModel *m, uint64_t tokens);

bool pool_bucket_is_spent(Pool *p, PoolBucket *b); /* found so, or full */
/* What is under way is in no count of the quota (any more): its outcome is not to change one. */
void pool_bucket_uncount(Pool *p, PoolBucket *b);
void pool_quota_reset(Pool *p, PoolQuota *q);
void pool_quota_note(Pool *p, PoolQuota *q); /* its breaker has changed */
void pool_ceiling_note(Pool *p, PoolQuota *q, bool urgent);

void pool_notify_warning(Pool *p, const PoolSlot *s); /* if there is one to be told */

/* Puts all buckets that share it where they belong now. */
void pool_quota_place(Pool *p, PoolQuota *q);

/* What is known of one goes to the other, whose own knowledge wins: they were one all along. `from` knows
 * nothing then. */
void pool_quota_inherit(Pool *p, PoolQuota *to, PoolQuota *from);
