/* SPDX-License-Identifier: MIT */
#pragma once

/* One GET of a daemon on this machine, from another process of the same program. Blocks. */

#include "base/buf.h"
#include "base/clock.h"

/* `listen` is an address as in LISTEN; all addresses means loopback. The body is appended. Returns the
 * status; -ECONNREFUSED, -ETIMEDOUT or another -errno. */
int probe_get(const char *listen, const char *path, usec_t timeout, Buf *ret_body);
