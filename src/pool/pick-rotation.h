/* SPDX-License-Identifier: MIT */
#pragma once

/* Keys for no model in particular, in rotation. Part of the pool, see pick-rotation.c. */

#include "pool/key.h"

/* Moves the key and its project to where they belong. To be called when one of their breakers has
 * changed. */
void pool_rotation_place(Pool *p, PoolKey *k);

/* Rebuilds the rotation, in the order of p->keys. O(keys). */
void pool_rotation_arrange(Pool *p);
