/* SPDX-License-Identifier: MIT */
#pragma once

/* MODEL_LIMITS in the pool's quotas. Part of the pool, see model-limits.c. */

#include "pool/heaps.h"

/* MODEL_LIMITS for a model in a project (NULL: one without a name). */
void pool_limits_find(const Pool *p, const char *model, const char *project,
                      uint64_t ret[static _CEILING_MAX]);

void pool_limits_take(const Pool *p, PoolQuota *q); /* sets those of its buckets' models */

static inline const char *pool_model_counted_as(const PoolModel *m) {
        return m->counted_as ?: m->name;
}
