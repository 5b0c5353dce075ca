/* SPDX-License-Identifier: MIT */

/* The pool's models: their buckets and slots, and the heaps that these stand in. See pool.c for the whole
 * picture. */

#include <errno.h>
#include <search.h>
#include <string.h>

#include "core/pool-internal.h"

/* When the breaker lets somebody through: 0 now, USEC_INFINITY when its probe is back. */
static usec_t breaker_at(const Breaker *b, usec_t now) {
        switch (breaker_state(b, now)) {
        case BREAKER_OPEN:
                return b->until;
        case BREAKER_PROBING:
                return USEC_INFINITY;
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

/* A key that was never tried has the best rank of its index: nothing asked, nothing used. */
static HeapRank rank_untried(const PoolKey *k) {
        return (HeapRank){ .index = k->index };
}

/* True if there is such a key, and it comes before what is first otherwise. */
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
        Heap *heap;
        usec_t at;

        heap_remove(&b->ready.node);
        heap_remove(&b->trial.node);

        at = MAX(breaker_at(&b->project->breaker, p->now), breaker_at(&b->breaker, p->now));
        if (at > 0) {
                heap_push(&m->waiting_buckets, &b->ready.node, rank_time(at, b->project->first_key));
                return;
        }

        heap = b->project->breaker.until > 0 || b->breaker.until > 0 ? &m->trial : &m->ready;
        if (is_next(b->next_key, ready))
                heap_push(heap, &b->ready.node, rank_untried(b->next_key));
        else if (ready)
                heap_push(heap, &b->ready.node, ready->rank);
        if (trial)
                heap_push(&m->trial, &b->trial.node, trial->rank);
}

void pool_slot_place(Pool *p, PoolSlot *s) {
        const Breaker *const breakers[] = { &s->key->breaker, &s->rate, &s->health };
        PoolQueue *q = &s->bucket->ready;
        usec_t at = 0;

        heap_remove(&s->node);

        for (size_t i = 0; i < ELEMENTSOF(breakers); i++) {
                at = MAX(at, breaker_at(breakers[i], p->now));
                if (breakers[i]->until > 0)
                        q = &s->bucket->trial;
        }
        if (at > 0)
                heap_push(&s->bucket->model->waiting_slots, &s->node, rank_time(at, s->key));
        else
                heap_push(&q->slots, &s->node, rank_slot(s));
        pool_bucket_place(p, s->bucket);
}

static void slot_init(Pool *p, PoolSlot *s, PoolBucket *b, PoolKey *k) {
        s->key = k;
        s->bucket = b;
        s->tally.day = b->model->day;
        list_append(&k->slots, &s->by_key);
        list_append(&b->model->slots, &s->by_model);
        p->n_slots++;
        pool_slot_place(p, s);
}

static void slot_free(Pool *p, PoolSlot *s) {
        list_unlink(&s->by_key);
        list_unlink(&s->by_model);
        free(s->last_error);
        if (s != &s->bucket->first)
                free(s);
        p->n_slots--;
}

static bool is_forgotten_before(const PoolModel *a, const PoolModel *b) {
        if (a->succeeded != b->succeeded)
                return !a->succeeded;
        return a->used < b->used;
}

/* Model names come from clients, who may invent them: those that never answered go first, then those unused
 * longest. The keys' own totals keep what was counted. */
static bool forget_a_model(Pool *p, const PoolModel *except) {
        PoolModel *victim = NULL;

        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);

                if (m != except && m->n_leases == 0 && (!victim || is_forgotten_before(m, victim)))
                        victim = m;
        }
        if (!victim)
                return false;
        (void) pool_model_free(p, victim);
        return true;
}

static void make_room(Pool *p, const PoolModel *except) {
        while (p->n_slots >= p->n_slots_max && forget_a_model(p, except))
                ;
}

/* The next key of the bucket's project that was never tried. */
static int bucket_extend(Pool *p, PoolBucket *b) {
        PoolSlot *s;

        make_room(p, b->model);
        s = calloc(1, sizeof(PoolSlot));
        if (!s)
                return -ENOMEM;

        PoolKey *k = b->next_key;
        b->next_key = k->next_of_project;
        slot_init(p, s, b, k);
        return 0;
}

/* The next project that was never tried, and its first key. */
static int model_extend(Pool *p, PoolModel *m) {
        PoolProject *project = m->next_project;
        PoolBucket *b;

        make_room(p, m);
        b = calloc(1, sizeof(PoolBucket));
        if (!b)
                return -ENOMEM;
        m->next_project = project->next;

        b->project = project;
        b->model = m;
        b->ready.bucket = b->trial.bucket = b;
        b->ready.slots.steps = b->trial.slots.steps = &p->steps;
        b->next_key = project->first_key->next_of_project;
        list_append(&project->buckets, &b->by_project);
        list_append(&m->buckets, &b->by_model);
        slot_init(p, &b->first, b, project->first_key);
        return 0;
}

int pool_model_first(Pool *p, PoolModel *m, bool is_retry, PoolSlot **ret) {
        int r;

        /* Each turn but the last makes a slot, which happens once for each (key, model). */
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

/* A new day, or the clock has jumped: every rank has changed, so the heaps are made anew. O(slots), once a
 * day. */
static void model_rebuild(Pool *p, PoolModel *m) {
        heap_clear(&m->ready);
        heap_clear(&m->trial);
        heap_clear(&m->waiting_buckets);
        heap_clear(&m->waiting_slots);
        LIST_FOREACH(i, &m->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_model);

                heap_clear(&b->ready.slots);
                heap_clear(&b->trial.slots);
                heap_node_reset(&b->ready.node);
                heap_node_reset(&b->trial.node);
        }
        LIST_FOREACH(i, &m->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_model);

                heap_node_reset(&s->node);
                pool_tally_roll(&s->tally, p->day);
        }

        m->day = p->day;
        LIST_FOREACH(i, &m->slots)
                pool_slot_place(p, list_entry(i, PoolSlot, by_model));
}

void pool_model_refresh(Pool *p, PoolModel *m) {
        HeapNode *n;

        if (m->day != p->day)
                model_rebuild(p, m);
        while ((n = heap_first(&m->waiting_slots)) && n->rank.by[0] <= p->now)
                pool_slot_place(p, CONTAINER_OF(n, PoolSlot, node));
        while ((n = heap_first(&m->waiting_buckets)) && n->rank.by[0] <= p->now)
                pool_bucket_place(p, CONTAINER_OF(n, PoolQueue, node)->bucket);
}

int pool_name_compare(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

PoolModel *pool_model_find(Pool *p, const char *name) {
        PoolModel **at = tfind(&name, &p->models_by_name, pool_name_compare);

        return at ? *at : NULL;
}

int pool_model_acquire(Pool *p, const char *name, PoolModel **ret) {
        PoolModel *m = pool_model_find(p, name);

        if (m) {
                *ret = m;
                return 0;
        }

        if (p->n_models >= MODELS_MAX && !forget_a_model(p, NULL))
                return -E2BIG;

        m = calloc(1, sizeof(PoolModel));
        if (!m)
                return -ENOMEM;
        m->name = strdup(name);
        if (!m->name || !tsearch(m, &p->models_by_name, pool_name_compare)) {
                free(m->name);
                free(m);
                return -ENOMEM;
        }

        m->ready.steps = m->trial.steps = &p->steps;
        m->waiting_buckets.steps = m->waiting_slots.steps = &p->steps;
        list_init(&m->buckets);
        list_init(&m->slots);
        list_append(&p->models, &m->models);
        m->next_project = p->first_project;
        m->day = p->day;
        p->n_models++;
        *ret = m;
        return 0;
}

PoolModel *pool_model_free(Pool *p, PoolModel *m) {
        /* Each bucket holds its first slot: it goes after all slots are gone. */
        LIST_FOREACH(i, &m->slots)
                slot_free(p, list_entry(i, PoolSlot, by_model));
        LIST_FOREACH(i, &m->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_model);

                list_unlink(&b->by_project);
                free(b);
        }
        (void) tdelete(m, &p->models_by_name, pool_name_compare);
        list_unlink(&m->models);
        p->n_models--;
        free(m->name);
        free(m);
        return NULL;
}
