/* SPDX-License-Identifier: MIT */
#pragma once

/* What those who route a request ask of the pool beside the plain pick (pool/pool.h). A part of the pool,
 * see pool/pick.c. */

#include "pool/affinity.h"
#include "pool/pool.h"

typedef struct PoolModel PoolModel;
typedef struct PoolBucket PoolBucket;

/* True if no pick could succeed now, and why. False for a model that nobody has asked for. */
bool pool_is_exhausted(Pool *p, const char *model, usec_t now, PoolRefusal *ret);

/* The slot to take of q->pinned, NULL if there is none, and the bucket of the model there. -ENOMEM. */
int pool_pick_pinned(Pool *p, PoolModel *m, const PoolRequest *q, PoolSlot **ret, PoolBucket **ret_bucket);

/* A second key beside that of `other`, for the same model: of another project, and no probe. */
int pool_pick_spare(Pool *p, const PoolRequest *q, const Lease *other, usec_t now, Lease *ret);

/* --- affinity --- */

/* The project that a conversation had better go to: the one that served it last, or else the one that a
 * rendezvous hash gives it, which is the same over restarts. NULL if there is none. It lives as long as the
 * pool is not changed. */
PoolProject *pool_prefer(Pool *p, const Affinity *a, uint64_t conversation);

/* The conversation was served by this one. */
void pool_bind(Affinity *a, uint64_t conversation, const Lease *lease);

/* For the pick: the preferred project's slot, if it may go and is not too busy; else `best`. */
PoolSlot *pool_preferred(Pool *p, PoolModel *m, const PoolRequest *q, PoolSlot *best);
