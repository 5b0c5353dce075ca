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

usec_t breaker_next_probe(const Breaker *b, usec_t now) {
        usec_t at = b->passes;
        unsigned width = BREAKER_SLOW_START;

        if (!b->slow_start || b->passes == USEC_INFINITY || now >= b->passes)
                return b->passes;
        for (at = b->passes - BREAKER_PROBE_TIME; width <= b->n_probes && at < b->passes; width *= 2)
                at += BREAKER_SLOW_DOUBLE;
        return at;
}
