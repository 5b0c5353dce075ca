/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool's models, their buckets and slots; a part of the pool, see pool/pick.c. */

#include "pool/heap.h"
#include "pool/quota.h"

struct PoolSlot {
        HeapNode node; /* in a queue of the bucket, in model->waiting_slots, or set aside by a pick */
        List by_key, by_bucket;
        PoolDirty dirty;
        PoolKey *key;
        PoolBucket *bucket;
        PoolTally tally;
        Breaker rate, health;
        unsigned strikes; /* errors of its own fault in a row */
        uint64_t uncounted; /* leases up to this one are in no count of its quota (any more) */
        char *last_error;
        PoolWord told;
};

/* Slots that may go now, and where they stand among those of the model. */
typedef struct PoolQueue {
        HeapNode node; /* in model->ready, ->trial or ->waiting_buckets; in none if it has nothing to give */
        Heap slots;
        PoolBucket *bucket;
} PoolQueue;

struct PoolBucket {
        PoolQueue ready; /* those with nothing against them; the one that waits if all have to */
        PoolQueue trial; /* those that would be a probe, by their key's or their own breakers */
        List by_project, by_model, by_quota;
        PoolDirty dirty, ceiling_dirty; /* of the quota */
        PoolProject *project;
        PoolModel *model;
        PoolQuota *quota;
        usec_t crowded_until; /* stands aside for a request that did not fit, see pool/quota.c; 0: not */
        PoolKey *next_key; /* the first key of the project that was never tried for this model */
        List slots;
};

struct PoolModel {
        char *name; /* first, for pool_name_compare() */
        char *counted_as; /* what Google's quotas call it, if that is another name; or NULL */
        List models;
        Heap ready, trial;                   /* queues, by the rank of their first slot; trial: of probes */
        Heap waiting_buckets, waiting_slots; /* by the time at which they may go again */
        Heap crowded;                        /* buckets too, for large requests only */
        List buckets;
        PoolProject *next_project; /* the first project that was never tried for this model */
        PoolTally tally;
        PoolToday today;
        PoolDirty dirty, alias_dirty;
        bool saved; /* a store has a row of it, or of one of its slots */
        usec_t day; /* that the heaps are ordered for */
        bool succeeded;
        bool exhausted; /* and the observer knows */
        size_t n_leases;
        uint64_t used; /* the id of the latest lease, for forgetting the model unused longest */
        PoolRefusal refusal;
        usec_t refused_at; /* when it was counted; 0: never */
};

PoolModel *pool_model_find(Pool *p, const char *name);
int pool_model_acquire(Pool *p, const char *name, PoolModel **ret); /* finds or makes; -E2BIG */
PoolModel *pool_model_free(Pool *p, PoolModel *m);
void pool_make_room(Pool *p, const PoolModel *except); /* for a slot: forgets models, but for this one */
void pool_model_refresh(Pool *p, PoolModel *m); /* moves what time has freed */

/* The slot to take, NULL if there is none. A retry takes a probe only if there is nothing else. */
int pool_model_first(Pool *p, PoolModel *m, bool is_retry, PoolSlot **ret);

/* The slot of key and model, made if there is none; its place is found by pool_arrange(). */
int pool_slot_acquire(Pool *p, PoolKey *k, PoolModel *m, PoolSlot **ret);

/* The slot of the bucket to take, of those that are no probe; NULL if there is none. */
int pool_bucket_first(Pool *p, PoolBucket *b, PoolSlot **ret);

/* The bucket of project and model, made if there is none. */
int pool_bucket_acquire(Pool *p, PoolProject *project, PoolModel *m, PoolBucket **ret);
PoolBucket *pool_bucket_free(PoolBucket *b); /* must have no slots */
void pool_bucket_rewind(PoolBucket *b);      /* finds its next_key anew */
void pool_slot_free(Pool *p, PoolSlot *s);
void pool_model_arrange(Pool *p, PoolModel *m); /* its heaps and cursors anew */

/* Put a bucket, a slot and its bucket, where they belong now. To be called when a breaker in their way, or
 * their rank, has changed. */
void pool_bucket_place(Pool *p, PoolBucket *b);
void pool_slot_place(Pool *p, PoolSlot *s);

/* True if no pick could succeed now. Makes no heap anew: that is for picks. */
bool pool_model_is_exhausted(Pool *p, PoolModel *m);
