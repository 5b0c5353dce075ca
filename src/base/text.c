/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "base/text.h"

int text_parse_u64(const char *s, uint64_t *ret) {
        uint64_t v = 0;

        if (strnull(s))
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(v, 10U, &v) ||
                    __builtin_add_overflow(v, (uint64_t) (*s - '0'), &v))
                        return -ERANGE;
        }
        *ret = v;
        return 0;
}

int text_parse_uint(const char *s, unsigned *ret) {
        uint64_t v;
        int r;

        r = text_parse_u64(s, &v);
        if (r < 0)
                return r;
        if (v > UINT32_MAX)
                return -ERANGE;
        *ret = (unsigned) v;
        return 0;
}

int text_parse_bool(const char *s, bool *ret) {
        static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off",
                                                                                       "0" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                if (strcaseeq(s, yes[i])) {
                        *ret = true;
                        return 0;
                }
                if (strcaseeq(s, no[i])) {
                        *ret = false;
                        return 0;
                }
        }
        return -EINVAL;
}

int text_parse_size(const char *s, uint64_t *ret) {
        static const struct {
                const char *suffix;
                unsigned shift;
        } units[] = {
                { "", 0 },    { "B", 0 },    { "K", 10 },  { "KB", 10 },  { "KiB", 10 }, { "M", 20 },
                { "MB", 20 }, { "MiB", 20 }, { "G", 30 },  { "GB", 30 },  { "GiB", 30 },
        };
        char digits[21] = "";
        size_t n = strspn(s, TEXT_DIGITS);
        uint64_t v;
        int r;

        if (n == 0 || n >= sizeof(digits))
                return -EINVAL;
        memcpy(digits, s, n);
        r = text_parse_u64(digits, &v);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strcaseeq(s + n, units[i].suffix)) {
                        if (v > UINT64_MAX >> units[i].shift)
                                return -ERANGE;
                        *ret = v << units[i].shift;
                        return 0;
                }
        return -EINVAL;
}

const char *text_grouped(uint64_t value, char ret[static TEXT_GROUPED_MAX]) {
        char text[TEXT_GROUPED_MAX], *p = text + sizeof(text);

        *--p = 0;
        for (unsigned i = 0; i == 0 || value > 0; i++, value /= 10) {
                if (i > 0 && i % 3 == 0)
                        *--p = ',';
                *--p = (char) ('0' + value % 10);
        }
        memcpy(ret, p, (size_t) (text + sizeof(text) - p));
        return ret;
}

char *text_strip(char *s) {
        size_t n;

        s += strspn(s, TEXT_WHITESPACE);
        n = strlen(s);
        while (n > 0 && strchr(TEXT_WHITESPACE, s[n - 1]))
                n--;
        s[n] = 0;
        return s;
}

bool text_in_charset(const char *s, size_t n, const char *allowed) {
        if (n == 0)
                return false;
        for (size_t i = 0; i < n; i++)
                if (s[i] == 0 || !strchr(allowed, s[i]))
                        return false;
        return true;
}

size_t text_decimal(uint64_t value, char ret[static TEXT_DECIMAL_MAX]) {
        char digits[TEXT_DECIMAL_MAX], *p = digits + sizeof(digits);
        size_t n;

        do
                *--p = (char) ('0' + value % 10);
        while (value /= 10);
        n = (size_t) (digits + sizeof(digits) - p);
        memcpy(ret, p, n);
        ret[n] = 0;
        return n;
}

void text_hex(const void *p, size_t n, char *ret) {
        static const char digits[] = "0123456789abcdef";
        const uint8_t *bytes = p;

        for (size_t i = 0; i < n; i++) {
                *ret++ = digits[bytes[i] >> 4];
                *ret++ = digits[bytes[i] & 15];
        }
        *ret = 0;
}

int text_unhex(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}

int text_percent_decode(char *s) {
        char *out;

        s = out = strchrnul(s, '%');
        for (; *s; s++) {
                int hi, lo;

                if (*s != '%') {
                        *out++ = *s;
                        continue;
                }
                hi = text_unhex(s[1]);
                if (hi < 0)
                        return -EINVAL;
                lo = text_unhex(s[2]);
                if (lo < 0 || (hi == 0 && lo == 0))
                        return -EINVAL;
                *out++ = (char) (hi << 4 | lo);
                s += 2;
        }
        *out = 0;
        return 0;
}

size_t text_utf8_decode(const char *s, const char *end, uint32_t *ret) {
        const unsigned char *p = (const unsigned char *) s;
        uint32_t cp, least;
        size_t more;

        if (p[0] < 0x80)
                more = 0, cp = p[0], least = 0;
        else if (p[0] >= 0xC2 && p[0] <= 0xDF)
                more = 1, cp = p[0] & 0x1F, least = 0x80;
        else if (p[0] >= 0xE0 && p[0] <= 0xEF)
                more = 2, cp = p[0] & 0x0F, least = 0x800;
        else if (p[0] >= 0xF0 && p[0] <= 0xF4)
                more = 3, cp = p[0] & 0x07, least = 0x10000;
        else
                return 0;
        if ((size_t) (end - s) <= more)
                return 0;
        for (size_t i = 1; i <= more; i++) {
                if ((p[i] & 0xC0) != 0x80)
                        return 0;
                cp = cp << 6 | (p[i] & 0x3F);
        }
        if (cp < least || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
                return 0;
        *ret = cp;
        return more + 1;
}

static bool eight_are_ascii(const char *p) {
        uint64_t eight;

        memcpy(&eight, p, sizeof(eight));
        return (eight & 0x8080808080808080) == 0;
}

static bool block_is_ascii(const char *p) {
        uint64_t words[4];

        memcpy(words, p, sizeof(words));
        return ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080) == 0;
}

bool text_is_utf8(const char *s, size_t n) {
        const char *p = s, *end = s + n;

        while (p < end) {
                uint32_t cp;
                size_t k;

                /* Most text is ASCII. */
                if (end - p >= 32 && block_is_ascii(p)) {
                        p += 32;
                        continue;
                }
                if (end - p >= 8 && eight_are_ascii(p)) {
                        p += 8;
                        continue;
                }
                if (end - p < 8 && n >= 8 && eight_are_ascii(end - 8))
                        return true;
                k = text_utf8_decode(p, end, &cp);
                if (k == 0)
                        return false;
                p += k;
        }
        return true;
}

size_t text_utf8_prefix(const char *s, size_t max) {
        size_t n = strlen(s);

        if (n <= max)
                return n;
        n = max;
        while (n > 0 && ((unsigned char) s[n] & 0xC0) == 0x80)
                n--;
        return n;
}

static int lower(char c) {
        return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Optimal string alignment: row i has the distances of a's first i characters to each beginning of b. */
unsigned text_distance(const char *a, const char *b) {
        unsigned rows[3][TEXT_NEAR_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];
        size_t n_a = strlen(a), n_b = strlen(b);

        if (n_a > TEXT_NEAR_MAX || n_b > TEXT_NEAR_MAX)
                return UINT_MAX;
        for (size_t j = 0; j <= n_b; j++)
                last[j] = (unsigned) j;
        for (size_t i = 1; i <= n_a; i++) {
                unsigned *spare = before;

                row[0] = (unsigned) i;
                for (size_t j = 1; j <= n_b; j++) {
                        int x = lower(a[i - 1]), y = lower(b[j - 1]);

                        row[j] = MIN(MIN(last[j] + 1, row[j - 1] + 1), last[j - 1] + (x != y));
                        if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]))
                                row[j] = MIN(row[j], before[j - 2] + 1);
                }
                before = last;
                last = row;
                row = spare;
        }
        return last[n_b];
}

void text_lower(char *s, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (s[i] >= 'A' && s[i] <= 'Z')
                        s[i] = (char) (s[i] - 'A' + 'a');
}

void text_uncapitalize(char *s) {
        if (s[0] && s[1] >= 'a' && s[1] <= 'z')
                text_lower(s, 1);
}
