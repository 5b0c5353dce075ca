/* SPDX-License-Identifier: MIT */
#pragma once

/* Word of changes to the observer; a part of the pool, see notify.c. Without an observer nothing is done.
 */

#include "pool/heaps.h"

/* After a verdict that changed the given layers, a bit each, of which some were opened (maybe again). s may
 * be NULL. */
void pool_tell(Pool *p, PoolKey *k, PoolSlot *s, unsigned changed, unsigned opened, const char *reason);

/* The pair's first request: from here on there is something to tell of it. */
void pool_notify_first(Pool *p, PoolSlot *s);
void pool_notify_key(Pool *p, PoolKey *k, const char *reason); /* the key as such and its models */
void pool_notify_all(Pool *p, const char *reason);
void pool_notify_restored(Pool *p); /* whoever begins to observe later has nothing to hear of it */
void pool_notify_exhausted(Pool *p, PoolModel *m);
