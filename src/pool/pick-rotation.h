/* SPDX-License-Identifier: MIT */
#pragma once

/* Keys for no model in particular, by turns; a part of the pool, see pool/pick-rotation.c. */

#include "pool/key.h"

/* Puts the key, and its project, where they belong now. To be called when a breaker of theirs has changed.
 */
void pool_rotation_place(Pool *p, PoolKey *k);

/* All of it anew, in the order of p->keys. O(keys). */
void pool_rotation_arrange(Pool *p);
