/* SPDX-License-Identifier: MIT */

/* The pool's models by name. Clients may invent names, so the numbers of models and slots have ceilings.
 * Beyond them a model is forgotten, together with its buckets and slots. A model that a key or a project
 * waits for is not: a new name is refused rather. */

#include <errno.h>
#include <search.h>
#include <string.h>

#include "pool/internal.h"

static bool is_forgotten_before(const PoolModel *a, const PoolModel *b) {
        if (a->succeeded != b->succeeded)
                return !a->succeeded;
        return a->used < b->used;
}

/* Frees its buckets and slots, and removes it from the pool. */
static void model_clear(Pool *p, PoolModel *m) {
        LIST_FOREACH(i, &m->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_model);

                /* The heaps are dropped as a whole, so their elements need not be removed. */
                LIST_FOREACH(j, &b->slots) {
                        PoolSlot *s = list_entry(j, PoolSlot, by_bucket);

                        heap_node_reset(&s->node);
                        pool_slot_free(p, s);
                }
                heap_node_reset(&b->ready.node);
                heap_node_reset(&b->trial.node);
                (void) pool_bucket_free(b);
        }
        (void) tdelete(m, &p->models_by_name, pool_name_compare);
        list_unlink(&m->models);
        list_unlink(&m->dirty.link);
        list_unlink(&m->alias_dirty.link);
        list_unlink(&m->missing_dirty.link);
        p->n_models--;
        pool_book_model(p, m);
}

static void model_done(PoolModel *m) {
        free(m->counted_as);
        free(m->name);
        free(m);
}

/* Its rows in the store must be deleted too; the empty model stays until that is done. */
static void model_forget(Pool *p, PoolModel *m) {
        model_clear(p, m);
        if (p->save.on && m->saved)
                list_append(&p->save.forgotten, &m->models);
        else
                model_done(m);
}

static bool is_blocked(const Breaker *b, usec_t now) {
        BreakerState state = breaker_state(b, now);

        return state == BREAKER_OPEN || state == BREAKER_PROBING;
}

static bool bucket_waits(Pool *p, const PoolBucket *b) {
        CeilingKind kind;

        return is_blocked(&b->quota->breaker, p->day.now) || pool_quota_free_at(p, b->quota, 0, &kind) > 0;
}

static bool slot_waits(const Pool *p, const PoolSlot *s) {
        return is_blocked(&s->rate, p->day.now) || is_blocked(&s->health, p->day.now);
}

/* True if a key or a project waits for this model: if the model were forgotten, it would be asked again too
 * early. Clients can cause a search for each name that they invent, so it remembers what it has found; and
 * if that was nothing, there is none until something is placed in a heap of what waits. */
static bool is_waited_for(Pool *p, PoolModel *m) {
        if (!m->may_be_waited_for)
                return false;
        if ((m->waiting_slot && slot_waits(p, m->waiting_slot)) ||
            (m->waiting_bucket && bucket_waits(p, m->waiting_bucket)))
                return true;
        m->waiting_slot = NULL;
        m->waiting_bucket = NULL;
        LIST_FOREACH(i, &m->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_model);

                p->steps++;
                if (bucket_waits(p, b)) {
                        m->waiting_bucket = b;
                        return true;
                }
                LIST_FOREACH(j, &b->slots) {
                        PoolSlot *s = list_entry(j, PoolSlot, by_bucket);

                        p->steps++;
                        if (slot_waits(p, s)) {
                                m->waiting_slot = s;
                                return true;
                        }
                }
        }
        m->may_be_waited_for = false;
        return false;
}

/* Models that never answered are forgotten first (clients may invent names), then those unused longest. The
 * totals of the keys keep what was counted. With `calm`, none that is waited for. */
static bool forget_a_model(Pool *p, const PoolModel *except, bool calm) {
        PoolModel *victim = NULL;

        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);

                if (m != except && m->n_leases == 0 && (!victim || is_forgotten_before(m, victim)) &&
                    !(calm && is_waited_for(p, m)))
                        victim = m;
        }
        if (!victim)
                return false;
        model_forget(p, victim);
        return true;
}

void pool_make_room(Pool *p, const PoolModel *except) {
        while (p->n_slots >= p->n_slots_max &&
               (forget_a_model(p, except, true) || forget_a_model(p, except, false)))
                ;
}

int pool_name_compare(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

PoolModel *pool_model_find(Pool *p, const char *name) {
        PoolModel **at = tfind(&name, &p->models_by_name, pool_name_compare);

        return at ? *at : NULL;
}

/* At most MODELS_MAX - 1 models are there, so one place is free. */
static uint32_t free_place(const Pool *p) {
        bool taken[MODELS_MAX] = {};
        uint32_t i = 0;

        LIST_FOREACH(l, &p->models)
                taken[list_entry(l, PoolModel, models)->place] = true;
        while (i < MODELS_MAX - 1 && taken[i])
                i++;
        return i;
}

int pool_model_acquire(Pool *p, const char *name, PoolModel **ret) {
        PoolModel *m = pool_model_find(p, name);

        if (m) {
                *ret = m;
                return 0;
        }

        if (p->n_models >= MODELS_MAX && !forget_a_model(p, NULL, true))
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
        m->crowded.steps = &p->steps;
        list_init(&m->buckets);
        m->serial = ++p->last_model;
        m->place = free_place(p);
        pool_dirty_init(&m->dirty, POOL_MODELS);
        pool_dirty_init(&m->alias_dirty, POOL_ALIASES);
        pool_dirty_init(&m->missing_dirty, POOL_MISSING_MODELS);
        list_append(&p->models, &m->models);
        m->next_project = p->first_project;
        m->day = p->day.start;
        pool_today_begin(p, &m->today, &m->tally, name);
        p->n_models++;
        *ret = m;
        return 0;
}

PoolModel *pool_model_free(Pool *p, PoolModel *m) {
        model_clear(p, m);
        model_done(m);
        return NULL;
}
