/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Access control, in this order: the client's address (403), its token (401), the token's right (403). Open
 * routes skip the address, and a token is optional there.
 */

#include "server/routes.h"

/* True if the request is allowed, with q->client and q->token filled; false with the refusal. `route` is
 * NULL for a path without a route: it is checked too, because strangers must not learn which paths exist. */
bool access_check(Request *q, const Route *route, ApiError *ret);

/* Before any request: whether requests of this peer (NULL: a unix peer) may be allowed by their address. A
 * trusted proxy may, because the address of its client is not known yet. */
bool access_welcomes(const Config *c, const struct sockaddr *peer);

/* access_check() on the inner listener, which accepts only the token of an armed job, and only for routes of
 * Gemini's own dialect; q->job is filled. */
bool access_check_job(Request *q, const Route *route, ApiError *ret);
