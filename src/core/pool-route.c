/* SPDX-License-Identifier: MIT */
#include "core/pool-internal.h"
#include "core/pool-route.h"
#include "core/pool-view.h"

bool pool_is_exhausted(Pool *p, const char *model, usec_t now, PoolRefusal *ret) {
        PoolModel *m;

        (void) pool_time(p, now);
        m = pool_model_find(p, model);
        if (!m || !pool_model_is_exhausted(p, m))
                return false;
        pool_refusal(p, m, 0, ret);
        return true;
}
