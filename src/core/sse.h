/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Incremental parser of server-sent events (WHATWG): bytes in whatever pieces they come, one callback an
 * event. LF, CR and CRLF; several `data:` lines are joined by LF; comments, `event:`, `id:` and `retry:` are
 * passed over; an event without data is none. An event that stands whole in one piece is handed out without
 * a copy.
 */

#include "base/buf.h"

typedef struct Sse Sse;

/* Returning < 0 stops the parser; sse_feed() forwards it. The bytes are gone when the callback returns, and
 * it must not free the parser. */
typedef int (*SseFn)(const char *data, size_t n, void *userdata);

struct Sse {
        Buf line; /* a line whose end has not come yet */
        Buf data; /* the `data:` lines of the event so far */
        size_t event_max;
        bool has_data, skip_lf, begun;
};

void sse_init(Sse *s, size_t event_max);
void sse_done(Sse *s);

/* -E2BIG for an event beyond event_max, else what the callback returned, or 0. After an error the parser is
 * at its end: it is only good for sse_done(). */
int sse_feed(Sse *s, const char *p, size_t n, SseFn fn, void *userdata);

/* True if bytes of an unfinished event are held: the stream was cut. */
bool sse_is_inside(const Sse *s);
