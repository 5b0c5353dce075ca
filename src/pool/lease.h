/* SPDX-License-Identifier: MIT */
#pragma once

/* Leases; a part of the pool, see pool/lease.c. Their ends, pool_answering() and pool_report(), are those of
 * pool/pool.h. */

#include "pool/heaps.h"

/* Each half-open breaker in the way has its probe now. Without a slot: for no model in particular. */
void pool_lend(Pool *p, PoolKey *k, PoolSlot *s, Lease *ret);

/* Reserves: the request counts before anything is sent. */
void pool_take(Pool *p, PoolModel *m, PoolSlot *s, uint64_t tokens, Lease *ret);
