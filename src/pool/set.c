/* SPDX-License-Identifier: MIT */

/*
 * A new set of keys, all or nothing, in slices, with requests in between. First comes a plan: all that
 * needs memory is made beside what is there, with separate trees, and can be thrown away. Then nothing can
 * fail any more. The observer is notified of the keys that go, and the new trees and the array of keys
 * replace the former ones at once. From here on the pool has the new keys, and they come into its chains
 * slice by slice (chain.c), which are complete all the time:
 *
 *   - first the removed keys leave, and are not picked any more. Such a key is taken out of everything but
 *     its requests under way, and the last of them frees it. Until then its project and buckets are there
 *     too, and the outcomes of these requests count for the project's other keys;
 *   - then each key gets its place, in the order of the configuration. A key that stays is the same object:
 *     health, counters, leases and its probes go on;
 *   - a key that moves to another project takes its own health and counters along. Quota belongs to
 *     projects, so the key takes the new project's. Only a key that was its own project brings its quota, if
 *     the new project has none yet. If the new project had no key before, it begins with the cooldowns of
 *     the former one: Google has not forgotten them because of another name here;
 *   - a key whose project was learned from Google stays there, unless the configuration names one;
 *   - at last the changes of health are notified, and the former trees are freed.
 *
 * The plan gives its serial to the keys that it has. A key of an older set than p->member_set leaves.
 */

#include <errno.h>
#include <search.h>

#include "base/text.h"
#include "pool/chain.h"
#include "pool/internal.h"
#include "pool/notify.h"
#include "pool/pick-rotation.h"
#include "pool/project.h"
#include "pool/update.h"

#define MODELS_PER_KEY 4U /* so many models more are as much work as one key more */

typedef struct PlanRow {
        PoolKey *key;
        const PoolKeyWanted *wanted;
        PoolIdent *ident;     /* NULL: the one that the key has */
        PoolProject *project; /* a reference to the one that the key moves to; or NULL */
        bool is_new;
} PlanRow;

typedef enum UpdateStage {
        UPDATE_COMPARE, /* most reloads change other settings, and then nothing is done */
        UPDATE_PLAN,
        UPDATE_LEAVING, /* from here on all must be done */
        UPDATE_RENAMED,
        UPDATE_RETIRE,
        UPDATE_PLACE,
        UPDATE_NOTIFY,
        UPDATE_CLEAN,
        UPDATE_DONE,
} UpdateStage;

struct PoolUpdate {
        Pool *pool;
        UpdateStage stage;
        size_t next; /* of the stage */
        uint64_t serial;
        const PoolKeyWanted *wanted;
        size_t n_wanted;
        PlanRow *rows;
        PoolKey **keys, **leaving; /* `keys` is the pool's former array, after UPDATE_LEAVING */
        size_t n, n_leaving;
        List unread; /* new keys, until they are in the pool */
        void *by_secret, *by_mask, *by_id; /* likewise */
        PoolChange change;
};

static int next_stage(PoolUpdate *u) {
        u->next = 0;
        u->stage++;
        return 0;
}

/* --- nothing to do? --- */

static bool is_as_before(const PoolKey *k, const PoolKeyWanted *w) {
        return secret_compare(k->secret, w->secret) == 0 && streq_ptr(k->ident->name, w->name) &&
               k->configured == w->disabled && k->placed == (w->project != NULL) && !k->joining &&
               (!w->project || streq_ptr(k->project->name, w->project)) &&
               proxy_compare(k->proxy, w->proxy) == 0;
}

static int compare_one(PoolUpdate *u) {
        if (u->n_wanted != u->pool->n_keys ||
            (u->next < u->n_wanted && !is_as_before(u->pool->keys[u->next], u->wanted + u->next)))
                return next_stage(u);
        if (u->next < u->n_wanted)
                u->next++;
        else {
                u->change = (PoolChange){ .n_kept = u->n_wanted };
                u->stage = UPDATE_DONE;
        }
        return 0;
}

/* --- the plan --- */

/* The key keeps its ident if its name, and with it its id, stays. */
static int plan_ident(PoolUpdate *u, PlanRow *row) {
        PoolIdent *old = row->key->ident, **at;

        if (old && streq_ptr(old->name, row->wanted->name)) {
                at = tsearch(old, &u->by_id, pool_name_compare);
                if (!at)
                        return -ENOMEM;
                if (*at == old)
                        return 0;
        }
        return pool_ident_new(row->key, row->wanted->name, &u->by_id, &row->ident);
}

static const char *project_of(const PlanRow *row) {
        return row->wanted->project ?: row->key->learned;
}

static int plan_new_key(PoolUpdate *u, PlanRow *row) {
        PoolKey *k = row->key;
        bool disabled = row->wanted->disabled;

        k->ident = TAKE_PTR(row->ident);
        k->disabled = k->configured = disabled;
        k->placed = row->wanted->project;
        k->proxy = proxy_ref(row->wanted->proxy);
        k->notified.state = disabled ? POOL_DISABLED : POOL_USABLE;
        list_append(&u->unread, &k->unread);
        return pool_project_ref(u->pool, k, row->wanted->project, &k->project);
}

static int plan_move(PoolUpdate *u, PlanRow *row) {
        int r;

        if (streq_ptr(row->key->project->name, project_of(row)))
                return 0;
        r = pool_project_ref(u->pool, row->key, project_of(row), &row->project);
        return r < 0 ? r : pool_key_prepare_move(u->pool, row->key, row->project);
}

/* Does nothing if the key is in the plan already. */
static int plan_key(PoolUpdate *u, const PoolKeyWanted *wanted) {
        PoolKey **at = tfind(&wanted->secret, &u->pool->by_secret, pool_key_compare_secret);
        PlanRow *row = u->rows + u->n;
        int r;

        if (at ? (*at)->set == u->serial
               : tfind(&wanted->secret, &u->by_secret, pool_key_compare_secret) != NULL)
                return 0;
        *row = (PlanRow){ .wanted = wanted, .key = at ? *at : NULL, .is_new = !at };
        if (!at) {
                r = pool_key_new(wanted->secret, &row->key);
                if (r < 0)
                        return r;
        }
        row->key->set = u->serial;
        u->keys[u->n++] = row->key; /* from here on plan_done() sees it */

        if (!tsearch(row->key, &u->by_secret, pool_key_compare_secret) ||
            !tsearch(row->key, &u->by_mask, pool_key_compare_mask))
                return -ENOMEM;
        r = plan_ident(u, row);
        if (r < 0)
                return r;
        return row->is_new ? plan_new_key(u, row) : plan_move(u, row);
}

static int plan_begin(PoolUpdate *u) {
        size_t n = MAX(u->n_wanted, 1U);

        u->rows = calloc(n, sizeof(PlanRow));
        u->keys = calloc(n, sizeof(PoolKey *));
        u->leaving = calloc(MAX(u->pool->n_keys, 1U), sizeof(PoolKey *));
        return u->rows && u->keys && u->leaving ? 0 : -ENOMEM;
}

static int plan_one(PoolUpdate *u) {
        int r = 0;

        if (!u->rows)
                r = plan_begin(u);
        if (r >= 0 && u->next < u->n_wanted)
                return plan_key(u, u->wanted + u->next++);
        if (r >= 0)
                next_stage(u);
        return r;
}

/* What was planned and not carried out. */
static void plan_drop(PoolUpdate *u) {
        for (size_t i = 0; i < u->n; i++) {
                PlanRow *row = u->rows + i;

                (void) pool_project_unref(u->pool, row->project);
                (void) pool_ident_free(row->ident);
                if (!row->is_new)
                        continue;
                (void) pool_project_unref(u->pool, row->key->project);
                (void) pool_key_free(row->key);
        }
}

/* --- carried out --- */

static void swap_ptr(void **a, void **b) {
        void *t = *a;

        *a = *b;
        *b = t;
}

static void replace(PoolUpdate *u) {
        PoolKey **former = u->pool->keys;
        Pool *p = u->pool;

        swap_ptr(&p->by_secret, &u->by_secret);
        swap_ptr(&p->by_mask, &u->by_mask);
        swap_ptr(&p->by_id, &u->by_id);
        p->keys = u->keys;
        p->n_keys = u->n;
        u->keys = former;
        p->last_set = u->serial;
        list_splice(&p->unread_keys, &u->unread);
        pool_chain_begin(p);
}

static void notify(const Pool *p, void (*f)(const PoolKey *k, void *userdata), const PoolKey *k) {
        if (f)
                f(k, p->observer_userdata);
}

static int leaving_one(PoolUpdate *u) {
        Pool *p = u->pool;
        PoolKey *k;

        p->update = u;
        p->member_set = u->serial;
        if (u->next == p->n_keys)
                return next_stage(u);
        k = p->keys[u->next++];
        if (k->set != u->serial) {
                u->leaving[u->n_leaving++] = k;
                notify(p, p->observer.key_removed, k);
        }
        return 0;
}

static int renamed_one(PoolUpdate *u) {
        const PlanRow *row = u->rows + u->next;

        if (u->next == u->n) {
                replace(u);
                return next_stage(u);
        }
        u->next++;
        if (row->ident)
                notify(u->pool, u->pool->observer.key_removed, row->key);
        return 0;
}

static int retire_one(PoolUpdate *u) {
        PoolKey *k;

        if (u->next == u->n_leaving)
                return next_stage(u);
        k = u->leaving[u->next++];
        pool_key_retire(u->pool, k);
        u->change.n_removed++;
        return 0;
}

/* Out of memory, which only a change since the plan can cause: the key stays in its project until the next
 * reload. */
static void move(Pool *p, PlanRow *row) {
        PoolProject *to = TAKE_PTR(row->project);
        const char *name = project_of(row);
        PoolKey *k = row->key;
        int r = 0;

        if (to && !streq_ptr(to->name, name))
                to = pool_project_unref(p, to);
        if (!to && !streq_ptr(k->project->name, name))
                r = pool_project_ref(p, k, name, &to);
        if (r >= 0 && to && to != k->project)
                r = pool_key_prepare_move(p, k, to);
        if (r >= 0 && to && to != k->project)
                pool_key_move(p, k, to);
        else
                (void) pool_project_unref(p, to);
}

/* A key that stays gets its name, project and `disabled` of the configuration. */
static void change_key(Pool *p, PlanRow *row) {
        const PoolKeyWanted *w = row->wanted;
        bool renamed = row->ident;
        PoolProject *before;
        PoolKey *k = row->key;

        if (renamed) {
                (void) pool_ident_free(k->ident);
                k->ident = TAKE_PTR(row->ident);
        }
        before = k->project;
        move(p, row);
        k->placed = w->project;
        proxy_unref(k->proxy);
        k->proxy = proxy_ref(w->proxy);
        if (w->project || streq_ptr(k->project->name, project_of(row)))
                k->joining = false;
        if (renamed || k->project != before || k->configured != w->disabled)
                pool_note(p, &k->dirty, true); /* its name, too, may be another */
        /* An administrator's choice lasts until `disabled` changes in the configuration. */
        if (k->configured != w->disabled)
                k->disabled = k->configured = w->disabled;
}

/* The keys of a ring come to its end one by one, and so do the projects. */
static void place_in_rotation(Pool *p, PoolKey *k, bool is_first) {
        list_unlink(&k->turn);
        if (is_first)
                list_unlink(&k->project->turn);
        pool_rotation_place(p, k);
}

static void place(PoolUpdate *u, PlanRow *row, uint32_t index) {
        Pool *p = u->pool;
        PoolKey *k = row->key;
        bool renamed = row->ident, is_same = k->index == index, was_disabled = k->disabled, is_first;

        if (!row->is_new)
                change_key(p, row);
        if (k->disabled)
                pool_chain_remove(p, k);
        pool_key_number(k, &p->by_mask);
        is_first = !k->disabled && k->project->arrangement != p->arrangement;
        if (k->disabled) {
                k->index = index;
                k->arrangement = p->arrangement;
        } else
                pool_chain_arrange(p, k, index);
        place_in_rotation(p, k, is_first);
        if (!is_same || k->disabled != was_disabled)
                pool_key_place_slots(p, k);
        pool_await_rows(p, k);
        if (row->is_new || renamed)
                notify(p, p->observer.key_added, k);
        *(row->is_new ? &u->change.n_added : &u->change.n_kept) += 1;
}

static int place_one(PoolUpdate *u) {
        size_t i = u->next++;

        if (i == u->n)
                return next_stage(u);
        place(u, u->rows + i, (uint32_t) i);
        return 0;
}

static int notify_one(PoolUpdate *u) {
        Pool *p = u->pool;

        if (u->next < u->n) {
                pool_notify_key_alone(p, u->rows[u->next++].key, "reload");
                return 0;
        }
        pool_notify_models(p);
        p->update = NULL;
        return next_stage(u);
}

/* Each node is the root when its turn comes, so no node's key is looked at: it may be freed. */
static int compare_nothing(const void *a _unused_, const void *b _unused_) {
        return 0;
}

static int clean_one(PoolUpdate *u) {
        void **const trees[] = { &u->by_secret, &u->by_mask, &u->by_id };
        bool all = true;

        for (size_t i = 0; i < ELEMENTSOF(trees); i++)
                if (*trees[i]) {
                        (void) tdelete(u, trees[i], compare_nothing);
                        all = false;
                }
        return all ? next_stage(u) : 0;
}

/* --- the whole --- */

int pool_update_new(Pool *p, const PoolKeyWanted *keys, size_t n, PoolUpdate **ret) {
        PoolUpdate *u;

        assert(!p->update);
        if (n > KEYS_MAX)
                return -E2BIG;
        u = calloc(1, sizeof(PoolUpdate));
        if (!u)
                return -ENOMEM;
        *u = (PoolUpdate){ .pool = p, .serial = ++p->last_update, .wanted = keys, .n_wanted = n };
        list_init(&u->unread);
        *ret = u;
        return 0;
}

size_t pool_update_cost(const Pool *p) {
        return 1 + p->n_models / MODELS_PER_KEY;
}

int pool_update_step(PoolUpdate *u, usec_t now, size_t n) {
        static int (*const steps[])(PoolUpdate *u) = {
                [UPDATE_COMPARE] = compare_one, [UPDATE_PLAN] = plan_one,     [UPDATE_LEAVING] = leaving_one,
                [UPDATE_RENAMED] = renamed_one, [UPDATE_RETIRE] = retire_one, [UPDATE_PLACE] = place_one,
                [UPDATE_NOTIFY] = notify_one,   [UPDATE_CLEAN] = clean_one,
        };
        Pool *p = u->pool;
        size_t cost = pool_update_cost(p);
        int r;

        (void) pool_time(p, now);
        for (size_t done = 0; done < n && u->stage < UPDATE_DONE; done += cost) {
                r = steps[u->stage](u);
                if (r < 0)
                        return r;
        }
        if (pool_update_has_begun(u))
                pool_forget_refusals(p);
        return u->stage < UPDATE_DONE;
}

bool pool_update_has_begun(const PoolUpdate *u) {
        return u->stage >= UPDATE_LEAVING;
}

PoolChange pool_update_change(const PoolUpdate *u) {
        return u->change;
}

PoolUpdate *pool_update_free(PoolUpdate *u) {
        if (!u)
                return NULL;
        if (pool_update_has_begun(u))
                (void) pool_update_step(u, u->pool->day.now, SIZE_MAX);
        else
                plan_drop(u);
        tdestroy(u->by_secret, free_nothing);
        tdestroy(u->by_mask, free_nothing);
        tdestroy(u->by_id, free_nothing);
        u->pool->last_update++; /* no project is fresh any more */
        free(u->rows);
        free(u->keys);
        free(u->leaving);
        free(u);
        return NULL;
}

int pool_set_keys(Pool *p, const PoolKeyWanted *keys, size_t n, usec_t now, PoolChange *ret) {
        _cleanup_(pool_update_freep) PoolUpdate *u = NULL;
        int r;

        r = pool_update_new(p, keys, n, &u);
        if (r >= 0)
                r = pool_update_step(u, now, SIZE_MAX);
        if (r < 0)
                return r;
        *ret = pool_update_change(u);
        return 0;
}

int pool_set_disabled(Pool *p, PoolKey *k, bool disabled, usec_t now) {
        (void) pool_time(p, now);
        if (k->disabled == disabled)
                return 0;
        pool_note(p, &k->dirty, true);
        pool_note(p, &k->dirty, true);
        pool_key_switch(p, k, disabled);
        pool_forget_refusals(p);
        pool_notify_key(p, k, disabled ? "disabled" : "enabled");
        return 1;
}
