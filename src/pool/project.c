/* SPDX-License-Identifier: MIT */

/*
 * Learns the projects of keys. Google counts by project, and a key does not name its project; some refusals
 * do (ErrorInfo, metadata.consumer: "projects/123"). Keys with the same learned project share it as if the
 * configuration had named it: a quota that one of them finds spent is spent for the others. The
 * configuration wins: a key with a configured project stays there, and what was learned is only kept.
 *
 * Nothing else makes keys share a project, above all not a refusal in the same moment: overload, or a limit
 * on one address, causes that for unrelated keys too. pool_explain() mentions it as a hint.
 *
 * A join rearranges everything, as a reload does: O(keys + slots). When a project is suspended, a large
 * pool can learn of many keys within seconds; so there the joins of ten seconds are carried out together.
 */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "pool/binding-internal.h"
#include "pool/chain.h"
#include "pool/internal.h"
#include "pool/project.h"
#include "pool/notify.h"
#include "pool/pick-rotation.h"

#define JOIN_AT_ONCE_KEYS 256U
#define JOIN_INTERVAL (10 * USEC_PER_SEC)

void pool_project_learn(Pool *p, PoolKey *k, const char *name) {
        char *copy;

        if (k->gone || streq_ptr(k->learned, name))
                return;
        copy = strdup(name);
        if (!copy)
                return; /* out of memory: the next refusal names it again */
        free(k->learned);
        k->learned = copy;
        pool_note(p, &k->learned_dirty, true);
        if (k->placed || k->joining || streq_ptr(k->project->name, name))
                return;
        k->joining = true;
        p->n_joining++;
}

/* --- a key moves to another project --- */

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

static bool takes_cooldowns(const Pool *p, const PoolKey *k, const PoolProject *to) {
        return k->project == &k->own || to->fresh == p->last_update;
}

int pool_key_prepare_move(Pool *p, PoolKey *k, PoolProject *to) {
        PoolBucket *b;
        int r;

        LIST_FOREACH(i, &k->slots) {
                r = pool_bucket_acquire(p, to, list_entry(i, PoolSlot, by_key)->bucket->model, &b);
                if (r < 0)
                        return r;
        }
        if (!takes_cooldowns(p, k, to))
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

        p->n_usable -= pool_project_usable(to);
        if (inherit(&to->breaker, &from->breaker)) {
                to->billing = from->billing;
                pool_error_copy(&to->error, &from->error);
                pool_note(p, &to->dirty, true);
        }
        p->n_usable += pool_project_usable(to);
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

        pool_chain_remove(p, k);
        forget_probe(&from->breaker);
        LIST_FOREACH(i, &from->buckets)
                forget_probe(&list_entry(i, PoolBucket, by_project)->quota->breaker);
        if (takes_cooldowns(p, k, to))
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
        LIST_FOREACH(i, &from->buckets)
                pool_quota_place(p, list_entry(i, PoolBucket, by_project)->quota);
        if (from->n_keys == 1)
                bindings_move(p, from, to);
        list_unlink(&k->turn);
        if (list_is_empty(&from->turns))
                list_unlink(&from->turn);
        k->project = to;
        (void) pool_project_unref(p, from);
        LIST_FOREACH(i, &to->buckets)
                pool_quota_place(p, list_entry(i, PoolBucket, by_project)->quota);
        LIST_FOREACH(i, &k->slots)
                pool_slot_place(p, list_entry(i, PoolSlot, by_key));
}

/* --- joins --- */

static int join(Pool *p, PoolKey *k) {
        PoolProject *project;
        int r;

        r = pool_project_ref(p, k, k->learned, &project);
        if (r < 0)
                return r;
        if (project->n_keys == 1)
                project->fresh = 0; /* Google has named it: it is no other name for the former one */
        r = pool_key_prepare_move(p, k, project);
        if (r < 0) {
                (void) pool_project_unref(p, project);
                return r;
        }
        pool_key_move(p, k, project);
        pool_await_rows(p, k); /* a project that has lost its last key has rows */
        return 0;
}

int pool_project_restore(Pool *p, PoolKey *k, const char *name, bool is_placed) {
        int r = 0;

        if (k->learned || k->gone)
                return 0; /* Google has named one since; that is newer */
        pool_project_learn(p, k, name);
        pool_unnote(&k->learned_dirty);
        if (!k->learned)
                return -ENOMEM;
        if (k->joining) {
                k->joining = false;
                p->n_joining--;
                r = join(p, k);
                if (is_placed && !k->disabled && !k->chained && pool_key_is_arranged(p, k))
                        pool_chain_insert(p, k);
                pool_rotation_place(p, k);
        }
        return r;
}

static void notify_learned(Pool *p, const PoolKey *k) {
        if (p->observer.project_learned && k->project->n_keys > 1)
                p->observer.project_learned(k, k->project->name, k->project->n_keys - 1,
                                            p->observer_userdata);
}

void pool_project_join(Pool *p) {
        if (p->n_joining == 0 || p->update ||
            (p->n_keys > JOIN_AT_ONCE_KEYS && p->day.now < usec_add(p->joined_at, JOIN_INTERVAL)))
                return;
        p->joined_at = p->day.now;
        p->n_joining = 0;
        /* Out of memory: the key stays in its project until Google names it again. */
        for (size_t i = 0; i < p->n_keys; i++)
                if (p->keys[i]->joining && join(p, p->keys[i]) < 0) {
                        free(TAKE_PTR(p->keys[i]->learned));
                        p->keys[i]->joining = false;
                }
        pool_arrange(p);
        for (size_t i = 0; i < p->n_keys; i++) {
                if (!p->keys[i]->joining)
                        continue;
                p->keys[i]->joining = false;
                notify_learned(p, p->keys[i]);
        }
        pool_notify_all(p, "joined");
}
