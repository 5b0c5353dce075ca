/* SPDX-License-Identifier: MIT */
#include "base/guard.h"

static bool is_marked(char c) {
        return c == '@' || c == '$';
}

/* The first byte that needs a guard after it, or end. */
static const char *next_marked(const char *s, const char *end) {
        while (s < end && !is_marked(*s))
                s++;
        return s;
}

static bool begins_with_guard(const char *s, const char *end) {
        return (size_t) (end - s) >= GUARD_N && memcmp(s, GUARD, GUARD_N) == 0;
}

int guard_append(Buf *b, const char *text, size_t n) {
        const char *end = text + n, *s = text, *mark;

        (void) buf_append(b, GUARD, GUARD_N);
        while ((mark = next_marked(s, end)) < end) {
                (void) buf_append(b, s, (size_t) (mark + 1 - s));
                (void) buf_append(b, GUARD, GUARD_N);
                s = mark + 1;
        }
        (void) buf_append(b, s, (size_t) (end - s));
        (void) buf_append(b, GUARD, GUARD_N);
        return b->error;
}

int guard_remove(Buf *b, const char *text, size_t n) {
        const char *end = text + n, *s = text, *mark;

        while (s < end && *s == '\n')
                s++;
        if (!begins_with_guard(s, end))
                return 0;
        s += GUARD_N;
        /* A single guard is a beginning without an end. */
        if ((size_t) (end - s) < GUARD_N || memcmp(end - GUARD_N, GUARD, GUARD_N) != 0)
                return 0;
        end -= GUARD_N;

        while ((mark = next_marked(s, end)) < end) {
                (void) buf_append(b, s, (size_t) (mark + 1 - s));
                s = mark + 1;
                if (begins_with_guard(s, end))
                        s += GUARD_N;
        }
        (void) buf_append(b, s, (size_t) (end - s));
        return b->error < 0 ? b->error : 1;
}
