/* SPDX-License-Identifier: MIT */
#pragma once

/* What those who route a request ask of the pool beside the plain pick (core/pool.h). A part of the pool,
 * see pool.c. */

#include "core/pool.h"

/* True if no pick could succeed now, and why. False for a model that nobody has asked for. */
bool pool_is_exhausted(Pool *p, const char *model, usec_t now, PoolRefusal *ret);
