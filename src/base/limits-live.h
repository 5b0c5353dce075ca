/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of sessions of the Live API; MAX_LIVE, LIVE_MAX_MESSAGE, LIVE_DEADLINE and LIVE_IDLE_TIMEOUT
 * are settings. */

#include "base/limits-websocket.h"

#define LIVE_SESSIONS_MAX 4096U /* of MAX_LIVE: each has two connections, and up to two messages */
#define LIVE_SETUP_TIME (30 * USEC_PER_SEC) /* for the client's setup, and again for Google's answer to it */
#define LIVE_MESSAGE_MAX WEBSOCKET_MESSAGE_MAX /* of LIVE_MAX_MESSAGE: a message is read in the loop */
#define LIVE_HELD_HIGH (64U << 10) /* bytes of messages behind setup: above it the client is not read */
#define LIVE_HELD_MAX (LIVE_HELD_HIGH + LIVE_MESSAGE_MAX + 64U) /* the last message may be a long one */
#define LIVE_HANDLES_KEPT 2U /* of a session: a client may have got the last one, or the one before */
