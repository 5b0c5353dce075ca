/* SPDX-License-Identifier: MIT */

/* The pool's models, their buckets and slots, and the heaps that these are in. See pick.c for an
 * overview. */

#include <errno.h>
#include <stdint.h>

#include "pool/chain.h"
#include "pool/internal.h"
#include "pool/refresh.h"

/* For so long a project that was overloaded is not the first choice. */
#define OVERLOAD_MEMORY (10 * USEC_PER_SEC)

/* When the breaker lets a request through: 0: now, USEC_INFINITY: when its probe has an answer. */
static usec_t breaker_at(const Breaker *b, usec_t now) {
        switch (breaker_state(b, now)) {
        case BREAKER_OPEN:
                return b->until;
        case BREAKER_PROBING:
                return breaker_next_probe(b, now);
        default:
                return 0;
        }
}

static HeapRank rank_slot(const PoolSlot *s) {
        const PoolCounters *c = &s->tally.counters;

        return (HeapRank){ .by = { c->today, c->total, c->last_used }, .index = s->key->index };
}

static HeapRank rank_time(usec_t at, const PoolKey *k) {
        return (HeapRank){ .by = { at }, .index = k->index };
}

/* A key without a slot has the best rank of its index: no requests, never used. */
static HeapRank rank_untried(const PoolKey *k) {
        return (HeapRank){ .index = k->index };
}

/* True if there is such a key and its rank comes before `first`. */
static bool is_next(const PoolKey *untried, const HeapNode *first) {
        HeapRank rank;

        if (!untried || !first)
                return untried;
        rank = rank_untried(untried);
        return heap_rank_compare(&rank, &first->rank) < 0;
}

void pool_bucket_place(Pool *p, PoolBucket *b) {
        const HeapNode *ready = heap_first(&b->ready.slots), *trial = heap_first(&b->trial.slots);
        PoolModel *m = b->model;
        CeilingKind kind;
        Heap *heap;
        usec_t at;

        heap_remove(&b->ready.node);
        heap_remove(&b->trial.node);
        m->may_be_waited_for |= b->quota->breaker.until > 0;
        if (!b->project->first_key)
                return; /* all its keys are disabled */

        at = MAX(breaker_at(&b->project->breaker, p->day.now), breaker_at(&b->quota->breaker, p->day.now));
        if (ceiling_is_known(&b->quota->ceiling)) {
                m->may_be_waited_for = true;
                at = MAX(at, pool_quota_free_at(p, b->quota, 0, &kind));
        }
        if (at > 0) {
                heap_push(&m->waiting_buckets, &b->ready.node, rank_time(at, b->project->first_key));
                return;
        }

        at = MAX(b->crowded_until, b->overloaded_until);
        if (at > p->day.now) {
                if (ready || trial || b->next_key)
                        heap_push(&m->crowded, &b->ready.node, rank_time(at, b->project->first_key));
                return;
        }

        heap = b->project->breaker.until > 0 || b->quota->breaker.until > 0 ? &m->trial : &m->ready;
        if (is_next(b->next_key, ready))
                heap_push(heap, &b->ready.node, rank_untried(b->next_key));
        else if (ready)
                heap_push(heap, &b->ready.node, ready->rank);
        if (trial)
                heap_push(&m->trial, &b->trial.node, trial->rank);
}

/* The slot is about to get a rank of the pool's day. */
static void slot_turn(Pool *p, PoolSlot *s) {
        if (s->day == p->day.start)
                return;
        pool_tally_roll(&s->tally, p->day.start);
        s->day = p->day.start;
        list_unlink(&s->by_bucket);
        list_append(&s->bucket->slots, &s->by_bucket);
}

void pool_slot_place(Pool *p, PoolSlot *s) {
        const Breaker *const breakers[] = { &s->key->breaker, &s->rate, &s->health };
        PoolQueue *q = &s->bucket->ready;
        usec_t at = 0;

        heap_remove(&s->node);
        slot_turn(p, s);
        s->bucket->model->may_be_waited_for |= s->rate.until > 0 || s->health.until > 0;
        if (s->key->disabled) {
                pool_bucket_place(p, s->bucket);
                return;
        }

        for (size_t i = 0; i < ELEMENTSOF(breakers); i++) {
                at = MAX(at, breaker_at(breakers[i], p->day.now));
                if (breakers[i]->until > 0)
                        q = &s->bucket->trial;
        }
        if (at > 0)
                heap_push(&s->bucket->model->waiting_slots, &s->node, rank_time(at, s->key));
        else
                heap_push(&q->slots, &s->node, rank_slot(s));
        pool_bucket_place(p, s->bucket);
}

void pool_slot_free(Pool *p, PoolSlot *s) {
        if (s->bucket->model->waiting_slot == s)
                s->bucket->model->waiting_slot = NULL;
        heap_remove(&s->node);
        list_unlink(&s->by_key);
        list_unlink(&s->by_bucket);
        list_unlink(&s->dirty.link);
        list_unlink(&s->probe.link);
        pool_error_clear(&s->error);
        free(s);
        p->n_slots--;
}

void pool_bucket_overloaded(Pool *p, PoolBucket *b) {
        b->overloaded_until = usec_add(p->day.now, OVERLOAD_MEMORY);
        pool_bucket_place(p, b);
}

/* --- marks --- */

static void mark_keys(PoolBucket *b) {
        LIST_FOREACH(i, &b->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_bucket);

                s->key->scratch = s;
        }
}

static void unmark_keys(PoolBucket *b) {
        LIST_FOREACH(i, &b->slots)
                list_entry(i, PoolSlot, by_bucket)->key->scratch = NULL;
}

static void mark_projects(PoolModel *m) {
        LIST_FOREACH(i, &m->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_model);

                b->project->scratch = b;
        }
}

static void unmark_projects(PoolModel *m) {
        LIST_FOREACH(i, &m->buckets)
                list_entry(i, PoolBucket, by_model)->project->scratch = NULL;
}

void pool_model_mark(PoolModel *m) {
        mark_projects(m);
        LIST_FOREACH(i, &m->buckets)
                mark_keys(list_entry(i, PoolBucket, by_model));
}

void pool_model_unmark(PoolModel *m) {
        unmark_projects(m);
        LIST_FOREACH(i, &m->buckets)
                unmark_keys(list_entry(i, PoolBucket, by_model));
}

/* --- cursors: behind them are keys and projects without a slot, after a reload also others --- */

static PoolBucket *bucket_find(PoolProject *project, const PoolModel *m) {
        LIST_FOREACH(i, &project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);

                if (b->model == m)
                        return b;
        }
        return NULL;
}

PoolProject *pool_next_untried_project(const PoolModel *m, PoolProject *project, size_t n) {
        for (; project && bucket_find(project, m); project = project->next)
                if (n-- == 0)
                        return NULL;
        return project;
}

static bool key_was_tried(const PoolKey *k, const PoolBucket *b) {
        LIST_FOREACH(i, &k->slots)
                if (list_entry(i, PoolSlot, by_key)->bucket == b)
                        return true;
        return false;
}

PoolKey *pool_next_untried_key(const PoolBucket *b, PoolKey *k, size_t n) {
        for (; k && key_was_tried(k, b); k = k->next_of_project)
                if (n-- == 0)
                        return NULL;
        return k;
}

/* For many buckets at once: it marks keys instead of searching for each slot. */
void pool_bucket_rewind(PoolBucket *b) {
        PoolKey *k = b->project->first_key;

        mark_keys(b);
        while (k && k->scratch)
                k = k->next_of_project;
        b->next_key = k;
        unmark_keys(b);
}

static int bucket_new(Pool *p, PoolProject *project, PoolModel *m, PoolBucket **ret) {
        PoolBucket *b;
        int r;

        b = calloc(1, sizeof(PoolBucket));
        if (!b)
                return -ENOMEM;
        b->project = project;
        b->model = m;
        pool_dirty_init(&b->dirty, POOL_QUOTAS);
        pool_dirty_init(&b->ceiling_dirty, POOL_CEILINGS);
        r = pool_quota_attach(p, b);
        if (r < 0) {
                free(b);
                return r;
        }
        b->ready.bucket = b->trial.bucket = b;
        b->ready.slots.steps = b->trial.slots.steps = &p->steps;
        b->next_key = project->first_key;
        b->day = p->day.start;
        list_init(&b->slots);
        list_append(&project->buckets, &b->by_project);
        list_append(&m->buckets, &b->by_model);
        *ret = b;
        return 0;
}

PoolBucket *pool_bucket_free(PoolBucket *b) {
        assert(list_is_empty(&b->slots));
        heap_remove(&b->ready.node);
        heap_remove(&b->trial.node);
        list_unlink(&b->by_project);
        list_unlink(&b->by_model);
        list_unlink(&b->dirty.link);
        list_unlink(&b->ceiling_dirty.link);
        if (b->model->waiting_bucket == b)
                b->model->waiting_bucket = NULL;
        pool_quota_detach(b);
        free(b);
        return NULL;
}

int pool_bucket_acquire(Pool *p, PoolProject *project, PoolModel *m, PoolBucket **ret) {
        PoolBucket *b = bucket_find(project, m);
        int r;

        if (!b) {
                r = bucket_new(p, project, m, &b);
                if (r < 0)
                        return r;
                m->next_project = pool_next_untried_project(m, m->next_project, SIZE_MAX);
                pool_bucket_place(p, b);
        }
        *ret = b;
        return 0;
}

/* --- creation at the first use --- */

static PoolSlot *slot_new(Pool *p, PoolKey *k, PoolBucket *b) {
        PoolSlot *s;

        s = calloc(1, sizeof(PoolSlot));
        if (!s)
                return NULL;
        s->key = k;
        s->bucket = b;
        s->tally.day = s->day = p->day.start;
        pool_dirty_init(&s->dirty, POOL_KEY_MODELS);
        pool_probe_init(&s->probe, s);
        list_append(&k->slots, &s->by_key);
        list_append(&b->slots, &s->by_bucket);
        p->n_slots++;
        return s;
}

PoolSlot *pool_slot_find(const PoolKey *k, const PoolModel *m) {
        LIST_FOREACH(i, &k->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_key);

                if (s->bucket->model == m)
                        return s;
        }
        return NULL;
}

int pool_slot_acquire(Pool *p, PoolKey *k, PoolModel *m, PoolSlot **ret) {
        PoolSlot *s = pool_slot_find(k, m);
        PoolBucket *b;
        int r;

        if (s) {
                *ret = s;
                return 0;
        }
        r = pool_bucket_acquire(p, k->project, m, &b);
        if (r < 0)
                return r;
        s = slot_new(p, k, b);
        if (!s)
                return -ENOMEM;
        *ret = s;
        return 0;
}

void pool_slot_enter(Pool *p, PoolSlot *s) {
        PoolBucket *b = s->bucket;

        if (b->next_key == s->key)
                b->next_key = pool_next_untried_key(b, s->key->next_of_project, SIZE_MAX);
        pool_slot_place(p, s);
}

/* The next key of the bucket's project without a slot. */
static int bucket_extend(Pool *p, PoolBucket *b) {
        PoolKey *k = b->next_key;
        PoolSlot *s;

        pool_make_room(p, b->model);
        s = slot_new(p, k, b);
        if (!s)
                return -ENOMEM;
        b->next_key = pool_next_untried_key(b, k->next_of_project, SIZE_MAX);
        pool_slot_place(p, s);
        return 0;
}

/* The next project without a bucket, and its first key. */
static int model_extend(Pool *p, PoolModel *m) {
        PoolBucket *b;
        int r;

        pool_make_room(p, m);
        r = bucket_new(p, m->next_project, m, &b);
        if (r < 0)
                return r;
        m->next_project = pool_next_untried_project(m, m->next_project->next, SIZE_MAX);
        r = bucket_extend(p, b);
        if (r < 0)
                pool_bucket_place(p, b);
        return r;
}

int pool_bucket_first(Pool *p, PoolBucket *b, PoolSlot **ret) {
        HeapNode *n = heap_first(&b->ready.slots);
        int r;

        if (is_next(b->next_key, n)) {
                r = bucket_extend(p, b);
                if (r < 0)
                        return r;
                n = heap_first(&b->ready.slots);
        }
        *ret = n ? CONTAINER_OF(n, PoolSlot, node) : NULL;
        return 0;
}

int pool_model_first(Pool *p, PoolModel *m, bool is_retry, PoolSlot **ret) {
        int r;

        /* Each turn but the last creates a slot, which happens once for each (key, model). */
        for (;; p->steps++) {
                const PoolKey *untried = m->next_project ? m->next_project->first_key : NULL;
                HeapNode *n = heap_first(&m->ready), *trial = heap_first(&m->trial);
                PoolQueue *q;

                if (trial && !(is_retry && (n || untried)) && !is_next(untried, trial) &&
                    (!n || heap_rank_compare(&trial->rank, &n->rank) < 0))
                        n = trial;
                else if (is_next(untried, n)) {
                        r = model_extend(p, m);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (!n && pool_model_move_due(p, m))
                        continue;
                if (!n) {
                        *ret = NULL;
                        return 0;
                }

                q = CONTAINER_OF(n, PoolQueue, node);
                n = heap_first(&q->slots);
                if (q == &q->bucket->ready && is_next(q->bucket->next_key, n)) {
                        r = bucket_extend(p, q->bucket);
                        if (r < 0)
                                return r;
                        continue;
                }
                *ret = CONTAINER_OF(n, PoolSlot, node);
                return 0;
        }
}

/* After a jump of the clock or a change of keys every rank is different, so the heaps are rebuilt.
 * O(slots). */
void pool_model_rebuild(Pool *p, PoolModel *m) {
        heap_clear(&m->ready);
        heap_clear(&m->trial);
        heap_clear(&m->waiting_buckets);
        heap_clear(&m->waiting_slots);
        heap_clear(&m->crowded);
        LIST_FOREACH(i, &m->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_model);

                heap_clear(&b->ready.slots);
                heap_clear(&b->trial.slots);
                heap_node_reset(&b->ready.node);
                heap_node_reset(&b->trial.node);
                b->day = p->day.start;
                LIST_FOREACH(j, &b->slots) {
                        PoolSlot *s = list_entry(j, PoolSlot, by_bucket);

                        heap_node_reset(&s->node);
                        pool_tally_roll(&s->tally, p->day.start);
                        s->day = p->day.start;
                }
        }

        m->day = p->day.start;
        LIST_FOREACH(i, &m->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_model);

                pool_bucket_place(p, b); /* even without slots */
                LIST_FOREACH(j, &b->slots)
                        pool_slot_place(p, list_entry(j, PoolSlot, by_bucket));
        }
}

void pool_model_arrange(Pool *p, PoolModel *m) {
        PoolProject *project = p->first_project;

        LIST_FOREACH(i, &m->buckets)
                pool_bucket_rewind(list_entry(i, PoolBucket, by_model));
        mark_projects(m);
        while (project && project->scratch)
                project = project->next;
        unmark_projects(m);
        m->next_project = project;
        m->refused_at = 0;
        pool_model_rebuild(p, m);
}
