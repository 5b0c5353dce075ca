/* SPDX-License-Identifier: MIT */
#pragma once

/* pool_reset() in slices, so that the loop can serve others in between; see pool/pool.h. */

#include "pool/update.h"

typedef struct PoolReset PoolReset;

int pool_reset_new(Pool *p, const char *pattern, const char *model, PoolReset **ret);
/* About `n` keys' work. 1: there is more; 0: complete; -ENXIO: no key or no model fits. */
int pool_reset_step(PoolReset *r, usec_t now, size_t n);
unsigned pool_reset_count(const PoolReset *r); /* the blocks that there were */
PoolReset *pool_reset_free(PoolReset *r);
DEFINE_CLEANUP(PoolReset *, pool_reset_free);
