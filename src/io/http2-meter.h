/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counts the frames of a server, before libnghttp2 reads them: of some kinds it counts none itself, and
 * which ones depends on its version. Each frame takes a token. What brings a call on gives tokens back: a
 * piece of a body, an answer's head, a frame of the request. A second gives back a few. A server that runs
 * out of tokens sends frames for their own sake (PING, SETTINGS, RST_STREAM, WINDOW_UPDATE, empty DATA,
 * CONTINUATION, PRIORITY, unknown ones), and the connection must end.
 */

#include "base/clock.h"

typedef struct Http2Meter {
        int tokens;
        usec_t filled_at;
        unsigned char head[9]; /* of a frame that has not come as a whole */
        unsigned n_head;
        size_t n_left;  /* bytes of the frame's payload that have not come */
        size_t n_block; /* bytes of the header block in all its frames */
} Http2Meter;

void http2_meter_init(Http2Meter *m, usec_t now);

/* The next bytes from the server. NULL, or why the connection must end. */
const char *http2_meter_read(Http2Meter *m, const char *p, size_t n, usec_t now);

void http2_meter_give(Http2Meter *m, int tokens);
