/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pool of API keys: picks a key for a model, and learns only from the reports of the results. pick.c
 * explains how a pick stays cheap with 100,000 keys. Pure: `now` (realtime) is an argument. A key lives
 * until a reload removes it and no Lease has it; each Lease must be given back by exactly one
 * pool_report().
 */

#include "base/secret.h"
#include "base/zone.h"
#include "core/verdict.h"
#include "pool/types.h"
#include "pool/view.h" /* what it knows, for those who show it */

enum { _POOL_E_SUCCESS, POOL_E_EXHAUSTED /* see the PoolRefusal */ };

int pool_new(const Zone *zone, usec_t now, Pool **ret); /* the zone must outlive the pool */
Pool *pool_free(Pool *p);
DEFINE_CLEANUP(Pool *, pool_free);

/* name and project may be NULL. -EEXIST: the pool has this key; -E2BIG: it has KEYS_MAX keys. */
int pool_add_key(Pool *p, Secret *secret, const char *name, const char *project, bool disabled);

typedef struct PoolRequest {
        const char *model;
        PoolKey *const *exclude; /* never one of these; TRIES_MAX at most, only compared */
        size_t n_exclude;
        PoolProject *prefer; /* pool_prefer(), or NULL */
        uint64_t spill;      /* by how many percent the preferred key may be busier */
        uint64_t tokens; /* input tokens, as estimated; 0: few */
        PoolProject *pinned; /* pick from this project only (binding.h); or NULL */
} PoolRequest;

/* Picks the usable key with the fewest requests today on that model, then the fewest in all, then the
 * longest unused. It is never one of `exclude`; if there are any, a probe is picked only if nothing else is
 * left. Where ceilings are known (core/ceiling.h) its quota has room. The pick counts as a request at once.
 * -E2BIG: a new model, and all MODELS_MAX models have requests under way. */
int pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal);

static inline int pool_pick(Pool *p, const char *model, PoolKey *const *exclude, size_t n_exclude,
                            usec_t now, Lease *ret, PoolRefusal *ret_refusal) {
        const PoolRequest q = { .model = model, .exclude = exclude, .n_exclude = n_exclude };

        return pool_pick_for(p, &q, now, ret, ret_refusal);
}

/* Picks a key for no model in particular that is neither dead nor out of credit: the projects in rotation,
 * and the keys of each. It does not count as a request. `pinned`: from that project only; or NULL. */
int pool_pick_rotation_of(Pool *p, PoolProject *pinned, PoolKey *const *exclude, size_t n_exclude,
                          usec_t now, Lease *ret, PoolRefusal *ret_refusal);

static inline int pool_pick_rotation(Pool *p, PoolKey *const *exclude, size_t n_exclude, usec_t now,
                                     Lease *ret, PoolRefusal *ret_refusal) {
        return pool_pick_rotation_of(p, NULL, exclude, n_exclude, now, ret, ret_refusal);
}

/* The answer has begun: a probe has passed, and others need not wait for its end. */
void pool_answering(Pool *p, const Lease *lease, usec_t now);

/* The end of the lease, which is empty then. Apart from pool_answering() only this changes health and
 * counters. */
void pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now);

/* Closes breakers. `pattern` is a name, a mask (all keys of that mask) or MASK#2 (the second of them), or
 * NULL for every key. `model` NULL: every model, and also the breakers of keys and projects. Returns how
 * many slots and keys had one open, maybe 0; -ENXIO if no key or no model fits. */
int pool_reset(Pool *p, const char *pattern, const char *model, usec_t now);
