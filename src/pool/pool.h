/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pool of API keys: picks one for a model, and learns only by being told what came of it. How a pick
 * stays cheap with 100,000 keys stands in pick.c. Pure: `now` (realtime) is an argument. A key lives until a
 * reload removes it and no Lease has it; each must be given back by exactly one pool_report().
 */

#include "base/secret.h"
#include "base/zone.h"
#include "core/ceiling.h"
#include "core/verdict.h"

typedef struct Pool Pool;
typedef struct PoolKey PoolKey;
typedef struct PoolProject PoolProject;
typedef struct PoolSlot PoolSlot; /* (key, model) */

typedef struct Lease {
        PoolKey *key;
        PoolSlot *slot; /* NULL: of pool_pick_rotation() */
        uint64_t id;    /* never 0; by it a breaker knows its probe */
        CeilingTaken taken; /* of the quota, until the report makes it good */
} Lease;

typedef enum PoolState {
        POOL_USABLE,
        POOL_PROBING,   /* half-open, its one probe is out */
        POOL_COOLING,   /* the project's quota of this model */
        POOL_UNHEALTHY, /* three consecutive errors of its own */
        POOL_CLOSED,    /* the model is closed to its project */
        POOL_BILLING,
        POOL_DEAD,
        POOL_DISABLED,
        _POOL_STATE_MAX,
} PoolState;

const char *pool_state_to_string(PoolState s); /* "usable", "probing", "cooling", "unhealthy", … */
/* Why nothing was picked: how many keys are in which state, and when the first one frees. */
typedef struct PoolRefusal {
        size_t n_keys[_POOL_STATE_MAX]; /* usable ones too, if they were excluded */
        usec_t available_at; /* of those that are not usable; USEC_INFINITY if none ever will by itself */
        bool is_quota, is_daily; /* a key is only cooling: 429, else 503; and all such for a day's quota */
} PoolRefusal;

enum { _POOL_E_SUCCESS, POOL_E_EXHAUSTED /* see the PoolRefusal */ };

int pool_new(const Zone *zone, usec_t now, Pool **ret); /* the zone must outlive the pool */
Pool *pool_free(Pool *p);
DEFINE_CLEANUP(Pool *, pool_free);

/* name and project may be NULL. -EEXIST for a key that is there already, -E2BIG at KEYS_MAX. */
int pool_add_key(Pool *p, Secret *secret, const char *name, const char *project, bool disabled);

typedef struct PoolRequest {
        const char *model;
        PoolKey *const *exclude; /* never one of these; ATTEMPTS_MAX at most, only compared */
        size_t n_exclude;
        PoolProject *prefer; /* pool_prefer(), or NULL */
        uint64_t spill;      /* percent that it may be busier */
        uint64_t tokens; /* that go in, as far as can be told; 0: few */
        PoolProject *pinned; /* of this project alone (pool/binding); or NULL */
} PoolRequest;

/* The usable key with the least requests today on that model, then in all, then longest unused; never one
 * of `exclude`, and with one no probe either if there is another; where ceilings are known (core/ceiling)
 * only one whose quota has room. The pick counts as a request at once. -E2BIG for a new model where all
 * MODELS_MAX have requests under way. */
int pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal);

static inline int pool_pick(Pool *p, const char *model, PoolKey *const *exclude, size_t n_exclude,
                            usec_t now, Lease *ret, PoolRefusal *ret_refusal) {
        const PoolRequest q = { .model = model, .exclude = exclude, .n_exclude = n_exclude };

        return pool_pick_for(p, &q, now, ret, ret_refusal);
}

/* Any key that is neither dead nor out of credit, for no model in particular: projects by turns, and so the
 * keys of each. It counts as no request. `only`: of that project alone; or NULL. */
int pool_pick_rotation_of(Pool *p, PoolProject *pinned, PoolKey *const *exclude, size_t n_exclude,
                          usec_t now, Lease *ret, PoolRefusal *ret_refusal);

static inline int pool_pick_rotation(Pool *p, PoolKey *const *exclude, size_t n_exclude, usec_t now,
                                     Lease *ret, PoolRefusal *ret_refusal) {
        return pool_pick_rotation_of(p, NULL, exclude, n_exclude, now, ret, ret_refusal);
}

/* The answer has begun: a request that is a probe has passed, and the others need not wait for its end. */
void pool_answering(Pool *p, const Lease *lease, usec_t now);

/* The end; but for pool_answering() the only way that health and counters change. Empties the lease. */
void pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now);

/* Revives. `pattern` is a name, a mask (all keys of that mask) or MASK#2 (the second of them), NULL for
 * every key; `model` NULL for every model, and then dead keys and projects revive too. Returns how many
 * pairs of key and model, and keys, needed it, maybe 0; -ENXIO if no key or no model fits. */
int pool_reset(Pool *p, const char *pattern, const char *model, usec_t now);

#include "pool/view.h" /* what it knows, for those who show it */
