/* SPDX-License-Identifier: MIT */
#pragma once

/* Notifications to the observer. Part of the pool, see notify.c. Without an observer these do nothing. */

#include "pool/heaps.h"

/* To be called after a verdict. `changed` has a bit for each layer whose breaker changed, `opened` for each
 * layer whose breaker opened, perhaps again. s may be NULL. */
void pool_notify_changes(Pool *p, PoolKey *k, PoolSlot *s, unsigned changed, unsigned opened,
                         const char *reason);

/* A breaker of this slot, or of this quota, has closed by time. */
void pool_notify_slot(Pool *p, PoolSlot *s, const char *reason);
void pool_notify_quota(Pool *p, PoolQuota *q, const char *reason);

/* The slot's first request: its changes are notified from now on. */
void pool_notify_first(Pool *p, PoolSlot *s);
void pool_notify_key_alone(Pool *p, PoolKey *k, const char *reason); /* the key itself and its slots */
void pool_notify_models(Pool *p); /* to be called after several of those */
void pool_notify_key(Pool *p, PoolKey *k, const char *reason); /* both */
void pool_notify_all(Pool *p, const char *reason);
void pool_notify_key_restored(Pool *p, PoolKey *k);
void pool_notify_restored(Pool *p); /* what was restored is the state that later notifications start from */
void pool_notify_exhausted(Pool *p, PoolModel *m);
