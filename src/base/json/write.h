/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes JSON straight into a Buf. The writer adds commas and tracks nesting, so that the code of a route
 * looks like the JSON that it sends. json-c does the parsing; for output it would build a tree only to free
 * it. `key` is NULL inside arrays and at the top. Errors are the buffer's own, sticky: look at buf->error
 * once, at the end.
 *
 * Strings are escaped by RFC 8259; bytes that are not UTF-8 become U+FFFD, so that the output always is.
 * Unicode's line ends (U+0085, U+2028, U+2029) are escaped, too: some clients cut an event stream into
 * lines at them.
 */

#include "base/buf.h"

typedef struct JWriter JWriter;

#define JWRITE_DEPTH_MAX 64U /* one bit each; the check of a text allows as many */

struct JWriter {
        Buf *buf;
        uint64_t kind; /* a bit a level: 1 object, 0 array */
        unsigned depth;
        bool comma;
};

#define JWRITER_INIT(b) ((JWriter){ .buf = (b) })

/* What is before each value: a comma, and the name of a member. The compiler knows the length of a constant
 * name, and that it needs no escape. */
void jwrite_begin_any(JWriter *w, const char *key);
void jwrite_begin_plain(JWriter *w, const char *key, size_t n);

static _always_inline_ void jwrite_begin(JWriter *w, const char *key) {
        if (__builtin_constant_p(key && !strpbrk(key, "\"\\")) && key && !strpbrk(key, "\"\\"))
                jwrite_begin_plain(w, key, strlen(key));
        else
                jwrite_begin_any(w, key);
}

void jwrite_open(JWriter *w, bool object);

static _always_inline_ void jwrite_object(JWriter *w, const char *key) {
        jwrite_begin(w, key);
        jwrite_open(w, true);
}

static _always_inline_ void jwrite_array(JWriter *w, const char *key) {
        jwrite_begin(w, key);
        jwrite_open(w, false);
}

void jwrite_end(JWriter *w); /* closes what was opened last */

/* Closes what was opened last. If nothing is in it, takes it back: `before` is a copy of the writer from
 * before the opening, and `n` what the buffer held then. */
void jwrite_end_unless_empty(JWriter *w, const JWriter *before, size_t n);

/* The parts that the others use: a quoted, escaped string; and the same without quotes. */
void jwrite_quote(Buf *b, const char *s, size_t n);
void jwrite_escape(Buf *b, const char *s, size_t n);
void jwrite_digits(Buf *b, uint64_t value);
void jwrite_text(Buf *b, const char *value);

/* NULL writes null */
static _always_inline_ void jwrite_string(JWriter *w, const char *key, const char *value) {
        jwrite_begin(w, key);
        jwrite_text(w->buf, value);
}

static _always_inline_ void jwrite_string_n(JWriter *w, const char *key, const char *value, size_t n) {
        jwrite_begin(w, key);
        jwrite_quote(w->buf, value, n);
}

static _always_inline_ void jwrite_uint(JWriter *w, const char *key, uint64_t value) {
        jwrite_begin(w, key);
        jwrite_digits(w->buf, value);
}

void jwrite_int(JWriter *w, const char *key, int64_t value);
void jwrite_bool(JWriter *w, const char *key, bool value);

static _always_inline_ void jwrite_null(JWriter *w, const char *key) {
        jwrite_begin(w, key);
        (void) buf_append(w->buf, "null", 4);
}

void jwrite_fixed(JWriter *w, const char *key, double value, unsigned decimals);
void jwrite_short(JWriter *w, const char *key, double value); /* at most six decimals, no zeros at the end */
void jwrite_raw(JWriter *w, const char *key, const char *json); /* already JSON */
void jwrite_raw_n(JWriter *w, const char *key, const char *json, size_t n);

/* The name of a member, whose value the next call writes with the key NULL. For names that are no constant:
 * a client's may hold a NUL. */
void jwrite_name_n(JWriter *w, const char *name, size_t n);
