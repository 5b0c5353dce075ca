/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pool of API keys: it picks a key for a model, and learns only from the reports of how the requests
 * ended. pick.c explains how a pick stays cheap with 100,000 keys. Pure: `now` (realtime) is an argument. A
 * key lives until a reload has removed it and no Lease refers to it; each Lease must be given back by
 * exactly one pool_report().
 */

#include "base/secret.h"
#include "base/zone.h"
#include "core/verdict.h"
#include "pool/types.h"
#include "pool/view.h" /* what the pool knows, for statistics and screens */

enum { _POOL_E_SUCCESS, POOL_E_EXHAUSTED /* see the PoolRefusal */ };

int pool_new(const Zone *zone, usec_t now, Pool **ret); /* the zone must outlive the pool */
Pool *pool_free(Pool *p);
DEFINE_CLEANUP(Pool *, pool_free);

typedef struct PoolRequest {
        const char *model;
        PoolKey *const *exclude; /* keys that must not be picked, TRIES_MAX at most; the pointers are only
                                  * compared */
        size_t n_exclude;
        PoolProject *prefer; /* pool_prefer(), or NULL */
        uint64_t spill;      /* by how many percent the preferred key may be busier */
        uint64_t tokens; /* input tokens, as estimated; 0: few */
        PoolProject *pinned; /* pick from this project only (binding.h); or NULL */
        const PoolProject *avoid; /* pick from no key of this project, and from none that is overloaded; only
                                   * compared; or NULL */
} PoolRequest;

/* Picks the usable key with the fewest requests today on that model, then the fewest in all, then the
 * longest unused. It is never one of `exclude`; if there are any, a probe is picked only if nothing else is
 * left. If ceilings are known (core/ceiling.h), the quota of the picked key has room. The pick counts as a
 * request at once. -E2BIG: a new model, and all MODELS_MAX models have requests under way or are waited
 * for. */
int pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal);

/* Picks a key for no model in particular that is neither dead nor out of credit: the projects in rotation,
 * and the keys of each. It does not count as a request. Of the PoolRequest the members pinned, avoid and
 * exclude count. */
int pool_pick_rotation_of(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal);

static inline int pool_pick_rotation(Pool *p, PoolKey *const *exclude, size_t n_exclude, usec_t now,
                                     Lease *ret, PoolRefusal *ret_refusal) {
        const PoolRequest q = { .exclude = exclude, .n_exclude = n_exclude };

        return pool_pick_rotation_of(p, &q, now, ret, ret_refusal);
}

/* Counts a client's request, however many picks follow: none if no key is usable, several if attempts fail
 * or an answer needs several. */
void pool_count_client(Pool *p, usec_t now);

const PoolProject *pool_lease_project(const Lease *lease); /* for PoolRequest.avoid */

/* The answer has begun: a probe has passed, and others need not wait for its end. */
void pool_answering(Pool *p, const Lease *lease, usec_t now);

/* To be called before pool_report(), and before anything is decided by the verdict: changes one that blames
 * the key into VERDICT_FOREIGN if other keys are refused without a reason, too. `began`: when the client's
 * request began. */
void pool_weigh(Pool *p, const Lease *lease, Verdict *v, usec_t began, usec_t now);

/* Ends the lease and empties the struct. Only this function and pool_answering() change health and
 * counters. */
void pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now);

/* Lifts the blocks of the matching keys: open breakers, spent quotas and strikes. `pattern` is a name, a
 * mask (all keys of that mask) or MASK#2 (the second of them), or NULL for every key. `model` NULL: for
 * every model, and also the breakers of the keys themselves and of their projects. Returns how many blocks
 * there were, maybe 0: for each key, one if its own breaker or its project's was open, and one for each
 * model whose quota was spent or for which the key had an open breaker or strikes. -ENXIO if no key or no
 * model fits. */
int pool_reset(Pool *p, const char *pattern, const char *model, usec_t now);
