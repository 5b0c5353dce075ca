/* SPDX-License-Identifier: MIT */
#pragma once

/* gemgated --health: asks the daemon that runs with this configuration how it is. */

#include "config/config.h"

/* Prints /health's word (healthy, degraded or no_keys) and returns 0: it serves, and says so; restarting it
 * would bring no key back. EX_UNAVAILABLE with one line if it does not answer. */
int health_check(const Config *c);
