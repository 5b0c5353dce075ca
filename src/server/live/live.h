/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Google's Live API: a session is a WebSocket of a client, and one to Gemini with a key of the pool. The
 * handler accepts the client's; its first message, setup, names the model. From Google's setupComplete on
 * the session stays with its key, and messages go both ways as they are. See live.c.
 */

#include "dialect/api-error.h"
#include "server/forward.h"

/* The handlers of the routes, see server/request.h. */
int live_begin(Request *q, ApiError *ret_error);
int live_refuse_constrained(Request *q, ApiError *ret_error); /* by a token of Google's own */

const char *live_state(const Live *l); /* for GET /admin/requests */

/* --- all sessions --- */

struct LiveCounts {
        uint64_t open;    /* now */
        uint64_t total;   /* since the start */
        uint64_t refused; /* because MAX_LIVE were open */
};

typedef struct LiveIo LiveIo; /* what sessions use of io: a test replaces it */
extern const LiveIo live_io;

int live_sessions_new(Http *h, const LiveIo *io, LiveSessions **ret);
LiveSessions *live_sessions_free(LiveSessions *s); /* every request has ended before */
void live_sessions_configure(LiveSessions *s); /* Http has another configuration */

/* The daemon ends: sessions are asked to go, and those without an answer of Google's end. */
void live_sessions_drain(LiveSessions *s);

const LiveCounts *live_sessions_counts(const LiveSessions *s);
