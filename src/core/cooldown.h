/* SPDX-License-Identifier: MIT */
#pragma once

/* How long a spent quota is left alone: see core/cooldown.c for the reasons. */

#include "core/verdict.h"

/* Of the kind that is met so: LIMIT_ZERO, DAY, MINUTE, RATE_UNKNOWN, BILLING. */
bool cooldown_has_class(VerdictClass class);

/* Until when a quota rests that was found spent with the given verdict after `strikes` such findings in a
 * row, all since the last reset. `hint` is what the answer asked for, 0 if nothing; `reset` the next one;
 * `spread` any number that differs between quotas. */
usec_t cooldown_until(VerdictClass class, unsigned strikes, usec_t hint, usec_t now, usec_t reset,
                   unsigned spread);
