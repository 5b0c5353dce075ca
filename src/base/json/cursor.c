/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json/cursor.h"
#include "base/json/scan.h"

#define SHORT_STRING 64U

/* --- where things end, by looking at them --- */

static const char *skip_space(const char *p, const char *end) {
        while (p < end && (unsigned char) *p <= ' ' &&
               (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
                p++;
        return p;
}

/* Behind the closing quote; p is at the opening one. */
static const char *scan_string(const char *p, const char *end) {
        const char *begin = p + 1, *quote;

        /* Nearly all strings are short and without a backslash. For a long one memchr() is faster. */
        if (end - begin > (ptrdiff_t) SHORT_STRING) {
                p = json_skip_plain(begin, begin + SHORT_STRING);
                if (*p == '"')
                        return p + 1;
        }
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

/* Behind the closing bracket; p is at the opening one. */
static const char *scan_container(const char *p, const char *end) {
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
                        p = scan_string(p, end);
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

/* A number, true, false or null: they are short. */
static const char *scan_word(const char *p, const char *end) {
        while (p < end && (unsigned char) *p > ' ' && *p != ',' && *p != ']' && *p != '}')
                p++;
        return p;
}

/* The value at p, of which there is at least one byte. */
static JsonView view_at(const char *p, const char *end) {
        if (*p == '"')
                return (JsonView){ .p = p, .end = scan_string(p, end) };
        if (*p == '{' || *p == '[')
                return (JsonView){ .p = p, .end = scan_container(p, end) };
        return (JsonView){ .p = p, .end = scan_word(p, end) };
}

JsonView json_view(const char *s, size_t n) {
        const char *p = skip_space(s, s + n);

        return p < s + n ? view_at(p, s + n) : (JsonView){};
}

char json_first(const char *s, size_t n) {
        const char *p = skip_space(s, s + n);

        return p < s + n ? *p : 0;
}

/* --- where things end, by the index --- */

/* The value whose words are at *index, which then has those of the next. `end` is the text's, or that of
 * what the value is in. */
static inline JsonView indexed_at(const char *base, const char *end, const uint32_t **index) {
        const uint32_t *words = *index;
        const char *p = base + words[0];

        if (*p == '"') {
                *index += JSON_INDEX_STRING;
                return (JsonView){ .p = p, .end = p + words[1] };
        }
        if (*p == '{' || *p == '[') {
                *index += JSON_INDEX_CONTAINER + words[2];
                return (JsonView){ .p = p, .end = p + words[1], .index = words + JSON_INDEX_CONTAINER };
        }
        *index += 1;
        return (JsonView){ .p = p, .end = scan_word(p, end) };
}

static inline void skip_indexed(const char *base, const uint32_t **index) {
        char first = base[(*index)[0]];

        *index += first == '{' || first == '[' ? JSON_INDEX_CONTAINER + (*index)[2]
                  : first == '"'               ? JSON_INDEX_STRING
                                               : 1;
}

JsonView json_view_indexed(const JsonIndex *x, const char *s, size_t n) {
        const uint32_t *index = x->words;

        return indexed_at(s, s + n, &index);
}

static inline const uint32_t *index_end(const uint32_t *inside) {
        return inside + inside[-1];
}

/* --- one after the other --- */

JsonCursor json_enter(JsonView v) {
        bool is_object = json_view_is(v, '{');

        if (!is_object && !json_view_is(v, '['))
                return (JsonCursor){};
        return (JsonCursor){
                .p = v.index ? v.p : v.p + 1,
                .end = v.end,
                .index = v.index,
                .index_end = v.index ? index_end(v.index) : NULL,
                .is_object = is_object,
        };
}

JsonCursor json_enter_array(JsonView v) {
        return json_view_is(v, '[') ? json_enter(v) : (JsonCursor){};
}

JsonCursor json_cursor(const char *s, size_t n) {
        return (JsonCursor){ .p = s, .end = s + n };
}

static bool is_closing(const char *p, const char *end) {
        return p == end || *p == '}' || *p == ']';
}

/* Moves the cursor to the next value. Without one it stays at the closing bracket, at invalid JSON, or at
 * the end of the text. */
bool json_step(JsonCursor *c, JsonView *ret_name) {
        JsonView name = {};

        assert(!c->index);
        c->p = skip_space(c->p, c->end);
        if (c->has_begun && !is_closing(c->p, c->end)) {
                if (*c->p != ',')
                        return false;
                c->p = skip_space(c->p + 1, c->end);
        }
        c->has_begun = true;
        if (is_closing(c->p, c->end))
                return false;
        if (c->is_object) {
                if (*c->p != '"')
                        return false;
                name = view_at(c->p, c->end);
                c->p = skip_space(name.end, c->end);
                if (c->p == c->end || *c->p != ':')
                        return false;
                c->p = skip_space(c->p + 1, c->end);
                if (is_closing(c->p, c->end))
                        return false;
        }
        if (ret_name)
                *ret_name = name;
        return true;
}

JsonView json_take(JsonCursor *c) {
        JsonView v = view_at(c->p, c->end);

        c->p = v.end;
        return v;
}

static bool next_indexed(JsonCursor *c, JsonView *ret_name, JsonView *ret) {
        JsonView name = {};

        if (c->index == c->index_end)
                return false;
        if (c->is_object)
                name = indexed_at(c->p, c->end, &c->index);
        *ret = indexed_at(c->p, c->end, &c->index);
        if (ret_name)
                *ret_name = name;
        return true;
}

bool json_next(JsonCursor *c, JsonView *ret_name, JsonView *ret) {
        if (c->index)
                return next_indexed(c, ret_name, ret);
        if (!json_step(c, ret_name))
                return false;
        *ret = json_take(c);
        return ret->p < ret->end;
}

bool json_is_at(const JsonCursor *c, char first) {
        return c->p < c->end && *c->p == first;
}

JsonCursor json_descend(const JsonCursor *c) {
        assert(json_is_at(c, '{') || json_is_at(c, '['));
        return (JsonCursor){
                .p = c->p + 1,
                .end = c->end,
                .is_object = *c->p == '{',
        };
}

void json_leave(JsonCursor *c, JsonCursor *inner) {
        while (json_step(inner, NULL))
                (void) json_take(inner);
        c->p = is_closing(inner->p, inner->end) && inner->p < inner->end ? inner->p + 1 : inner->end;
}

/* --- by name --- */

/* Nearly always a name is written without an escape, which the names of members do not have either. */
static inline const JsonMember *find_member(JsonView name, const JsonMember *members, size_t n) {
        size_t n_name = (size_t) (name.end - name.p) - 2;

        for (size_t i = 0; i < n; i++)
                if (n_name == members[i].n_name &&
                    (n_name == 0 ||
                     (name.p[1] == members[i].name[0] && memcmp(name.p + 1, members[i].name, n_name) == 0)))
                        return &members[i];
        if (!memchr(name.p, '\\', (size_t) (name.end - name.p)))
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (json_view_equals(name, members[i].name))
                        return &members[i];
        return NULL;
}

/* A value whose name is none of the members is not looked at. */
static void find_indexed(JsonCursor *c, const JsonMember *members, size_t n) {
        while (c->index < c->index_end) {
                const char *p = c->p + c->index[0];
                const JsonMember *m = find_member((JsonView){ .p = p, .end = p + c->index[1] }, members, n);

                c->index += JSON_INDEX_STRING;
                if (m)
                        *m->ret = indexed_at(c->p, c->end, &c->index);
                else
                        skip_indexed(c->p, &c->index);
        }
}

void json_view_members(JsonView object, const JsonMember *members, size_t n) {
        JsonCursor c = json_view_is(object, '{') ? json_enter(object) : (JsonCursor){};
        JsonView name, v;

        for (size_t i = 0; i < n; i++)
                *members[i].ret = (JsonView){};
        if (c.index) {
                find_indexed(&c, members, n);
                return;
        }
        while (json_next(&c, &name, &v)) {
                const JsonMember *m = find_member(name, members, n);

                if (m)
                        *m->ret = v;
        }
}

JsonView json_view_get(JsonView object, const char *name) {
        JsonView found;

        json_view_members(object, &(JsonMember){ name, strlen(name), &found }, 1);
        return found;
}
