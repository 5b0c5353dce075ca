/* SPDX-License-Identifier: MIT */
#pragma once

/* Probes that pass by time. Part of the pool, see probe.c. */

#include "base/clock.h"
#include "base/list.h"
#include "pool/types.h"

/* Each quota and each slot has one, for its own breakers. */
typedef struct PoolProbe {
        List link; /* in Pool.probes, in the order of `due`; linked: a probe is or was under way */
        usec_t due;
        PoolSlot *slot; /* NULL: it is the quota's */
} PoolProbe;

void pool_probe_init(PoolProbe *probe, PoolSlot *slot);

/* A probe of one of its breakers begins now. Returns when it passes. */
usec_t pool_probe_begin(Pool *p, PoolProbe *probe);

/* Closes the breakers whose probe has not been refused in time. */
void pool_probes_pass(Pool *p);
void pool_probes_shift(Pool *p, usec_t back); /* the clock was set back */
