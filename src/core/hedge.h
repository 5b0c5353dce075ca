/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When a second try beside the first is due, and whether one may be made: HEDGE_AFTER. Pure: spans are told.
 *
 * Never more than one in twenty requests: each earns a twentieth, and what is saved is bounded, so that a
 * bad hour does not spend what a good day has earned. With `p95` a request is late when it has waited longer
 * than 95 % of the last HEDGE_WINDOW of its model and kind did.
 */

#include "base/clock.h"
#include "base/limits.h"

#define HEDGE_OFF 0
#define HEDGE_P95 USEC_INFINITY

#define HEDGE_SHARE  20U /* one in so many */
#define HEDGE_SAVED  10U /* hedges that can be saved up */
#define HEDGE_WINDOW 128U
#define HEDGE_KNOWN  32U /* of the window: with fewer nothing is known of the model yet */

typedef struct Hedges Hedges;

int hedges_new(Hedges **ret);
Hedges *hedges_free(Hedges *h);
DEFINE_CLEANUP(Hedges *, hedges_free);

/* A request begins. After how long without a word a second try is due; 0: none is. */
usec_t hedges_begin(Hedges *h, usec_t after, const char *model, bool stream);

/* Its first word came after so long; needed for HEDGE_P95 only. */
void hedges_heard(Hedges *h, const char *model, bool stream, usec_t span);

bool hedges_may(const Hedges *h);
void hedges_take(Hedges *h); /* one is made */
