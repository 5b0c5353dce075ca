/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A PoolQuota is what Google counts: the quota of a project for a model, by Google's own name for the
 * model. A bucket is for the name that clients ask for. Google's alias and its target are two buckets that
 * share one quota. Part of the pool, see quota.c.
 */

#include "pool/breaker.h"
#include "core/ceiling.h"
#include "pool/key.h"
#include "pool/probe.h"

/*
 * These members survive a restart: the breaker (without its probe), closed, daily and ceiling.kept of
 * PoolQuota (CeilingKept, core/ceiling.h); counted_as of PoolModel; learned of PoolKey. The others are set
 * again (ceiling.told, by MODEL_LIMITS) or concern one minute (the ceiling's slots, throttled).
 * pool_model_learn_name() restores counted_as and groups the buckets; pool_project_restore() restores
 * learned and moves the key to its project.
 */
typedef struct PoolQuota {
        List buckets; /* the buckets that share it */
        Breaker breaker;
        PoolError error;
        PoolProbe probe;
        bool closed; /* why the breaker is open. True: the project may not use the model; false: quota */
        bool daily;  /* the breaker is open because of the day's quota */
        Ceiling ceiling;
        bool restored; /* a row of its ceiling was read. The rows of its other buckets have the same
                        * values and are ignored */
        const PoolSlot *throttled; /* the last slot that got an unexplained throttle; only compared */
        usec_t throttled_at;
        List warned; /* in pool->warned: quota_warning() was called for it, nearly always today */
} PoolQuota;

/* Gives a new bucket its quota: that of another bucket of the project, if Google counts the two as one. */
int pool_quota_attach(Pool *p, PoolBucket *b);
void pool_quota_detach(PoolBucket *b); /* frees the quota with its last bucket */

/* When the quota's ceilings have room for a request of so many tokens; 0: now. */
usec_t pool_quota_free_at(Pool *p, PoolQuota *q, uint64_t tokens, CeilingKind *ret_kind);

/* True if two keys of the project got an unexplained throttle, without an answer in between: then the
 * project is throttled. To be called with every verdict. */
bool pool_quota_is_throttled(Pool *p, const PoolSlot *s, VerdictClass class);

void pool_quota_take(Pool *p, PoolQuota *q, uint64_t tokens);
/* Google's name of the model in a quota is known, from an answer or from the store. */
void pool_model_learn_name(Pool *p, PoolModel *m, const char *name);

/* To be called at the end of a request. Replaces the estimated number of tokens by the true one, and stores
 * the ceilings that Google's answer names. */
void pool_quota_report(Pool *p, const Lease *lease, const Verdict *v, const Usage *usage);

/* False if the request does not fit into the bucket's quota: then the bucket is crowded, which means that
 * it is skipped until it has room. *tries must be 0 at the first call of a pick. */
bool pool_bucket_try(Pool *p, PoolBucket *b, uint64_t tokens, unsigned *tries);
/* Brings back a crowded bucket, if this request fits. */
bool pool_model_uncrowd(Pool *p, PoolModel *m, uint64_t tokens);

bool pool_bucket_is_spent(Pool *p, PoolBucket *b); /* its breaker is open, or a ceiling is full */
/* Leases issued before this call no longer adjust the quota's counters. */
void pool_bucket_uncount(Pool *p, PoolBucket *b);
void pool_quota_reset(Pool *p, PoolQuota *q);
void pool_quota_note(Pool *p, PoolQuota *q); /* its breaker has changed: notes it for the store */
void pool_ceiling_note(Pool *p, PoolQuota *q, bool urgent);

void pool_notify_warning(Pool *p, const PoolSlot *s); /* if QUOTA_WARN_AT was reached */
void pool_quota_note_warned(Pool *p, PoolQuota *q);   /* if it was reached today */

/* Moves all buckets that share it to where they belong. */
void pool_quota_place(Pool *p, PoolQuota *q);

/* Gives `to` the cooldown of the other quota, unless it has one. */
void pool_quota_take_cooldown(Pool *p, PoolQuota *to, const PoolQuota *from);

/* Merges `from` into the other quota, because Google counts both as one. Where both have a value, that of
 * `to` is kept. `from` is empty afterwards. */
void pool_quota_inherit(Pool *p, PoolQuota *to, PoolQuota *from);
