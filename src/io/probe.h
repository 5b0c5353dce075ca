/* SPDX-License-Identifier: MIT */
#pragma once

/* Sends one GET to a daemon on this machine and waits for the answer. For `gemgated --health`, which is
 * another process; it has nothing to do with the probe of a breaker. */

#include "base/buf.h"
#include "base/clock.h"

/* `listen` is an address as in LISTEN; all addresses means loopback. The body is appended. Returns the
 * status; -ECONNREFUSED, -ETIMEDOUT or another -errno. */
int probe_get(const char *listen, const char *path, usec_t timeout, Buf *ret_body);
