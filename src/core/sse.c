/* SPDX-License-Identifier: MIT */

/*
 * A piece is split into lines in place. Only what a piece's end cuts is copied: the cut line into `line`,
 * and the data of an unfinished event into `data`. While an event has one data line, and that line is
 * complete in this piece, it is held as a slice of the piece (`whole`). So the common case, a whole event in
 * one read, goes to the callback without a copy.
 *
 * The output must not depend on where the pieces were cut. That includes errors, so the ceilings apply to a
 * slice as to a copy. A byte order mark counts only before the first line, a CR ends its line at once, and
 * an LF right after it is dropped even if it begins the next piece.
 */

#include <errno.h>

#include "core/sse.h"

/* A line may be this much longer than its event: `data: `, with the byte order mark before it. */
#define LINE_OVERHEAD 9U

/* Above this a buffer is freed after its event: streams live long, large events are rare. */
#define KEEP_MAX (64U << 10)

typedef struct Slice {
        const char *p; /* NULL: none */
        size_t n;
} Slice;

void sse_init(Sse *s, size_t event_max, size_t stray_max) {
        *s = (Sse){
                .line = BUF_INIT(event_max + LINE_OVERHEAD),
                .data = BUF_INIT(event_max),
                .stray = BUF_INIT(stray_max),
                .event_max = event_max,
        };
}

void sse_done(Sse *s) {
        buf_done(&s->line);
        buf_done(&s->data);
        buf_done(&s->stray);
}

static void empty(Buf *b) {
        if (b->size > KEEP_MAX)
                buf_done(b);
        else
                buf_clear(b);
}

/* Copies the slice, because it outlives the piece. */
static int keep(Sse *s, Slice *whole) {
        const char *p = TAKE_PTR(whole->p);

        return p ? buf_append(&s->data, p, whole->n) : 0;
}

static int add_data(Sse *s, const char *p, size_t n, bool in_piece, Slice *whole) {
        int r;

        if (!s->has_data) {
                s->has_data = true;
                if (n > s->event_max)
                        return -E2BIG;
                if (!in_piece)
                        return buf_append(&s->data, p, n);
                *whole = (Slice){ p, n };
                return 0;
        }
        r = keep(s, whole);
        if (r < 0)
                return r;
        r = buf_putc(&s->data, '\n');
        if (r < 0)
                return r;
        return buf_append(&s->data, p, n);
}

static bool is_blank(const char *p, size_t n) {
        while (n > 0 && (*p == ' ' || *p == '\t' || *p == '\n'))
                p++, n--;
        return n == 0;
}

static int dispatch(Sse *s, Slice *whole, SseFn fn, void *userdata) {
        const char *p;
        size_t n;
        int r = 0;

        if (!s->has_data)
                return 0;
        p = whole->p ?: s->data.n > 0 ? buf_data(&s->data) : "";
        n = whole->p ? whole->n : s->data.n;
        if (!is_blank(p, n))
                r = fn(p, n, userdata);
        whole->p = NULL;
        s->has_data = false;
        empty(&s->data);
        return MIN(r, 0);
}

/* Keeps a line that is no field. Beyond the ceiling it is cut off, so that only the beginning is kept. */
static int take_stray(Sse *s, const char *p, size_t n) {
        static const char *const fields[] = { "event", "id", "retry" };
        const char *colon = memchr(p, ':', n);
        size_t n_name = colon ? (size_t) (colon - p) : n;

        if (n_name == 0) /* a comment */
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (n_name == strlen(fields[i]) && memcmp(p, fields[i], n_name) == 0)
                        return 0;
        if (s->stray.n == s->stray.max)
                return 0;
        n = MIN(n, s->stray.max - s->stray.n - 1);
        (void) buf_append(&s->stray, p, n);
        return buf_putc(&s->stray, '\n');
}

/* One line without its end. `in_piece`: it is valid until sse_feed() returns. */
static int take_line(Sse *s, const char *p, size_t n, bool in_piece, Slice *whole, SseFn fn,
                     void *userdata) {
        if (n > s->line.max)
                return -E2BIG;
        if (!s->begun) {
                s->begun = true;
                if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
                        p += 3;
                        n -= 3;
                }
        }

        if (n == 0)
                return dispatch(s, whole, fn, userdata);
        if (n < 4 || memcmp(p, "data", 4) != 0)
                return take_stray(s, p, n);
        if (n == 4) /* a field name without a colon is a field with an empty value */
                return add_data(s, "", 0, true, whole);
        if (p[4] != ':')
                return take_stray(s, p, n);
        p += 5;
        n -= 5;
        if (n > 0 && *p == ' ') {
                p++;
                n--;
        }
        return add_data(s, p, n, in_piece, whole);
}

int sse_feed(Sse *s, const char *p, size_t n, SseFn fn, void *userdata) {
        const char *end = p + n, *lf = NULL;
        Slice whole = {};
        int r;

        while (p < end) {
                const char *stop, *cr;

                if (s->skip_lf) {
                        s->skip_lf = false;
                        if (*p == '\n') {
                                p++;
                                continue;
                        }
                }

                /* The next LF is searched once, not again for each CR before it. */
                if (!lf || lf < p)
                        lf = memchr(p, '\n', (size_t) (end - p)) ?: end;
                cr = memchr(p, '\r', (size_t) (lf - p));
                stop = cr ?: lf;

                if (stop == end || s->line.n > 0) {
                        r = buf_append(&s->line, p, (size_t) (stop - p));
                        if (r < 0)
                                return r;
                }
                if (stop == end)
                        break;
                s->skip_lf = *stop == '\r';
                if (s->line.n > 0) {
                        r = take_line(s, buf_data(&s->line), s->line.n, false, &whole, fn, userdata);
                        empty(&s->line);
                } else
                        r = take_line(s, p, (size_t) (stop - p), true, &whole, fn, userdata);
                if (r < 0)
                        return r;
                p = stop + 1;
        }
        return keep(s, &whole);
}

int sse_end(Sse *s, SseFn fn, void *userdata) {
        Slice whole = {};
        int r = 0;

        if (s->line.n > 0) {
                r = take_line(s, buf_data(&s->line), s->line.n, false, &whole, fn, userdata);
                empty(&s->line);
        }
        return r < 0 ? r : dispatch(s, &whole, fn, userdata);
}
