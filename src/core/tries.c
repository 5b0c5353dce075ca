/* SPDX-License-Identifier: MIT */
#include "core/tries.h"

bool try_is_cheap(const Verdict *v, usec_t took, size_t n_sent) {
        return v->status >= 400 && v->status < 500 && verdict_rule(v->class)->another_key &&
               took <= TRY_CHEAP_TIME && n_sent < TRY_CHEAP_BYTES;
}

void tries_failed(Tries *t, const Verdict *v, usec_t took, size_t n_sent) {
        if (!try_is_cheap(v, took, n_sent))
                t->n_dear++;
}

bool tries_are_left(const Tries *t) {
        return t->n < TRIES_MAX && t->n_dear < TRIES_DEAR_MAX;
}
