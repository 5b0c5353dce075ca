/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "dialect/json-view.h"

#define REPLACEMENT 0xFFFDU /* what json-c makes of half a surrogate pair */

/* --- where things end --- */

static const char *skip_space(const char *p, const char *end) {
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
                p++;
        return p;
}

/* Behind the closing quote; p is at the opening one. */
static const char *skip_string(const char *p, const char *end) {
        const char *begin = p + 1, *quote;

        for (p = begin; p < end; p = quote + 1) {
                const char *back;

                quote = memchr(p, '"', (size_t) (end - p));
                if (!quote)
                        break;
                for (back = quote; back > begin && back[-1] == '\\'; back--)
                        ;
                if ((quote - back) % 2 == 0)
                        return quote + 1;
        }
        return end;
}

/* Behind the closing bracket; p is at the opening one. Of what is inside only strings and brackets count. */
static const char *skip_container(const char *p, const char *end) {
        static const bool counts[256] = {
                ['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true,
        };
        size_t depth = 0;

        for (;;) {
                while (p < end && !counts[(unsigned char) *p])
                        p++;
                if (p >= end)
                        return end;
                if (*p == '"')
                        p = skip_string(p, end);
                else if (*p == '{' || *p == '[') {
                        depth++;
                        p++;
                } else {
                        p++;
                        if (--depth == 0)
                                return p;
                }
        }
}

/* Behind the value at p. */
static const char *skip_value(const char *p, const char *end) {
        if (p < end && (*p == '{' || *p == '['))
                return skip_container(p, end);
        if (p < end && *p == '"')
                return skip_string(p, end);
        while (p < end && *p > ' ' && *p != ',' && *p != ']' && *p != '}')
                p++;
        return p;
}

JsonView json_view(const char *s, size_t n) {
        const char *p = skip_space(s, s + n);

        return p < s + n ? (JsonView){ p, skip_value(p, s + n) } : (JsonView){};
}

/* --- members and elements --- */

JsonWalk json_walk(JsonView v) {
        bool object = json_view_is(v, '{');

        if ((!object && !json_view_is(v, '[')) || v.end - v.p < 2)
                return (JsonWalk){};
        return (JsonWalk){ .p = v.p + 1, .end = v.end - 1, .object = object };
}

JsonWalk json_walk_array(JsonView v) {
        return json_view_is(v, '[') ? json_walk(v) : (JsonWalk){};
}

bool json_walk_next(JsonWalk *w, JsonView *ret_key, JsonView *ret) {
        const char *p = skip_space(w->p, w->end);
        JsonView key = {};

        if (p < w->end && w->object) {
                key = (JsonView){ p, skip_value(p, w->end) };
                p = skip_space(key.end, w->end);
                if (p < w->end)
                        p = skip_space(p + 1, w->end); /* the colon */
        }
        if (p >= w->end)
                return false;
        *ret = (JsonView){ p, skip_value(p, w->end) };
        if (ret->p == ret->end)
                return false;
        if (ret_key)
                *ret_key = key;
        p = skip_space(ret->end, w->end);
        w->p = p < w->end ? p + 1 : p; /* the comma */
        return true;
}

void json_view_pick(JsonView object, const JsonPick *picks, size_t n) {
        JsonWalk w = json_walk(object);
        JsonView key, v;

        for (size_t i = 0; i < n; i++)
                *picks[i].ret = (JsonView){};
        while (w.object && json_walk_next(&w, &key, &v))
                for (size_t i = 0; i < n; i++)
                        if (json_view_equals(key, picks[i].key)) {
                                *picks[i].ret = v;
                                break;
                        }
}

JsonView json_view_get(JsonView object, const char *key) {
        JsonView found;

        json_view_pick(object, &(JsonPick){ key, &found }, 1);
        return found;
}

/* --- strings --- */

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

/* The character that the escape at *p stands for; *p is then behind it. */
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

/* The text of a string in pieces: as it stands there, or what an escape stands for. */
typedef struct Pieces {
        const char *p, *end;
        char escape[4];
} Pieces;

static Pieces pieces_of(JsonView v) {
        if (!json_view_is(v, '"') || v.end - v.p < 2)
                return (Pieces){};
        return (Pieces){ .p = v.p + 1, .end = v.end - 1 };
}

static bool next_piece(Pieces *i, const char **ret, size_t *ret_n) {
        const char *begin = i->p, *stop;

        if (begin == i->end)
                return false;
        if (*begin == '\\') {
                *ret_n = encode(unescape(&i->p, i->end), i->escape);
                *ret = i->escape;
                return true;
        }
        stop = memchr(begin, '\\', (size_t) (i->end - begin));
        i->p = stop ?: i->end;
        *ret = begin;
        *ret_n = (size_t) (i->p - begin);
        return true;
}

bool json_view_equals(JsonView v, const char *s) {
        Pieces i = pieces_of(v);
        size_t n, n_piece;
        const char *piece;

        if (!i.p || (*i.p != *s && *i.p != '\\' && i.p < i.end)) /* most differ in the first byte */
                return false;
        n = strlen(s);
        while (next_piece(&i, &piece, &n_piece)) {
                if (n_piece > n || memcmp(piece, s, n_piece) != 0)
                        return false;
                s += n_piece;
                n -= n_piece;
        }
        return n == 0;
}

int json_view_append(JsonView v, Buf *out) {
        Pieces i = pieces_of(v);
        const char *piece;
        size_t n;

        while (next_piece(&i, &piece, &n))
                (void) buf_append(out, piece, n);
        return out->error;
}

void json_view_copy(JsonView v, char *ret, size_t size) {
        Pieces i = pieces_of(v);
        const char *piece;
        size_t n = 0, k;

        while (n + 1 < size && next_piece(&i, &piece, &k)) {
                k = MIN(strnlen(piece, k), size - 1 - n);
                memcpy(ret + n, piece, k);
                n += k;
                if (k == 0)
                        break; /* a NUL */
        }
        ret[n] = 0;
}

bool json_view_is_empty(JsonView v) {
        return json_view_is(v, '"') && v.end - v.p == 2;
}

uint64_t json_view_count(JsonView v) {
        const char *p = v.p, *end = v.end;
        bool large = false;
        uint64_t u = 0;

        if (json_view_is(v, '"') && end - p >= 2) {
                p++;
                end--;
        }
        if (p == end)
                return 0;
        for (; p < end; p++) {
                unsigned digit = (unsigned) (unsigned char) *p - '0';

                if (digit > 9)
                        return 0;
                large = large || __builtin_mul_overflow(u, 10, &u) || __builtin_add_overflow(u, digit, &u);
        }
        return large ? UINT64_MAX : u;
}
