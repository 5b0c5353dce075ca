/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <stdio.h>

#include "base/json/write.h"
#include "base/text.h"

/* Length of the well-formed UTF-8 sequence at s, or 0. */
static size_t utf8_length(const char *s, size_t n) {
        unsigned char c = (unsigned char) *s;
        size_t k = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

        return k <= n && text_is_utf8(s, k) ? k : 0;
}

/* The escape of a character that some readers treat as the end of a line, or NULL. */
static const char *line_end_escape(const char *s, size_t k) {
        static const struct {
                char bytes[4], escape[7];
        } rows[] = {
                { "\xC2\x85", "\\u0085" },
                { "\xE2\x80\xA8", "\\u2028" },
                { "\xE2\x80\xA9", "\\u2029" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (*s == *rows[i].bytes && strncmp(s, rows[i].bytes, k) == 0)
                        return rows[i].escape;
        return NULL;
}

/* Of eight bytes, the first in the lowest place: which need a look. The lowest bit that is set is in the
 * first byte that is below 0x20, a quote, a backslash, or beyond ASCII; above it there may be others, by
 * what was borrowed. */
static inline uint64_t look_at(uint64_t v) {
        const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
        uint64_t quote = v ^ ones * '"', backslash = v ^ ones * '\\';

        return ((v - ones * 0x20) | (quote - ones) | (backslash - ones) | v) & tops;
}

static inline uint64_t read_eight(const char *s) {
        uint64_t v;

        memcpy(&v, s, 8);
        return le64toh(v);
}

/* Fewer than eight bytes, and at least one; the places behind them are zero. */
static inline uint64_t read_few(const char *s, size_t n) {
        uint32_t first, last;

        if (n < 4)
                return (uint64_t) (unsigned char) s[0] | (uint64_t) (unsigned char) s[n / 2] << 8 * (n / 2) |
                       (uint64_t) (unsigned char) s[n - 1] << 8 * (n - 1);
        memcpy(&first, s, 4);
        memcpy(&last, s + n - 4, 4);
        return le32toh(first) | (uint64_t) le32toh(last) << 8 * (n - 4);
}

/* How many of the n bytes at s need no escape; eight at a time, since nearly all of them need none. */
static inline size_t plain_length(const char *s, size_t n) {
        uint64_t look;
        size_t i;

        for (i = 0; i + 8 <= n; i += 8) {
                look = look_at(read_eight(s + i));
                if (look != 0)
                        return i + (size_t) __builtin_ctzll(look) / 8;
        }
        if (i == n)
                return n;
        /* The zeros behind the last bytes end them. */
        return i + (size_t) __builtin_ctzll(look_at(read_few(s + i, n - i))) / 8;
}

void jwrite_escape(Buf *b, const char *s, size_t n) {
        static const char hex[] = "0123456789abcdef";
        size_t start = 0, i = 0;

        for (;;) {
                char escape[6] = "\\u00";
                unsigned char c;
                size_t k;

                i += plain_length(s + i, n - i);
                if (i == n)
                        break;
                c = (unsigned char) s[i];
                if (c >= 0x80) {
                        const char *line_end;

                        k = utf8_length(s + i, n - i);
                        line_end = k > 0 ? line_end_escape(s + i, k) : NULL;
                        if (line_end) {
                                (void) buf_append(b, s + start, i - start);
                                (void) buf_append(b, line_end, 6);
                                start = i + k;
                        }
                        if (k > 0) {
                                i += k;
                                continue;
                        }
                }

                (void) buf_append(b, s + start, i - start);
                if (c >= 0x80)
                        (void) buf_puts(b, "\xEF\xBF\xBD");
                else if (c == '"' || c == '\\')
                        (void) buf_append(b, (char[]){ '\\', (char) c }, 2);
                else if (c == '\n')
                        (void) buf_append(b, "\\n", 2);
                else if (c == '\r')
                        (void) buf_append(b, "\\r", 2);
                else if (c == '\t')
                        (void) buf_append(b, "\\t", 2);
                else {
                        escape[4] = hex[c >> 4];
                        escape[5] = hex[c & 15];
                        (void) buf_append(b, escape, 6);
                }
                start = ++i;
        }
        (void) buf_append(b, s + start, n - start);
}

void jwrite_quote(Buf *b, const char *s, size_t n) {
        size_t plain = plain_length(s, n);
        char *p;

        if (plain == n) { /* nearly always */
                p = buf_room(b, n + 2);
                if (!p)
                        return;
                p[0] = p[n + 1] = '"';
                if (n > 0)
                        memcpy(p + 1, s, n);
                b->n += n + 2;
                return;
        }

        (void) buf_putc(b, '"');
        (void) buf_append(b, s, plain);
        jwrite_escape(b, s + plain, n - plain);
        (void) buf_putc(b, '"');
}

void jwrite_begin_plain(JWriter *w, const char *key, size_t n) {
        Buf *b = w->buf;
        char *p = buf_room(b, n + 3 + w->comma);

        if (!p)
                return;
        if (w->comma)
                *p++ = ',';
        w->comma = true;
        *p++ = '"';
        p = mempcpy(p, key, n);
        *p++ = '"';
        *p++ = ':';
        b->n = (size_t) (p - buf_data(b));
}

void jwrite_begin_any(JWriter *w, const char *key) {
        if (w->comma)
                (void) buf_putc(w->buf, ',');
        w->comma = true;
        if (key) {
                jwrite_quote(w->buf, key, strlen(key));
                (void) buf_putc(w->buf, ':');
        }
}

void jwrite_name_n(JWriter *w, const char *name, size_t n) {
        jwrite_begin_any(w, NULL);
        jwrite_quote(w->buf, name, n);
        (void) buf_putc(w->buf, ':');
        w->comma = false;
}

void jwrite_open(JWriter *w, bool object) {
        assert(w->depth < JWRITE_DEPTH_MAX);

        (void) buf_putc(w->buf, object ? '{' : '[');
        w->kind = w->kind << 1 | object;
        w->depth++;
        w->comma = false;
}

void jwrite_end(JWriter *w) {
        assert(w->depth > 0);

        (void) buf_putc(w->buf, w->kind & 1 ? '}' : ']');
        w->kind >>= 1;
        w->depth--;
        w->comma = true;
}

void jwrite_end_unless_empty(JWriter *w, const JWriter *before, size_t n) {
        if (w->comma) {
                jwrite_end(w);
                return;
        }
        *w = *before;
        w->buf->n = n;
}

void jwrite_text(Buf *b, const char *value) {
        if (value)
                jwrite_quote(b, value, strlen(value));
        else
                (void) buf_append(b, "null", 4);
}

void jwrite_digits(Buf *b, uint64_t value) {
        char digits[TEXT_DECIMAL_MAX];

        (void) buf_append(b, digits, text_decimal(value, digits));
}

void jwrite_raw_n(JWriter *w, const char *key, const char *json, size_t n) {
        jwrite_begin_any(w, key);
        (void) buf_append(w->buf, json, n);
}

void jwrite_raw(JWriter *w, const char *key, const char *json) {
        jwrite_raw_n(w, key, json, strlen(json));
}

void jwrite_int(JWriter *w, const char *key, int64_t value) {
        char digits[1 + TEXT_DECIMAL_MAX] = "-";
        size_t n = value < 0;

        n += text_decimal(value < 0 ? -(uint64_t) value : (uint64_t) value, digits + n);
        jwrite_raw_n(w, key, digits, n);
}

void jwrite_bool(JWriter *w, const char *key, bool value) {
        jwrite_raw(w, key, value ? "true" : "false");
}

void jwrite_fixed(JWriter *w, const char *key, double value, unsigned decimals) {
        jwrite_begin_any(w, key);
        (void) buf_printf(w->buf, "%.*f", (int) decimals, value);
}

void jwrite_short(JWriter *w, const char *key, double value) {
        char s[400]; /* of the largest double */
        size_t n = (size_t) snprintf(s, sizeof(s), "%.6f", value);

        while (n > 1 && s[n - 1] == '0')
                n--;
        n -= s[n - 1] == '.';
        jwrite_raw_n(w, key, s, n);
}
