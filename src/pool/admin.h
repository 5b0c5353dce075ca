/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pool as its administrator handles it: keys by their id, enabling and disabling, a new set of keys
 * after a reload, why each key would or would not be picked, and word of every change. A part of the pool,
 * see pool/pick.c.
 */

#include "pool/pool.h"

/* A key's id: its configured name, or else the first twelve hex digits of SHA-256 over the key. Unique in
 * the pool, stable over restarts; never the mask, which two keys may share. Lives until key_removed(): a key
 * that a reload gives another name is told as removed and as added, and keeps all that it is. */
const char *pool_key_id(const PoolKey *k);
bool pool_key_is_named(const PoolKey *k); /* its id is its name */
#define POOL_KEY_ID_MAX 64U /* bytes of a name; what a digest has is less */

/* By id, name, mask (-EEXIST if several keys have it) or MASK#n; -ENXIO. */
int pool_find_key(Pool *p, const char *what, PoolKey **ret);

/* As an administrator wants it until the configuration changes its mind, by a reload or (where the pool is
 * kept) over a restart; 1 if that changed something. O(keys). */
int pool_set_disabled(Pool *p, PoolKey *k, bool disabled, usec_t now);

/* --- word of changes --- */

typedef struct PoolObserver {
        /* (key, model) went from one state to another; model "" for the key as such. `reason` is the
         * verdict's name, or "reset", "reload", "restored", "disabled", "enabled", "joined", "probe"; until:
         * realtime, 0: now, USEC_INFINITY: not by itself. Each word begins where the one before ended; what
         * time alone changes is no word. A probe that failed is told with before == after and a later
         * `until`. */
        void (*health_changed)(const PoolKey *k, const char *model, PoolState before, PoolState after,
                               const char *reason, usec_t until, void *userdata);
        /* The last usable key of the model went; until: when the first frees. Once each time it happens. */
        void (*exhausted)(const char *model, usec_t until, void *userdata);
        /* Google has named the project of a key for which the configuration names none, and `n_others` keys
         * have the same: from here on they share its quotas. Once for each key. */
        void (*project_learned)(const PoolKey *k, const char *project, size_t n_others, void *userdata);
        /* Of a day's requests for the model QUOTA_WARN_AT are used; once a day and quota. `k` is the key
         * that was picked, `project` NULL if it is its own. */
        void (*quota_warning)(const PoolKey *k, const char *project, const char *model, uint64_t used,
                              uint64_t limit, void *userdata);
        /* By a reload: removed before anything has changed, all of them, and added when all is done. */
        void (*key_added)(const PoolKey *k, void *userdata);
        void (*key_removed)(const PoolKey *k, void *userdata);
} PoolObserver;

/* Members may be NULL. Called when the pool is whole: the observer may ask it anything, and change nothing.
 * To be set before the first pick. */
void pool_set_observer(Pool *p, const PoolObserver *o, void *userdata);

/* --- a reload --- */

typedef struct PoolKeyWanted {
        Secret *secret;
        const char *name, *project; /* or NULL */
        bool disabled;
} PoolKeyWanted;

typedef struct PoolChange {
        size_t n_added, n_removed, n_kept;
} PoolChange;

/* All or nothing (-ENOMEM, -E2BIG): keys that stay keep health, quota and counters, whatever their new name;
 * a key that goes is not picked any more and is freed with its last lease. */
int pool_set_keys(Pool *p, const PoolKeyWanted *keys, size_t n, usec_t now, PoolChange *ret);

/* What MODEL_LIMITS says; the rows must live until others take their place. O(keys + slots). */
void pool_set_limits(Pool *p, const CeilingRow *rows, size_t n, usec_t now);

/* The share of a day's requests at which quota_warning() is told, in percent; 0: never. */
void pool_set_warn_at(Pool *p, unsigned percent);
/* Calls back for each quota of which quota_warning() was told today, as that is. */
void pool_each_warning(Pool *p, usec_t now,
                       void (*f)(const PoolKey *k, const char *project, const char *model, uint64_t used,
                                 uint64_t limit, void *userdata),
                       void *userdata);

/* --- explain --- */

typedef struct PoolCeiling {
        uint64_t limit, used; /* limit 0: not known */
        CeilingSource source;
} PoolCeiling;

typedef struct PoolReason {
        const PoolKey *key;
        bool usable;
        PoolState state;
        usec_t available_at;  /* realtime, 0: now; USEC_INFINITY: not by itself */
        PoolCeiling ceilings[_CEILING_MAX];
        const char *sentence; /* "would be picked first: 3 requests today; 2 of 10 requests a minute
                               * (told)", "cooling: the quota of this model is spent; frees in 41 s", …;
                               * gone when the callback returns */
} PoolReason;

/* Each key in the order in which it would be picked, then the others by when they free. A model that was
 * never asked for is explained too, and not made. O(n log n): for people, not for requests. */
int pool_explain(Pool *p, const char *model, usec_t now, void (*f)(const PoolReason *r, void *userdata),
                 void *userdata);
