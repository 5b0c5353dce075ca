/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/json/cursor.h"

#define REPLACEMENT 0xFFFDU /* json-c's result for half a surrogate pair */

static unsigned hex4(const char *p) {
        unsigned code = 0;

        for (unsigned i = 0; i < 4; i++)
                code = code << 4 | (unsigned) ((p[i] & 15) + (p[i] > '9' ? 9 : 0));
        return code;
}

static size_t encode(unsigned code, char ret[static 4]) {
        if (code < 0x80) {
                ret[0] = (char) code;
                return 1;
        }
        if (code < 0x800) {
                ret[0] = (char) (0xC0 | code >> 6);
                ret[1] = (char) (0x80 | (code & 0x3F));
                return 2;
        }
        if (code < 0x10000) {
                ret[0] = (char) (0xE0 | code >> 12);
                ret[1] = (char) (0x80 | (code >> 6 & 0x3F));
                ret[2] = (char) (0x80 | (code & 0x3F));
                return 3;
        }
        ret[0] = (char) (0xF0 | code >> 18);
        ret[1] = (char) (0x80 | (code >> 12 & 0x3F));
        ret[2] = (char) (0x80 | (code >> 6 & 0x3F));
        ret[3] = (char) (0x80 | (code & 0x3F));
        return 4;
}

/* The character of the escape at *p; *p then points behind the escape. */
static unsigned unescape(const char **p, const char *end) {
        static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
        const char *s = *p, *letter;
        unsigned code, low;

        if (end - s < 2 || (s[1] == 'u' && end - s < 6)) {
                *p = end;
                return REPLACEMENT;
        }
        if (s[1] != 'u') {
                *p = s + 2;
                letter = memchr(letters, s[1], sizeof(letters) - 1);
                return (unsigned char) (letter ? meant[letter - letters] : s[1]);
        }
        code = hex4(s + 2);
        *p = s += 6;
        if (code < 0xD800 || code > 0xDFFF)
                return code;
        if (code > 0xDBFF || end - s < 6 || s[0] != '\\' || s[1] != 'u')
                return REPLACEMENT;
        low = hex4(s + 2);
        if (low < 0xDC00 || low > 0xDFFF)
                return REPLACEMENT;
        *p = s + 6;
        return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

/* False for a string that is cut off: it has no closing quote, or ends with an escaped one. */
static bool is_closed(JsonView v) {
        const char *back = v.end - 1;

        if (v.end - v.p < 2 || *back != '"')
                return false;
        while (back > v.p + 1 && back[-1] == '\\')
                back--;
        return (v.end - 1 - back) % 2 == 0;
}

const char *json_view_string_end(JsonView v) {
        return v.end - is_closed(v);
}

JsonText json_text(JsonView v) {
        if (!json_view_is(v, '"'))
                return (JsonText){};
        return (JsonText){ .p = v.p + 1, .end = json_view_string_end(v) };
}

bool json_text_next(JsonText *t, const char **ret, size_t *ret_n) {
        const char *begin = t->p, *stop;

        if (begin == t->end)
                return false;
        if (*begin == '\\') {
                *ret_n = encode(unescape(&t->p, t->end), t->escape);
                *ret = t->escape;
                return true;
        }
        stop = memchr(begin, '\\', (size_t) (t->end - begin));
        t->p = stop ?: t->end;
        *ret = begin;
        *ret_n = (size_t) (t->p - begin);
        return true;
}

bool json_view_equals(JsonView v, const char *s) {
        JsonText i = json_text(v);

        if (!i.p || (*i.p != *s && *i.p != '\\' && i.p < i.end)) /* most differ in the first byte */
                return false;
        return json_view_equals_n(v, s, strlen(s));
}

bool json_view_equals_n(JsonView v, const char *s, size_t n) {
        JsonText i = json_text(v);
        const char *piece;
        size_t n_piece;

        if (!i.p)
                return false;
        while (json_text_next(&i, &piece, &n_piece)) {
                if (n_piece > n || memcmp(piece, s, n_piece) != 0)
                        return false;
                s += n_piece;
                n -= n_piece;
        }
        return n == 0;
}

int json_view_append(JsonView v, Buf *out) {
        JsonText i = json_text(v);
        const char *piece;
        size_t n;

        while (json_text_next(&i, &piece, &n))
                (void) buf_append(out, piece, n);
        return out->error;
}

void json_view_copy(JsonView v, char *ret, size_t size) {
        JsonText i = json_text(v);
        const char *piece;
        size_t n = 0, k;

        while (n + 1 < size && json_text_next(&i, &piece, &k)) {
                k = MIN(strnlen(piece, k), size - 1 - n);
                memcpy(ret + n, piece, k);
                n += k;
                if (k == 0)
                        break; /* a NUL */
        }
        ret[n] = 0;
}

bool json_view_is_empty(JsonView v) {
        return json_view_is(v, '"') && v.end - v.p - is_closed(v) == 1;
}

/* A number with a fraction or an exponent that is whole nevertheless. */
static bool read_whole(const char *p, size_t n, uint64_t *ret) {
        char text[32], *end;
        double d;

        if (n >= sizeof(text) || strspn((char[]){ *p, 0 }, "0123456789") == 0)
                return false;
        memcpy(text, p, n);
        text[n] = 0;
        if (strspn(text, "0123456789.eE+-") != n)
                return false;
        d = strtod(text, &end);
        if (*end || !(d >= 0 && d < 0x1p53) || (double) (uint64_t) d != d)
                return false;
        *ret = (uint64_t) d;
        return true;
}

bool json_view_is_count(JsonView v, uint64_t *ret) {
        const char *p = v.p, *end = v.end, *first;
        bool large = false;
        uint64_t u = 0;

        if (json_view_is(v, '"')) {
                p++;
                end -= is_closed(v);
        }
        if (p >= end)
                return false;
        for (first = p; p < end; p++) {
                unsigned digit = (unsigned) (unsigned char) *p - '0';

                if (digit > 9)
                        return read_whole(first, (size_t) (end - first), ret);
                large = large || __builtin_mul_overflow(u, 10, &u) || __builtin_add_overflow(u, digit, &u);
        }
        *ret = large ? UINT64_MAX : u;
        return true;
}

uint64_t json_view_count(JsonView v) {
        uint64_t u;

        return json_view_is_count(v, &u) ? u : 0;
}

/* A number of at most 15 digits without an exponent is the quotient of two numbers that a double has
 * exactly, so it is rounded once, as by strtod(), which takes several times as long. An answer with vectors
 * has 300,000 of them. */
static bool read_short(JsonView v, double *ret) {
        static const double powers[] = {
                1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
        };
        const char *p = v.p + (*v.p == '-');
        unsigned n_digits = 0, n_decimals = 0;
        bool has_point = false;
        uint64_t digits = 0;

        for (; p < v.end; p++) {
                if (*p == '.' && !has_point) {
                        has_point = true;
                        continue;
                }
                if (*p < '0' || *p > '9' || n_digits == 15)
                        return false;
                digits = 10 * digits + (unsigned) (*p - '0');
                n_digits += digits > 0;
                n_decimals += has_point;
        }
        if (n_decimals >= ELEMENTSOF(powers))
                return false;
        *ret = (double) digits / powers[n_decimals];
        if (*v.p == '-')
                *ret = -*ret;
        return true;
}

bool json_view_is_double(JsonView v, double *ret) {
        char text[64], *long_text = NULL, *copy = text;
        size_t n = (size_t) (v.end - v.p);

        if (!json_view_is_number(v))
                return false;
        if (read_short(v, ret))
                return true;
        if (n >= sizeof(text)) {
                copy = long_text = malloc(n + 1);
                if (!copy)
                        return false;
        }
        memcpy(copy, v.p, n);
        copy[n] = 0;
        *ret = strtod(copy, NULL);
        free(long_text);
        return true;
}

bool json_view_is_digits(JsonView number) {
        size_t n = (size_t) (number.end - number.p);

        return !memchr(number.p, '.', n) && !memchr(number.p, 'e', n) && !memchr(number.p, 'E', n);
}
