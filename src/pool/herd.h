/* SPDX-License-Identifier: MIT */
#pragma once

/* Keys that seem to die together. Part of the pool, see herd.c. */

#include "base/clock.h"
#include "base/limits.h"
#include "core/verdict.h"
#include "pool/types.h"

/* All zero: none. */
typedef struct PoolHerd {
        PoolKey *last; /* the last key that seemed to die; only compared, and revived */
        usec_t at;
        bool confirmed; /* it was not alone */
        char text[SLOT_ERROR_MAX]; /* of its answer */
} PoolHerd;

/* A verdict is VERDICT_KEY_DEAD, and not sure. True: other keys got the same, so it is not the keys. */
bool pool_herd_joins(Pool *p, PoolKey *k, const Verdict *v);

void pool_herd_forget(Pool *p, const PoolKey *k); /* the key is removed */
