/* SPDX-License-Identifier: MIT */
#pragma once

/* The error that explains a state, and its time. Part of the pool. A slot has its last one until a success
 * or a reset; a key, a project and a quota have that which opened their breaker. */

#include "core/verdict.h"

/* All zero: none. */
typedef struct PoolError {
        char *text; /* scrubbed, at most SLOT_ERROR_MAX bytes; NULL: none */
        usec_t at;
        bool stored; /* the store may have a row of it: only where it is not part of another row */
} PoolError;

/* The short cause and Google's message; if no answer came, the cause, which goes on behind a colon:
 * `unreachable: connection refused`. */
void pool_error_format(const Verdict *v, char ret[static SLOT_ERROR_MAX]);

/* The most informative text of the verdict. Without memory the former error stays. */
void pool_error_set(PoolError *e, const Verdict *v, usec_t now);
void pool_error_copy(PoolError *to, const PoolError *from); /* likewise */
void pool_error_clear(PoolError *e);
