/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool itself, for the files of this folder and their tests; see pick.c. */

#include "core/day.h"
#include "core/judgement.h"
#include "pool/admin.h"
#include "pool/heaps.h"
#include "pool/herd.h"
#include "pool/proxy.h"
#include "pool/update.h"
#include "pool/state/schema.h"

struct Pool {
        Day day; /* day.now is the pool's time, see pool_time() */
        PoolKey **keys;
        size_t n_keys;
        size_t n_enabled;
        size_t n_usable; /* enabled keys whose own breaker and whose project's breaker are closed */
        List projects; /* all projects; those with enabled keys are also chained from first to last */
        PoolProject *first_project, *last_project, *last_arranged; /* see chain.c */
        uint64_t arrangement;
        PoolUpdate *update; /* a new set of keys is being put in place */
        List turns; /* projects without an open breaker, see pick-rotation.c */
        List probes; /* PoolProbe: probes that pass by time */
        List gone; /* removed keys that still have requests under way */
        void *by_secret, *by_mask, *by_id; /* tsearch() trees: two of PoolKey; by_id of PoolIdent */
        void *projects_by_name, *models_by_name;
        List models;
        size_t n_models;
        uint64_t last_model, last_set; /* the serials of the latest model and of the present set of keys */
        uint64_t member_set;           /* keys of an older set are being removed */
        uint64_t last_reset;
        uint64_t last_update;          /* of the latest change of keys, also of one that failed */
        size_t n_slots, n_slots_max; /* SLOTS_MAX; less in tests */
        size_t n_moves_max; /* MOVES_MAX; less in tests */
        PoolTally tally; /* of all requests, including those of keys and models that are gone */
        PoolToday today;
        PoolTally clients; /* their requests: total, today and last_used; the rest is 0 */
        PoolToday clients_today;
        Daybook *daybook;
        unsigned keep_days;
        struct {
                void *by_name; /* a tsearch() tree of Binding */
                Heap due;
                size_t n;
                usec_t doubted_until; /* the clock may have been wrong at the start; see binding.c */
        } bindings;
        PoolSave save;
        bool restored; /* the rows that belong to no key were read from the store */
        List unread_keys, unread_projects; /* in use, and their rows were not read yet */
        uint64_t last_lease;
        PoolHerd herd;
        PoolProxies proxies;
        const CeilingRow *limits; /* MODEL_LIMITS */
        size_t n_limits;
        uint64_t last_limits; /* the latest change of them */
        List warned; /* PoolQuota */
        unsigned warn_at; /* QUOTA_WARN_AT, in percent; 0: off */
        size_t n_joining; /* keys that will move to the project that was learned */
        usec_t joined_at;
        uint64_t steps; /* comparisons of the heaps and loops of picks, for tests */
        PoolObserver observer;
        void *observer_userdata;
        bool observed;
};

/* Every function that gets `now` from outside calls this first. It sets the pool's time and does what a new
 * day or a jump of the clock requires. Returns the time that the caller must use. */
usec_t pool_time(Pool *p, usec_t now);

/* Notes a change for the store. It allocates nothing, and does nothing if the change is already noted. */
static inline void pool_note(Pool *p, PoolDirty *d, bool urgent) {
        if (p->save.on && d->urgency < 1U + urgent)
                pool_note_slow(p, d, urgent);
}

/* The key's project may have rows in the store; those of a new key are awaited anyway. */
void pool_await_rows(Pool *p, PoolKey *k);

/* Google does not know the model. For one that has answered it takes more: Google refuses a kind of request
 * that a model does not take in the same words. This changes what is shown, not what is picked. */
static inline bool pool_model_is_missing(const PoolModel *m) {
        return m->missed >= (m->succeeded ? JUDGEMENT_STRIKES : 1U);
}

/* Keys or their state have changed: each model's refusal is counted again when it is needed. */
static inline void pool_forget_refusals(const Pool *p) {
        LIST_FOREACH(i, &p->models)
                list_entry(i, PoolModel, models)->refused_at = 0;
}

/* False: a reload removes the key. */
static inline bool pool_key_is_member(const Pool *p, const PoolKey *k) {
        return !k->gone && k->set >= p->member_set;
}

static inline bool pool_key_is_among(const PoolKey *k, PoolKey *const *keys, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (keys[i] == k)
                        return true;
        return false;
}
