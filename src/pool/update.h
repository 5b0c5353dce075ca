/* SPDX-License-Identifier: MIT */
#pragma once

/* pool_set_keys() in slices, so that the loop can serve others in between; see set.c. */

#include "pool/admin.h"

#define UPDATE_SLICE_KEYS 256U   /* in a turn of the loop: about half a millisecond */

typedef struct PoolUpdate PoolUpdate;

/* The work for one key, which grows with the number of models; 1 for a few. */
size_t pool_update_cost(const Pool *p);

/* One at a time. `keys` must live until it is freed. -E2BIG, -ENOMEM. */
int pool_update_new(Pool *p, const PoolKeyWanted *keys, size_t n, PoolUpdate **ret);

/* About `n` keys' work. 1: there is more; 0: the new keys are in place. -ENOMEM: nothing has changed. */
int pool_update_step(PoolUpdate *u, usec_t now, size_t n);
bool pool_update_has_begun(const PoolUpdate *u); /* keys have changed: it cannot fail any more */
PoolChange pool_update_change(const PoolUpdate *u);

/* If keys have changed, does the rest; otherwise nothing has changed. */
PoolUpdate *pool_update_free(PoolUpdate *u);
DEFINE_CLEANUP(PoolUpdate *, pool_update_free);
