/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json/copy.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* The length of the escape at p if it is a whole one, otherwise 0. */
static size_t escape_length(const char *p, const char *end) {
        size_t n = end - p >= 2 && p[1] == 'u' ? 6 : 2;

        return (size_t) (end - p) >= n ? n : 0;
}

/* Of a \u escape: whether it is a high (D8 to DB) or a low (DC to DF) surrogate. */
static bool is_surrogate(const char *p, bool low) {
        return (p[2] | 0x20) == 'd' && strchr(low ? "cdefCDEF" : "89abAB", p[3]);
}

/* Writes the escape at p, and returns where it ends. */
static const char *copy_escape(Buf *b, const char *p, const char *end) {
        size_t n = escape_length(p, end);

        if (n == 0) {
                (void) buf_puts(b, REPLACEMENT);
                return end;
        }
        if (n == 6 && is_surrogate(p, false) && escape_length(p + 6, end) == 6 && p[6] == '\\' &&
            is_surrogate(p + 6, true))
                n = 12;
        else if (n == 6 && (is_surrogate(p, false) || is_surrogate(p, true))) {
                (void) buf_puts(b, REPLACEMENT);
                return p + 6;
        }
        (void) buf_append(b, p, n);
        return p + n;
}

void json_copy_escaped(Buf *b, JsonView string) {
        const char *p, *end, *stop;

        if (!json_view_is(string, '"'))
                return;
        p = string.p + 1;
        end = json_view_string_end(string);
        while (p < end) {
                stop = memchr(p, '\\', (size_t) (end - p)) ?: end;
                jwrite_escape(b, p, (size_t) (stop - p));
                p = stop < end ? copy_escape(b, stop, end) : end;
        }
}

void json_copy_string(JWriter *w, const char *key, JsonView string) {
        jwrite_raw_n(w, key, "\"", 1);
        json_copy_escaped(w->buf, string);
        (void) buf_putc(w->buf, '"');
}

void json_copy_name(JWriter *w, JsonView string) {
        json_copy_string(w, NULL, string);
        (void) buf_putc(w->buf, ':');
        w->comma = false;
}

/* Only a surrogate needs a look: anything else of a checked text is good as it is. */
static void copy_checked(Buf *b, const char *start, const char *end) {
        const char *next;

        for (const char *p = start; (p = memchr(p, '\\', (size_t) (end - p))); p = next) {
                size_t n = escape_length(p, end);

                next = p + (n > 0 ? n : (size_t) (end - p));
                if (n != 6 || (!is_surrogate(p, false) && !is_surrogate(p, true)))
                        continue;
                (void) buf_append(b, start, (size_t) (p - start));
                start = next = copy_escape(b, p, end);
        }
        (void) buf_append(b, start, (size_t) (end - start));
}

void json_copy_value(JWriter *w, const char *key, JsonView v) {
        assert(v.p);

        jwrite_raw_n(w, key, "", 0);
        copy_checked(w->buf, v.p, v.end);
}

void json_copy_inside(JWriter *w, const char *key, JsonView v) {
        jwrite_raw_n(w, key, "\"", 1);
        if (v.p)
                copy_checked(w->buf, v.p, v.end);
        (void) buf_putc(w->buf, '"');
}

void json_append_compact(JsonView v, Buf *out) {
        const char *start = v.p;
        bool quoted = false;

        for (const char *p = v.p; p < v.end; p++)
                if (quoted) {
                        if (*p == '\\')
                                p++;
                        else if (*p == '"')
                                quoted = false;
                } else if (*p == '"')
                        quoted = true;
                else if (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') {
                        (void) buf_append(out, start, (size_t) (p - start));
                        start = p + 1;
                }
        (void) buf_append(out, start, (size_t) (v.end - start));
}

/* What json_copy_as_string() does with a byte. */
typedef enum ByteKind {
        BYTE_PLAIN,
        BYTE_SPACE,
        BYTE_QUOTE,
        BYTE_BACKSLASH,
        BYTE_RARE, /* controls, and what is beyond ASCII: the writer looks at them */
} ByteKind;

static const uint8_t byte_kinds[256] = {
        [0 ... ' ' - 1] = BYTE_RARE, [' '] = BYTE_SPACE, ['"'] = BYTE_QUOTE, ['\\'] = BYTE_BACKSLASH,
        [0x7F + 1 ... 0xFF] = BYTE_RARE,
};

#define BLOCK 128U /* bytes for which room is made at a time */

/* Up to a block, or to a rare byte; returns where it ends. A byte becomes two at most, and an escape of two
 * bytes, which may lie across the block's end, four. */
static const char *copy_block(Buf *b, const char *p, const char *end, bool *quoted) {
        const char *stop = p + MIN((size_t) (end - p), (size_t) BLOCK);
        char *to;

        if (buf_reserve(b, 2 * (size_t) (stop - p) + 2) < 0)
                return end;
        to = buf_data(b) + b->n;
        for (; p < stop; p++) {
                ByteKind kind = byte_kinds[(unsigned char) *p];

                if (kind == BYTE_PLAIN) { /* nearly always */
                        *to++ = *p;
                        continue;
                }
                if (kind == BYTE_RARE)
                        break;
                if (kind == BYTE_SPACE && !*quoted)
                        continue;
                if (kind >= BYTE_QUOTE)
                        *to++ = '\\';
                *to++ = *p;
                if (kind == BYTE_QUOTE)
                        *quoted = !*quoted;
                else if (kind == BYTE_BACKSLASH && p + 1 < end) {
                        if (*++p == '"' || *p == '\\')
                                *to++ = '\\';
                        *to++ = *p;
                }
        }
        b->n = (size_t) (to - buf_data(b));
        return p;
}

/* Bytes beyond ASCII, which are whole characters, or one control, which is white space between tokens. */
static const char *copy_rare(Buf *b, const char *p, const char *end, bool quoted) {
        const char *start = p;

        while (p < end && (unsigned char) *p >= 0x80)
                p++;
        if (p > start)
                jwrite_escape(b, start, (size_t) (p - start));
        else if (p < end && byte_kinds[(unsigned char) *p] == BYTE_RARE) {
                if (quoted)
                        jwrite_escape(b, p, 1);
                p++;
        }
        return p;
}

void json_copy_as_string(JWriter *w, const char *key, JsonView v) {
        const char *p = v.p;
        bool quoted = false;

        jwrite_raw_n(w, key, "\"", 1);
        while (p < v.end) {
                p = copy_block(w->buf, p, v.end, &quoted);
                p = copy_rare(w->buf, p, v.end, quoted);
        }
        (void) buf_putc(w->buf, '"');
}
