/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Incremental parser of server-sent events (WHATWG): bytes in pieces of any size, one callback for each
 * event. Lines end with LF, CR or CRLF. Several `data:` lines are joined by LF; comments, `event:`, `id:`
 * and `retry:` are ignored; an event without data, or with nothing but white space, is dropped. An event
 * that is complete in one piece is passed without a copy.
 *
 * A line that is none of these is no part of the protocol, but may be part of an error that upstream wrote
 * into the stream as plain JSON. Such lines are kept, as far as there is room for them.
 */

#include "base/buf.h"

typedef struct Sse Sse;

/* Returning < 0 stops the parser; sse_feed() returns it. The bytes are valid only during the callback, and
 * it must not free the parser. */
typedef int (*SseFn)(const char *data, size_t n, void *userdata);

struct Sse {
        Buf line; /* a line whose end is still missing */
        Buf data; /* the `data:` lines of the event so far */
        Buf stray; /* the lines that are no field, each with an LF; the beginning of them */
        size_t event_max;
        bool has_data, skip_lf, begun;
};

void sse_init(Sse *s, size_t event_max, size_t stray_max);
void sse_done(Sse *s);

/* -E2BIG for an event beyond event_max, else the callback's result, or 0. After an error only sse_done() may
 * be called. */
int sse_feed(Sse *s, const char *p, size_t n, SseFn fn, void *userdata);

/* The stream has ended. An event whose blank line is missing is passed on; the callback has to find out
 * whether it is whole. */
int sse_end(Sse *s, SseFn fn, void *userdata);
