/* SPDX-License-Identifier: MIT */

/*
 * The reset by hand. All blocks are counted first, and then lifted, because the keys of a project share
 * breakers. A project's blocks are lifted once, with its first key: that walks over its slots. If a reload
 * replaces the keys meanwhile, the count starts again; what is lifted already may be lifted once more. What
 * has begun is done to the end, also if the client goes.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "pool/internal.h"
#include "pool/notify.h"
#include "pool/reset.h"

struct PoolReset {
        Pool *pool;
        char *pattern, *model; /* or NULL */
        uint64_t id, serial;
        enum { RESET_COUNT, RESET_LIFT, RESET_NOTIFY, RESET_DONE } stage;
        size_t next; /* of the stage */
        bool matched;
        unsigned n;
};

/* How many slots of the key, and the key itself, are blocked. An open bucket also blocks a key that has no
 * slot in it, so blocked buckets are counted too, except where a slot has been counted already. */
static unsigned key_count_obstacles(Pool *p, PoolKey *k, const PoolModel *m) {
        unsigned n = !m && (k->breaker.until > 0 || k->project->breaker.until > 0);

        LIST_FOREACH(i, &k->project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);

                n += (!m || b->model == m) && pool_bucket_is_spent(p, b);
        }
        LIST_FOREACH(i, &k->slots) {
                const PoolSlot *s = list_entry(i, PoolSlot, by_key);

                n += (!m || s->bucket->model == m) && !pool_bucket_is_spent(p, s->bucket) &&
                     (s->strikes > 0 || s->health.until > 0 || s->rate.until > 0);
        }
        return n;
}

static void lift_project(Pool *p, PoolKey *k, const PoolModel *m) {
        PoolProject *project = k->project;

        if (!m) {
                pool_breaker_set(p, k, &project->breaker, 0);
                pool_error_clear(&project->error);
                pool_note(p, &project->dirty, true);
        }
        LIST_FOREACH(i, &project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);

                if (!m || b->model == m)
                        pool_quota_reset(p, b->quota);
        }
}

static void lift_key(Pool *p, PoolKey *k, const PoolModel *m) {
        if (!m) {
                pool_breaker_set(p, k, &k->breaker, 0);
                pool_error_clear(&k->error);
                pool_note(p, &k->dirty, true);
        }
        LIST_FOREACH(i, &k->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_key);

                if (m && s->bucket->model != m)
                        continue;
                s->strikes = 0;
                breaker_close(&s->rate);
                breaker_close(&s->health);
                pool_error_clear(&s->error);
                pool_note(p, &s->dirty, true);
                pool_slot_place(p, s);
        }
}

static void step_key(PoolReset *r, PoolKey *k, const PoolModel *m) {
        Pool *p = r->pool;

        if (r->stage == RESET_NOTIFY) {
                pool_notify_key_alone(p, k, "reset"); /* a project may be shared with a matching key */
                return;
        }
        if (!pool_key_matches(k, r->pattern))
                return;
        if (r->stage == RESET_COUNT) {
                r->matched = true;
                r->n += key_count_obstacles(p, k, m);
                return;
        }
        if (k->project->reset != r->id)
                lift_project(p, k, m);
        k->project->reset = r->id;
        lift_key(p, k, m);
}

static void stage_end(PoolReset *r) {
        r->next = 0;
        if (r->stage == RESET_NOTIFY)
                pool_notify_models(r->pool);
        r->stage++;
}

/* -ENXIO: the model is not known (any more). */
static int look_at_set(PoolReset *r, PoolModel **ret) {
        Pool *p = r->pool;

        *ret = r->model ? pool_model_find(p, r->model) : NULL;
        if (r->model && !*ret)
                return -ENXIO;
        if (r->serial == p->last_set)
                return 0;
        r->serial = p->last_set;
        r->next = 0;
        if (r->stage == RESET_COUNT) {
                r->n = 0;
                r->matched = false;
        }
        return 0;
}

int pool_reset_new(Pool *p, const char *pattern, const char *model, PoolReset **ret) {
        _cleanup_(pool_reset_freep) PoolReset *r = calloc(1, sizeof(PoolReset));

        if (!r)
                return -ENOMEM;
        r->pool = p;
        r->id = ++p->last_reset;
        r->serial = p->last_set;
        r->pattern = pattern ? strdup(pattern) : NULL;
        r->model = model ? strdup(model) : NULL;
        if ((pattern && !r->pattern) || (model && !r->model))
                return -ENOMEM;
        *ret = TAKE_PTR(r);
        return 0;
}

int pool_reset_step(PoolReset *r, usec_t now, size_t n) {
        Pool *p = r->pool;
        size_t cost = pool_update_cost(p);
        PoolModel *m;
        int e;

        (void) pool_time(p, now);
        e = look_at_set(r, &m);
        if (e < 0)
                return e;
        for (size_t done = 0; done < n && r->stage < RESET_DONE; done += cost) {
                if (r->next < p->n_keys) {
                        step_key(r, p->keys[r->next++], m);
                        continue;
                }
                if (!r->matched)
                        return -ENXIO;
                stage_end(r);
        }
        if (r->stage > RESET_COUNT)
                pool_forget_refusals(p);
        return r->stage < RESET_DONE;
}

unsigned pool_reset_count(const PoolReset *r) {
        return r->n;
}

PoolReset *pool_reset_free(PoolReset *r) {
        if (!r)
                return NULL;
        if (r->stage > RESET_COUNT)
                (void) pool_reset_step(r, r->pool->day.now, SIZE_MAX);
        free(r->pattern);
        free(r->model);
        free(r);
        return NULL;
}

int pool_reset(Pool *p, const char *pattern, const char *model, usec_t now) {
        _cleanup_(pool_reset_freep) PoolReset *r = NULL;
        int e;

        e = pool_reset_new(p, pattern, model, &r);
        if (e >= 0)
                e = pool_reset_step(r, now, SIZE_MAX);
        return e < 0 ? e : (int) pool_reset_count(r);
}
