/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HEDGE_AFTER: when a second try beside the first is due, and whether it is allowed. Pure: durations are
 * arguments.
 *
 * There is never more than one hedge for twenty requests: each request earns a twentieth of a hedge. At
 * most HEDGE_SAVED hedges can be saved, so that those of a good day are not all sent in one bad hour. With
 * `p95` a request is late when it has waited longer than 95 % of the last HEDGE_WINDOW requests of its
 * model and kind.
 */

#include "base/clock.h"
#include "base/limits.h"

#define HEDGE_OFF 0
#define HEDGE_P95 USEC_INFINITY

#define HEDGE_SHARE  20U /* one hedge for this many requests */
#define HEDGE_SAVED  10U /* the most hedges that can be saved */
#define HEDGE_WINDOW 128U
#define HEDGE_KNOWN  32U /* values in the window before p95 is used */

typedef struct Hedges Hedges;

int hedges_new(Hedges **ret);
Hedges *hedges_free(Hedges *h);
DEFINE_CLEANUP(Hedges *, hedges_free);

/* A request begins. Returns how long it may wait for its first event before a hedge is due; 0: no hedge. */
usec_t hedges_begin(Hedges *h, usec_t after, const char *model, bool stream);

/* The request's first event came after `span`; needed for HEDGE_P95 only. */
void hedges_note_first(Hedges *h, const char *model, bool stream, usec_t span);

bool hedges_may(const Hedges *h);
void hedges_take(Hedges *h); /* one hedge is sent */
