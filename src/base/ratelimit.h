/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A token bucket: it holds `burst` tokens, and as many new ones come in each `interval`. Pure: `now` (of
 * any clock that never goes back) is an argument. The only state is the time at which the bucket will be
 * full again; each token taken moves that time on by the time in which one token comes back.
 */

#include "base/clock.h"

typedef struct RateLimit {
        usec_t interval;
        unsigned burst;
        usec_t full_at;
} RateLimit;

static inline bool ratelimit_take(RateLimit *l, usec_t now) {
        usec_t token = l->interval / l->burst, full_at = MAX(l->full_at, now);

        if (full_at - now > l->interval - token)
                return false;
        l->full_at = full_at + token;
        return true;
}
