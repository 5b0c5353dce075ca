/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool's models, their buckets and slots, and the heaps that these are in. Part of the pool, see
 * pick.c. */

#include "pool/heap.h"
#include "pool/quota.h"

struct PoolSlot {
        HeapNode node; /* in a PoolQueue of the bucket, or in model->waiting_slots; in none while a pick
                        * has set it aside */
        List by_key, by_bucket;
        PoolDirty dirty;
        PoolKey *key;
        PoolBucket *bucket;
        PoolTally tally;
        Breaker rate, health;
        PoolProbe probe;
        unsigned strikes; /* errors in a row that are the slot's own fault */
        uint64_t uncounted; /* leases up to this id are not counted in its quota (any more) */
        usec_t day; /* the one that its rank is of */
        PoolError error;
        PoolNotified notified;
};

/* Usable slots of one bucket in a heap, and the node by which that heap is in one of the model's heaps. */
typedef struct PoolQueue {
        HeapNode node; /* in model->ready, ->trial, ->crowded or ->waiting_buckets; or in none */
        Heap slots;
        PoolBucket *bucket;
} PoolQueue;

struct PoolBucket {
        PoolQueue ready; /* slots without an open breaker. While the bucket is crowded or waits, this node
                          * is in model->crowded or ->waiting_buckets */
        PoolQueue trial; /* slots whose request would be a probe, by a breaker of the key or the slot */
        List by_project, by_model, by_quota;
        PoolDirty dirty, ceiling_dirty; /* rows of the quota */
        PoolProject *project;
        PoolModel *model;
        PoolQuota *quota;
        usec_t crowded_until; /* the bucket is skipped until then, because a large request did not fit
                               * into its quota, see quota.c; 0: it is not skipped */
        usec_t overloaded_until; /* the model was overloaded for this project: until then other projects are
                                  * picked first */
        PoolKey *next_key; /* the project's first key without a slot for this model */
        const PoolKey *tried_by; /* see chain.c; else NULL */
        usec_t day;              /* all its slots have ranks of this day, or of a later one */
        List slots;              /* first those with ranks of another day than the pool's */
};

struct PoolModel {
        char *name; /* first, for pool_name_compare() */
        char *counted_as; /* its name in Google's quotas, if that differs; or NULL */
        uint64_t serial;  /* no other model has ever had it */
        uint32_t place;   /* below MODELS_MAX; no other model has it now */
        List models;
        Heap ready, trial;                   /* of PoolQueue, by the rank of their first slot */
        Heap waiting_buckets, waiting_slots; /* by when they become usable */
        Heap crowded; /* buckets without room for a large request, and overloaded ones, by the time up to
                       * which others are picked first */
        List buckets; /* first those of another day than the pool's */
        PoolProject *next_project; /* the first project without a bucket for this model */
        const PoolProject *tried_by; /* see chain.c; else NULL */
        PoolTally tally;
        PoolToday today;
        PoolDirty dirty, alias_dirty, missing_dirty;
        bool saved; /* the store has a row of it or of one of its slots */
        usec_t day; /* the day of all its buckets; USEC_INFINITY: the clock has jumped */
        bool succeeded;
        unsigned missed; /* how often in a row Google has not known it; see pool_model_is_missing() */
        bool may_be_waited_for; /* a slot or bucket with an open breaker, or with a known ceiling, was placed
                                 * since a walk found none that waits */
        PoolSlot *waiting_slot; /* what the last walk found; or NULL */
        PoolBucket *waiting_bucket;
        bool exhausted; /* no key can serve the model, and the observer was notified of that */
        size_t n_leases;
        uint64_t used; /* the id of the model's latest lease; the model with the smallest id is forgotten
                        * first */
        PoolRefusal refusal;
        usec_t refused_at; /* when the refusal was counted; 0: never */
};

PoolModel *pool_model_find(Pool *p, const char *name);
int pool_model_acquire(Pool *p, const char *name, PoolModel **ret); /* finds or creates it; -E2BIG */
PoolModel *pool_model_free(Pool *p, PoolModel *m);
void pool_make_room(Pool *p, const PoolModel *except); /* for a slot: forgets models, except this one */
/* Between the two, `scratch` of each key and project points to its slot or bucket of this model. */
void pool_model_mark(PoolModel *m);
void pool_model_unmark(PoolModel *m);

/* The slot to pick; NULL if there is none. A retry takes a slot that needs a probe only if there is no
 * other slot. */
int pool_model_first(Pool *p, PoolModel *m, bool is_retry, PoolSlot **ret);

PoolSlot *pool_slot_find(const PoolKey *k, const PoolModel *m); /* or NULL */
/* Finds or creates the slot of key and model; pool_slot_enter() or pool_arrange() puts it into its heap. */
int pool_slot_acquire(Pool *p, PoolKey *k, PoolModel *m, PoolSlot **ret);

void pool_slot_enter(Pool *p, PoolSlot *s); /* puts a slot that was acquired where it belongs */

/* The slot of this bucket that can be picked without being a probe; NULL if there is none. */
int pool_bucket_first(Pool *p, PoolBucket *b, PoolSlot **ret);

/* Finds or creates the bucket of project and model. */
int pool_bucket_acquire(Pool *p, PoolProject *project, PoolModel *m, PoolBucket **ret);
PoolBucket *pool_bucket_free(PoolBucket *b); /* the bucket must have no slots */
void pool_bucket_rewind(PoolBucket *b);      /* sets its next_key again, from the first key on */
void pool_slot_free(Pool *p, PoolSlot *s);
void pool_model_rebuild(Pool *p, PoolModel *m); /* its heaps */
void pool_model_arrange(Pool *p, PoolModel *m); /* its heaps and cursors */

/* Move a bucket, or a slot and its bucket, to the heaps where they belong. To be called when one of their
 * breakers or their rank has changed. */
void pool_bucket_place(Pool *p, PoolBucket *b);
void pool_slot_place(Pool *p, PoolSlot *s);

/* Gemini has answered that the model is overloaded. Another project may be served well. */
void pool_bucket_overloaded(Pool *p, PoolBucket *b);
