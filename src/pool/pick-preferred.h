/* SPDX-License-Identifier: MIT */
#pragma once

/* Picks with a condition: pinned, preferred, spare; the plain pick is in pool.h. Part of the pool, see
 * pick.c. */

#include "pool/affinity.h"
#include "pool/pool.h"

/* True if no pick could succeed now; *ret has the reason. False for a model without requests so far. */
bool pool_is_exhausted(Pool *p, const char *model, usec_t now, PoolRefusal *ret);

/* Finds the slot to pick in the project q->pinned, and its bucket. *ret is NULL if there is no such slot.
 * -ENOMEM. */
int pool_pick_pinned(Pool *p, PoolModel *m, const PoolRequest *q, PoolSlot **ret, PoolBucket **ret_bucket);

/* A second key for the model of `other`: of another project, and not a probe. */
int pool_pick_spare(Pool *p, const PoolRequest *q, const Lease *other, usec_t now, Lease *ret);

/* --- affinity --- */

/* The project that a conversation should go to: the one that served it last, or else the one that a
 * rendezvous hash gives it, which is the same over restarts. NULL if there is none. Valid until the pool
 * changes. */
PoolProject *pool_prefer(Pool *p, const Affinity *a, uint64_t conversation);

/* The conversation was served with this lease. */
void pool_bind(Affinity *a, uint64_t conversation, const Lease *lease);

/* Called by the pick. Returns a slot of the preferred project (q->prefer) if one is usable and not too busy
 * (q->spill); else `best`. */
PoolSlot *pool_preferred(Pool *p, PoolModel *m, const PoolRequest *q, PoolSlot *best);
