/* SPDX-License-Identifier: MIT */
#pragma once

/* One GET of a daemon on this machine, from another process of the same program, waited for. */

#include "base/buf.h"
#include "base/clock.h"

/* `listen` is an address as LISTEN has it; one that means all addresses is asked at loopback. The body is
 * appended. Returns the status; -ECONNREFUSED, -ETIMEDOUT or another -errno. */
int probe_get(const char *listen, const char *path, usec_t timeout, Buf *ret_body);
