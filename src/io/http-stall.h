/* SPDX-License-Identifier: MIT */
#pragma once

/* Connections that keep libmicrohttpd busy without any progress. See http-stall.c. */

#include "io/http-shard.h"

/* After a run of libmicrohttpd that asks for another at once: true if it may have it, false if it must wait.
 * Connections that are found to be stalled are answered and cut. */
bool http_stall_continue(HttpShard *d);
