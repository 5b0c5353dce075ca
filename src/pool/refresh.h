/* SPDX-License-Identifier: MIT */
#pragma once

/* What time changes in the heaps of a model. Part of the pool, see refresh.c. */

#include "pool/heaps.h"

#define MOVES_MAX 256U /* in a pick: less than half a millisecond */

/* Moves what has become usable by time, and what has a rank of another day. */
void pool_model_refresh(Pool *p, PoolModel *m);

/* Only the former; false if nothing was due. */
bool pool_model_move_due(Pool *p, PoolModel *m);

/* True if no pick could succeed now. It does not rebuild heaps: only picks do. */
bool pool_model_is_exhausted(Pool *p, PoolModel *m);
