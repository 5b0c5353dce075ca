/* SPDX-License-Identifier: MIT */
#pragma once

/* The latencies of a load, in microseconds, and what is reported of them. */

#include "base/clock.h"

typedef struct Samples {
        uint32_t *us;
        size_t n, size;
} Samples;

int samples_init(Samples *s, size_t size);
void samples_done(Samples *s);

/* One more; there must be room for it. */
void samples_add(Samples *s, usec_t span);

/* To be called before samples_at(). */
void samples_sort(Samples *s);

/* The smallest sample that at least `share` (0 to 1) of all samples do not exceed; 0 without samples. */
uint32_t samples_at(const Samples *s, double share);

/* Sorts them, and appends `, "NAME": {"p50": …, "p99": …, "p999": …, "max": …}` to the line on
 * stdout. */
void samples_print(Samples *s, const char *name);
