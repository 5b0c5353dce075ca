/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who may ask what, in this order: the client's address (403), its token (401), the token's right (403).
 * Open routes skip the first, and a token is looked at there but not asked for.
 */

#include "server/routes.h"

/* True to go on, with q->client and q->token filled; false with the refusal. `route` is NULL for a path
 * without one: strangers must not learn which exist. */
bool access_check(Request *q, const Route *route, ApiError *ret);

/* The same on the inner listener, where only the token of an armed job opens anything, and that is Gemini's
 * own dialect alone; q->job is filled. */
bool access_check_job(Request *q, const Route *route, ApiError *ret);
