/* SPDX-License-Identifier: MIT */
#include "pool/breaker.h"

const char *breaker_state_to_string(BreakerState s) {
        static const char *const names[] = {
                [BREAKER_CLOSED] = "closed",
                [BREAKER_OPEN] = "open",
                [BREAKER_HALF_OPEN] = "half-open",
                [BREAKER_PROBING] = "probing",
        };

        assert(s < ELEMENTSOF(names));
        return names[s];
}
