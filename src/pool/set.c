/* SPDX-License-Identifier: MIT */

/*
 * A new set of keys, all or nothing. First comes a plan: everything that needs memory is made beside what is
 * there, with separate trees, and can be thrown away. Then the plan is carried out, and nothing can fail
 * any more:
 *
 *   - a key that stays is the same object: health, counters, leases and its probes go on;
 *   - a removed key is taken out of everything but its requests under way, and the last of them frees it.
 *     Until then its project and buckets are there too, and the outcomes of these requests count for the
 *     project's other keys;
 *   - a key that moves to another project takes its own health and counters along. Quota belongs to
 *     projects, so the key takes the new project's. Only a key that was its own project brings its quota, if
 *     the new project has none yet. If the new project had no key before, it begins with the cooldowns of
 *     the former one: Google has not forgotten them because of another name here;
 *   - a key whose project was learned from Google stays there, unless the configuration names one;
 *   - then all chains, numbers of masks and heaps are built again, in the order of the configuration: O(keys
 *     + slots), as at midnight.
 */

#include <errno.h>
#include <search.h>

#include "base/text.h"
#include "pool/binding-internal.h"
#include "pool/internal.h"
#include "pool/notify.h"
#include "pool/project.h"

typedef struct PlanRow {
        const PoolKeyWanted *wanted;
        PoolKey *key;
        PoolIdent *ident;     /* NULL: the one that the key has */
        PoolProject *project; /* a reference */
        bool is_new;
} PlanRow;

typedef struct Plan {
        Pool *pool;
        PlanRow *rows;
        PoolKey **keys;
        size_t n;
        void *by_secret, *by_mask, *by_id;
} Plan;

/* What was planned and not carried out. */
static void plan_done(Plan *plan) {
        tdestroy(plan->by_secret, free_nothing);
        tdestroy(plan->by_mask, free_nothing);
        tdestroy(plan->by_id, free_nothing);
        for (size_t i = 0; i < plan->n; i++) {
                PlanRow *row = plan->rows + i;

                (void) pool_project_unref(plan->pool, row->project);
                (void) pool_ident_free(row->ident);
                if (!row->key)
                        continue;
                row->key->wanted = false;
                if (row->is_new)
                        (void) pool_key_free(row->key);
        }
        free(plan->rows);
        free(plan->keys);
}

/* The key keeps its ident if its name, and with it its id, stays. */
static int plan_ident(Plan *plan, PlanRow *row) {
        PoolIdent *old = row->key->ident, **at;

        if (old && streq_ptr(old->name, row->wanted->name)) {
                at = tsearch(old, &plan->by_id, pool_name_compare);
                if (!at)
                        return -ENOMEM;
                if (*at == old)
                        return 0;
        }
        return pool_ident_new(row->key, row->wanted->name, &plan->by_id, &row->ident);
}

/* 0 if the key is in the plan already. */
static int plan_key(Plan *plan, PlanRow *row, const PoolKeyWanted *wanted) {
        _cleanup_(pool_key_freep) PoolKey *k = NULL;
        PoolKey **at;
        int r;

        r = pool_key_new(wanted->secret, &k);
        if (r < 0)
                return r;
        if (tfind(k, &plan->by_secret, pool_key_compare_secret))
                return 0;
        at = tfind(k, &plan->pool->by_secret, pool_key_compare_secret);
        row->wanted = wanted;
        row->is_new = !at;
        row->key = at ? *at : TAKE_PTR(k);
        row->key->wanted = true;
        plan->n++; /* from here on plan_done() sees it */

        if (!tsearch(row->key, &plan->by_secret, pool_key_compare_secret) ||
            !tsearch(row->key, &plan->by_mask, pool_key_compare_mask))
                return -ENOMEM;
        r = plan_ident(plan, row);
        if (r < 0)
                return r;
        r = pool_project_ref(plan->pool, row->key, wanted->project ?: row->key->learned, &row->project);
        if (r < 0)
                return r;
        if (!row->is_new && row->project != row->key->project)
                r = pool_key_prepare_move(plan->pool, row->key, row->project);
        return r < 0 ? r : 1;
}

static int plan_all(Plan *plan, const PoolKeyWanted *wanted, size_t n) {
        int r;

        if (n > KEYS_MAX)
                return -E2BIG;
        plan->rows = calloc(MAX(n, 1U), sizeof(PlanRow));
        plan->keys = calloc(MAX(n, 1U), sizeof(PoolKey *));
        if (!plan->rows || !plan->keys)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                r = plan_key(plan, plan->rows + plan->n, wanted + i);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- carried out --- */

/* A probe that is out will come back to another project: this one must not wait for it. */
static void forget_probe(Breaker *b) {
        if (b->probe != 0)
                breaker_release(b, b->until);
}

static bool inherit(Breaker *to, const Breaker *from) {
        if (to->until > 0 || from->until == 0)
                return false;
        *to = *from;
        breaker_release(to, to->until);
        return true;
}

static bool takes_cooldowns(const PoolKey *k, const PoolProject *to) {
        return k->project == &k->own || to->fresh;
}

int pool_key_prepare_move(Pool *p, PoolKey *k, PoolProject *to) {
        PoolBucket *b;
        int r;

        LIST_FOREACH(i, &k->slots) {
                r = pool_bucket_acquire(p, to, list_entry(i, PoolSlot, by_key)->bucket->model, &b);
                if (r < 0)
                        return r;
        }
        if (!takes_cooldowns(k, to))
                return 0;
        LIST_FOREACH(i, &k->project->buckets) {
                const PoolBucket *from = list_entry(i, PoolBucket, by_project);

                r = from->quota->breaker.until > 0 ? pool_bucket_acquire(p, to, from->model, &b) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static void take_cooldowns(Pool *p, PoolKey *k, PoolProject *to) {
        PoolProject *from = k->project;

        if (inherit(&to->breaker, &from->breaker)) {
                to->billing = from->billing;
                pool_error_copy(&to->error, &from->error);
                pool_note(p, &to->dirty, true);
        }
        LIST_FOREACH(i, &from->buckets) {
                PoolBucket *old = list_entry(i, PoolBucket, by_project), *b;
                int r;

                if (old->quota->breaker.until == 0)
                        continue;
                r = pool_bucket_acquire(p, to, old->model, &b);
                assert(r >= 0); /* pool_key_prepare_move() has made it */
                pool_quota_take_cooldown(p, b->quota, old->quota);
        }
}

void pool_key_move(Pool *p, PoolKey *k, PoolProject *to) {
        PoolProject *from = k->project;

        forget_probe(&from->breaker);
        LIST_FOREACH(i, &from->buckets)
                forget_probe(&list_entry(i, PoolBucket, by_project)->quota->breaker);
        if (takes_cooldowns(k, to))
                take_cooldowns(p, k, to);
        LIST_FOREACH(i, &k->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_key);
                PoolBucket *old = s->bucket;
                int r;

                heap_remove(&s->node);
                r = pool_bucket_acquire(p, to, old->model, &s->bucket);
                assert(r >= 0); /* pool_key_prepare_move() has made it */
                if (from == &k->own)
                        pool_quota_inherit(p, s->bucket->quota, old->quota);
                else
                        s->uncounted = p->last_lease; /* the others whom it leaves have them */
                list_unlink(&s->by_bucket);
                list_append(&s->bucket->slots, &s->by_bucket);
        }
        if (from->n_keys == 1)
                bindings_move(p, from, to);
        list_unlink(&k->turn); /* until all is arranged */
        k->project = to;
        (void) pool_project_unref(p, from);
}

static void row_carry_out(Pool *p, PlanRow *row) {
        PoolKey *k = row->key;
        PoolProject *project = TAKE_PTR(row->project);
        bool changed = row->ident || k->project != project || k->configured != row->wanted->disabled;

        if (row->ident) {
                (void) pool_ident_free(k->ident);
                k->ident = TAKE_PTR(row->ident);
        }
        if (row->is_new) {
                k->project = project;
                k->notified.state = row->wanted->disabled ? POOL_DISABLED : POOL_USABLE;
        } else if (k->project != project)
                pool_key_move(p, k, project);
        else
                (void) pool_project_unref(p, project);

        k->placed = row->wanted->project;
        k->joining = false;
        /* An administrator's choice lasts until `disabled` changes in the configuration. */
        if (row->is_new || k->configured != row->wanted->disabled)
                k->disabled = k->configured = row->wanted->disabled;
        if (!row->is_new && changed)
                pool_note(p, &k->dirty, true); /* its name, too, may be another */
}

static void swap_ptr(void **a, void **b) {
        void *t = *a;

        *a = *b;
        *b = t;
}

static void carry_out(Plan *plan, PoolChange *ret) {
        Pool *p = plan->pool;
        PoolChange change = {};

        for (size_t i = 0; i < plan->n; i++)
                row_carry_out(p, plan->rows + i);
        swap_ptr(&p->by_secret, &plan->by_secret);
        swap_ptr(&p->by_mask, &plan->by_mask);
        swap_ptr(&p->by_id, &plan->by_id);
        for (size_t i = 0; i < p->n_keys; i++)
                if (!p->keys[i]->wanted) {
                        change.n_removed++;
                        pool_key_retire(p, p->keys[i]);
                }

        p->last_set++;
        free(p->keys);
        p->keys = TAKE_PTR(plan->keys);
        p->n_keys = plan->n;
        for (size_t i = 0; i < plan->n; i++) {
                p->keys[i] = plan->rows[i].key;
                p->keys[i]->n_alike = 0;
        }
        for (size_t i = 0; i < plan->n; i++)
                pool_key_number(p->keys[i], &p->by_mask);
        pool_arrange(p);

        for (size_t i = 0; i < plan->n; i++)
                *(plan->rows[i].is_new ? &change.n_added : &change.n_kept) += 1;
        *ret = change;
}

/* --- its observer --- */

static void notify_removed(const Plan *plan) {
        const Pool *p = plan->pool;

        if (!p->observer.key_removed)
                return;
        for (size_t i = 0; i < p->n_keys; i++)
                if (!p->keys[i]->wanted)
                        p->observer.key_removed(p->keys[i], p->observer_userdata);
        for (size_t i = 0; i < plan->n; i++)
                if (plan->rows[i].ident && !plan->rows[i].is_new)
                        p->observer.key_removed(plan->rows[i].key, p->observer_userdata);
}

static void notify_added(const Plan *plan, const bool *added) {
        const Pool *p = plan->pool;

        for (size_t i = 0; p->observer.key_added && i < plan->n; i++)
                if (added[i])
                        p->observer.key_added(plan->rows[i].key, p->observer_userdata);
}

/* Most reloads change other settings. Then nothing is done, which takes a few milliseconds for 100,000
 * keys. */
static bool is_as_before(const Pool *p, const PoolKeyWanted *keys, size_t n) {
        if (n != p->n_keys)
                return false;
        for (size_t i = 0; i < n; i++) {
                const PoolKeyWanted *w = keys + i;
                const PoolKey *k = p->keys[i];

                if (secret_compare(k->secret, w->secret) != 0 || !streq_ptr(k->ident->name, w->name) ||
                    k->configured != w->disabled || k->placed != (w->project != NULL) || k->joining ||
                    (w->project && !streq_ptr(k->project->name, w->project)))
                        return false;
        }
        return true;
}

int pool_set_keys(Pool *p, const PoolKeyWanted *keys, size_t n, usec_t now, PoolChange *ret) {
        _cleanup_(plan_done) Plan plan = { .pool = p };
        _cleanup_free_ bool *added = NULL;
        int r;

        (void) pool_time(p, now);
        if (is_as_before(p, keys, n)) {
                *ret = (PoolChange){ .n_kept = n };
                return 0;
        }
        r = plan_all(&plan, keys, n);
        if (r < 0)
                return r;
        added = calloc(MAX(plan.n, 1U), sizeof(bool));
        if (!added)
                return -ENOMEM;
        for (size_t i = 0; i < plan.n; i++)
                added[i] = plan.rows[i].ident;

        notify_removed(&plan);
        carry_out(&plan, ret);
        for (size_t i = 0; i < plan.n; i++)
                plan.rows[i].is_new = false; /* the pool's now */
        notify_added(&plan, added);
        pool_notify_all(p, "reload");
        return 0;
}

int pool_set_disabled(Pool *p, PoolKey *k, bool disabled, usec_t now) {
        (void) pool_time(p, now);
        if (k->disabled == disabled)
                return 0;
        k->disabled = disabled;
        pool_note(p, &k->dirty, true);
        pool_arrange(p);
        pool_notify_key(p, k, disabled ? "disabled" : "enabled");
        return 1;
}
