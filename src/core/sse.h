/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Incremental parser of server-sent events (WHATWG): bytes in pieces of any size, one callback for each
 * event. Lines end with LF, CR or CRLF. Several `data:` lines are joined by LF; comments, `event:`, `id:`
 * and `retry:` are ignored; an event without data is dropped. An event that is complete in one piece is
 * passed without a copy.
 */

#include "base/buf.h"

typedef struct Sse Sse;

/* Returning < 0 stops the parser; sse_feed() returns it. The bytes are valid only during the callback, and
 * it must not free the parser. */
typedef int (*SseFn)(const char *data, size_t n, void *userdata);

struct Sse {
        Buf line; /* a line whose end is still missing */
        Buf data; /* the `data:` lines of the event so far */
        size_t event_max;
        bool has_data, skip_lf, begun;
};

void sse_init(Sse *s, size_t event_max);
void sse_done(Sse *s);

/* -E2BIG for an event beyond event_max, else the callback's result, or 0. After an error only sse_done() may
 * be called. */
int sse_feed(Sse *s, const char *p, size_t n, SseFn fn, void *userdata);

/* True if bytes of an unfinished event are held: then the stream was cut. */
bool sse_is_inside(const Sse *s);
