/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many tries (attempts) a request may have: this depends on what they cost. A try is cheap if Google
 * refused it with a 4xx that another key may help with, within TRY_CHEAP_TIME, and less than
 * TRY_CHEAP_BYTES were sent. Any other failed try is dear. A request ends after TRIES_DEAR_MAX dear tries,
 * or TRIES_MAX tries in all; REQUEST_DEADLINE bounds how long all of them may take.
 */

#include "core/verdict.h"

#define TRY_CHEAP_TIME  USEC_PER_SEC
#define TRY_CHEAP_BYTES (1U << 20)

typedef struct Tries {
        unsigned n;      /* tries that were begun */
        unsigned n_dear; /* dear ones among those that failed */
} Tries;

bool try_is_cheap(const Verdict *v, usec_t took, size_t n_sent);

/* A try has failed; `n` counts it already. */
void tries_failed(Tries *t, const Verdict *v, usec_t took, size_t n_sent);

/* Whether another one may follow. */
bool tries_are_left(const Tries *t);
