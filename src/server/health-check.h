/* SPDX-License-Identifier: MIT */
#pragma once

/* gemgated --health: requests the health of the daemon that runs with this configuration. */

#include "config/config.h"

/* Prints the status of /health (healthy, degraded or no_keys) and returns 0 if there is one: a restart
 * would not repair keys. EX_UNAVAILABLE with one line if the daemon does not answer. */
int health_check(const Config *c);
