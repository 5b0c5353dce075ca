/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/macros.h"

/* True if the host of a URL is this machine by its form: `localhost`, or a loopback address ([::1],
 * 127.x.x.x, and the latter mapped to IPv6). Any other name must be resolved, and may be anywhere. */
bool loopback_is_host(const char *host);
