/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The administration of the pool: keys by their id, enabling and disabling, a new set of keys after a
 * reload, why each key would or would not be picked, and a notification of every change. Part of the pool,
 * see pick.c.
 */

#include "base/proxy.h"
#include "pool/pool.h"

/* A key's id: its configured name, or else the first twelve hex digits of SHA-256 over the key. It is
 * unique in the pool and stable over restarts. It is never the mask, because two keys may share a mask. The
 * string lives until key_removed(). When a reload renames a key, key_removed() and key_added() are called
 * for it, and it keeps its health, quota and counters. */
const char *pool_key_id(const PoolKey *k);
bool pool_key_is_named(const PoolKey *k); /* the id is a configured name */
#define POOL_KEY_ID_MAX 64U /* bytes of a name; a digest's id is shorter */

/* Finds by id, name, mask or MASK#n. -EEXIST: several keys have this mask; -ENXIO: no key fits. */
int pool_find_key(Pool *p, const char *what, PoolKey **ret);

/* Disables or enables a key, until the configuration changes its `disabled` in a reload; with a store, over
 * restarts too. Returns 1 if that changed something, else 0. O(keys). */
int pool_set_disabled(Pool *p, PoolKey *k, bool disabled, usec_t now);

/* --- notifications --- */

typedef struct PoolObserver {
        /* The state of a key for a model has changed; `model` is "" for the state of the key itself.
         * `reason` is the verdict's name, or "reset", "reload", "restored", "disabled", "enabled",
         * "joined", "probe". `until` is when it is usable again: realtime, 0: now, USEC_INFINITY: not by
         * itself. `before` is the `after` of the previous call. A change that is caused only by the passing
         * of time is not notified. After a probe that failed, `before` and `after` are equal, and `until`
         * is later. */
        void (*health_changed)(const PoolKey *k, const char *model, PoolState before, PoolState after,
                               const char *reason, usec_t until, void *userdata);
        /* No key can serve the model any more; `until` is when the first one becomes usable. Called once
         * each time that this happens. */
        void (*exhausted)(const char *model, usec_t until, void *userdata);
        /* Google has named the project of a key for which the configuration names none. `n_others` keys have
         * the same project; from now on they share its quotas. Once for each key. */
        void (*project_learned)(const PoolKey *k, const char *project, size_t n_others, void *userdata);
        /* The day's requests for the model have reached the share QUOTA_WARN_AT of their ceiling. Called
         * once a day for each quota. `k` is the key that was picked; `project` is NULL if the key is its
         * own project. */
        void (*quota_warning)(const PoolKey *k, const char *project, const char *model, uint64_t used,
                              uint64_t limit, void *userdata);
        /* By a reload: key_removed() for all keys that go, before anything changes; key_added() at its
         * end. */
        void (*key_added)(const PoolKey *k, void *userdata);
        void (*key_removed)(const PoolKey *k, void *userdata);
} PoolObserver;

/* Members may be NULL. They are called while the pool is consistent: the observer may read it, and must not
 * change it. To be set before the first pick. */
void pool_set_observer(Pool *p, const PoolObserver *o, void *userdata);

/* --- a reload --- */

typedef struct PoolKeyWanted {
        Secret *secret;
        const char *name, *project; /* or NULL */
        bool disabled;
        Proxy *proxy; /* its own, without a project; or NULL */
} PoolKeyWanted;

typedef struct PoolChange {
        size_t n_added, n_removed, n_kept;
} PoolChange;

/* Replaces the whole set of keys; on failure (-ENOMEM, -E2BIG) it changes nothing. Keys that stay keep
 * health, quota and counters, whatever their new name. A key that goes is not picked any more, and is freed
 * with its last lease. */
int pool_set_keys(Pool *p, const PoolKeyWanted *keys, size_t n, usec_t now, PoolChange *ret);

/* MODEL_LIMITS in slices; the rows must live until the next call. The first call returns whether they have
 * changed, the second has about `n` quotas take them, and returns whether there are more. */
bool pool_limits_begin(Pool *p, const CeilingRow *rows, size_t n, usec_t now);
bool pool_limits_step(Pool *p, usec_t now, size_t n);
void pool_set_limits(Pool *p, const CeilingRow *rows, size_t n, usec_t now); /* at once. O(quotas) */

/* The share of a day's requests at which quota_warning() is called, in percent; 0: never. */
void pool_set_warn_at(Pool *p, unsigned percent);
/* Calls f for each quota for which quota_warning() was called today, with its present use. */
void pool_each_warning(Pool *p, usec_t now,
                       void (*f)(const PoolKey *k, const char *project, const char *model, uint64_t used,
                                 uint64_t limit, void *userdata),
                       void *userdata);

/* --- explain --- */

typedef struct PoolCeiling {
        uint64_t limit, used; /* limit 0: unknown */
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

/* Calls back for each key: the usable ones in the order in which they would be picked, then the others by
 * when they free. A model without requests is explained too, and is not created. O(n log n): for people,
 * not for requests. */
int pool_explain(Pool *p, const char *model, usec_t now, void (*f)(const PoolReason *r, void *userdata),
                 void *userdata);
