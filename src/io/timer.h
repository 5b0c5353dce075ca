/* SPDX-License-Identifier: MIT */
#pragma once

/* One call after a time, for rare cases (io/timeout is for many of one length). Freeing the timer cancels
 * it. */

#include "io/forward.h"
#include "io/loop.h"

/* The function is called once, at least `after` later; it may free the timer. */
int timer_new(Loop *l, usec_t after, void (*fn)(void *userdata), void *userdata, Timer **ret);
Timer *timer_free(Timer *t);
DEFINE_CLEANUP(Timer *, timer_free);
