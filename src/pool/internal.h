/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool itself, for the files of this folder and their tests; see pool/pick.c. */

#include "pool/admin.h"
#include "pool/heaps.h"
#include "pool/state/schema.h"

struct Pool {
        const Zone *zone;
        usec_t now; /* never goes back, but for a jump of the clock */
        usec_t day, midnight;
        uint32_t date; /* of the day: 20261125 */
        PoolKey **keys;
        size_t n_keys, n_keys_allocated;
        size_t n_enabled;
        size_t n_usable; /* enabled, and neither its own breaker nor its project's is open */
        List projects; /* all; those with enabled keys are chained from the first to the last, too */
        PoolProject *first_project, *last_project;
        List turns; /* projects that have nothing against them, see pool/pick-rotation.c */
        List gone; /* keys that were removed, and have requests under way */
        void *by_secret, *by_mask, *by_id; /* tsearch() trees of PoolKey, the last of PoolIdent */
        void *projects_by_name, *models_by_name;
        List models;
        size_t n_models;
        size_t n_slots, n_slots_max; /* SLOTS_MAX; less in tests */
        PoolTally tally; /* of all requests, also those of keys and models that are no more */
        PoolToday today;
        Daybook *daybook;
        unsigned keep_days;
        struct {
                void *by_name; /* a tsearch() tree of Binding */
                Heap due;
                size_t n;
        } bindings;
        PoolSave save;
        bool restored; /* what belongs to no key is here */
        uint64_t last_lease;
        const CeilingRow *limits; /* MODEL_LIMITS */
        size_t n_limits;
        unsigned warn_at; /* QUOTA_WARN_AT, in percent; 0: off */
        size_t n_joining; /* keys that are to come to the project that was learned */
        usec_t joined_at;
        uint64_t steps; /* of the heaps, and loops of the pick */
        PoolObserver observer;
        void *observer_userdata;
        bool observed;
};

/* To be called first by whatever takes `now` from outside; returns and keeps the time as the pool takes
 * it. */
usec_t pool_time(Pool *p, usec_t now);

/* To be called for what has changed. It allocates nothing, and for what is noted already it does nothing. */
static inline void pool_note(Pool *p, PoolDirty *d, bool urgent) {
        if (p->save.on && d->urgency < 1U + urgent)
                pool_note_slow(p, d, urgent);
}

static inline bool pool_key_is_among(const PoolKey *k, PoolKey *const *keys, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (keys[i] == k)
                        return true;
        return false;
}
