/* SPDX-License-Identifier: MIT */
#pragma once

/* How long a spent quota is not used: see core/cooldown.c for the reasons. */

#include "core/verdict.h"

/* True for classes that have a cooldown: LIMIT_ZERO, DAY, MINUTE, RATE_UNKNOWN, BILLING. */
bool cooldown_has_class(VerdictClass class);

/* The wait after a first refusal that names none; 0 for classes that have no cooldown. */
usec_t cooldown_first(VerdictClass class);

/* The end of the cooldown of a quota that was refused with this class `strikes` times in a row since the
 * last reset. `hint` is the wait that the answer asks for, 0 if none; `reset` is the time of the next
 * reset; `spread` is any number that differs between quotas. */
usec_t cooldown_until(VerdictClass class, unsigned strikes, usec_t hint, usec_t now, usec_t reset,
                   unsigned spread);
