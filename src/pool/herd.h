/* SPDX-License-Identifier: MIT */
#pragma once

/* Keys that seem to die together. Part of the pool, see herd.c. */

#include "base/clock.h"
#include "pool/types.h"

/* All zero: none. */
typedef struct PoolHerd {
        PoolKey *last; /* the last key that seemed to die; NULL: it is gone, or it is dead for sure */
        usec_t at;
        bool confirmed; /* it was not alone */
} PoolHerd;

/* A verdict is VERDICT_KEY_DEAD, and not sure. True: other keys got the same, so it is not the keys.
 * `began`: when the client's request began, realtime. */
bool pool_herd_joins(Pool *p, PoolKey *k, usec_t began);

void pool_herd_forget(Pool *p, const PoolKey *k); /* the key is removed, or it is dead for sure */
