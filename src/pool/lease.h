/* SPDX-License-Identifier: MIT */
#pragma once

/* Leases. Part of the pool, see lease.c. pool_answering() and pool_report() are in pool.h. */

#include "pool/heaps.h"

/* Makes the lease the probe of each half-open breaker that the request passes. s is NULL for a lease for no
 * model in particular. */
void pool_lend(Pool *p, PoolKey *k, PoolSlot *s, Lease *ret);

/* Reserves the request and its tokens in the ceilings, so that it counts before anything is sent. */
void pool_take(Pool *p, PoolModel *m, PoolSlot *s, uint64_t tokens, Lease *ret);

/* Records a reason other than the rank. POOL_CHOICE_PROBE is kept: it is the more useful reason. */
static inline void lease_choose(Lease *l, PoolChoice c) {
        if (l->choice != POOL_CHOICE_PROBE)
                l->choice = c;
}
