/* SPDX-License-Identifier: MIT */

/*
 * The check accepts what json-c accepts, except for known errors that json-c accepts. Valid JSON, read in
 * place with the check's index and without, gives what json-c reads: every member, element, text and count,
 * value by value and in one pass over all levels. For input that is not JSON the views have no meaning, but
 * stay within the input. A string that is copied into another text is JSON, and the same text. What the
 * check has counted is what a walk finds, and json-c builds a tree of everything that is within the
 * ceilings.
 */

#include <errno.h>
#include <string.h>

#include "base/json/copy.h"
#include "base/json/cursor.h"
#include "base/json/tree.h"
#include "base/limits.h"
#include "base/text.h"
#include "dialect/json.h"

#define OUT_MAX (16U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static void check_within(JsonView v, const char *s, size_t n) {
        check(v.p >= s && v.p <= v.end && v.end <= s + n);
}

/* --- whatever the bytes are --- */

static void look(JsonView v, const char *s, size_t n, unsigned depth) {
        _cleanup_buf_ Buf text = BUF_INIT(OUT_MAX);
        JsonView name, value;
        JsonCursor c;
        char word[8];

        if (!v.p)
                return;
        check_within(v, s, n);
        (void) json_view_append(v, &text);
        json_view_copy(v, word, sizeof(word));
        check(strlen(word) < sizeof(word));
        (void) json_view_count(v);
        (void) json_view_is_empty(v);
        for (c = json_enter(v); depth < 8 && json_next(&c, &name, &value);) {
                look(name, s, n, depth + 1);
                look(value, s, n, depth + 1);
        }
}

/* The bytes of all values that are no containers, in one pass over all levels. */
static void pass(JsonCursor *outer, const char *s, size_t n, unsigned depth, size_t *ret_sum) {
        JsonCursor c = json_descend(outer);
        JsonView name;

        while (json_step(&c, &name)) {
                if (depth < JSON_DEPTH_MAX && (json_is_at(&c, '{') || json_is_at(&c, '[')))
                        pass(&c, s, n, depth + 1, ret_sum);
                else {
                        JsonView v = json_take(&c);

                        check_within(v, s, n);
                        *ret_sum += (size_t) (v.end - v.p);
                }
        }
        json_leave(outer, &c);
        check(outer->p >= s && outer->p <= s + n);
}

static size_t sum_by_views(JsonView v) {
        JsonView value;
        JsonCursor c;
        size_t sum = 0;

        if (!json_view_is(v, '{') && !json_view_is(v, '['))
                return (size_t) (v.end - v.p);
        for (c = json_enter(v); json_next(&c, NULL, &value);)
                sum += sum_by_views(value);
        return sum;
}

static void look_in_one_pass(const char *s, size_t n, JsonView root) {
        JsonCursor document = json_cursor(s, n);
        size_t sum = 0;

        if (!json_step(&document, NULL) || (!json_is_at(&document, '{') && !json_is_at(&document, '[')))
                return;
        pass(&document, s, n, 1, &sum);
        if (!root.p)
                return;
        check(sum == sum_by_views(root));
        check(document.p == root.end);
}

/* What json_view_get() finds, with the index of `a` and without one. */
static void compare_members(JsonView a, JsonView b) {
        static const char *const names[] = { "a", "text", "usage", "" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                JsonView va = json_view_get(a, names[i]), vb = json_view_get(b, names[i]);

                check(va.p == vb.p && va.end == vb.end);
        }
}

/* A view with an index and one without are the same, all the way down. */
static void compare_modes(JsonView a, JsonView b) {
        JsonView name_a, name_b, value_a, value_b;
        JsonCursor ca = json_enter(a), cb = json_enter(b);
        bool more;

        check(a.p == b.p && a.end == b.end);
        compare_members(a, b);
        do {
                more = json_next(&ca, &name_a, &value_a);
                check(more == json_next(&cb, &name_b, &value_b));
                if (more) {
                        check(name_a.p == name_b.p && name_a.end == name_b.end);
                        compare_modes(value_a, value_b);
                }
        } while (more);
}

/* --- what json-c makes of it --- */

static bool is_digit(const char *s, size_t n, size_t i) {
        return i < n && s[i] >= '0' && s[i] <= '9';
}

/* What json-c takes in its strict mode, and is no JSON: control characters in strings, names in single
 * quotes, NaN and Infinity, and numbers such as `1.`, `-.3`, `1e` and `01`. */
static bool may_be_lenient(const char *s, size_t n) {
        for (size_t i = 0; i < n; i++) {
                bool is_e = s[i] == 'e' || s[i] == 'E';

                if ((unsigned char) s[i] < 0x20 || strchr("'NI", s[i]))
                        return true;
                if (s[i] == '.' && (i == 0 || !is_digit(s, n, i - 1) || !is_digit(s, n, i + 1)))
                        return true;
                if (is_e && !is_digit(s, n, i + 1) && !is_digit(s, n, i + 2))
                        return true;
                if (s[i] == '0' && (i == 0 || !is_digit(s, n, i - 1)) && is_digit(s, n, i + 1))
                        return true;
        }
        return false;
}

/* What is JSON is taken in the usual mode: the strict one of json-c 0.18 refuses characters beyond ASCII,
 * and whole numbers of more than 64 bits. */
static void compare_verdict(const char *s, size_t n, bool is_good) {
        struct json_tokener *t = json_tokener_new_ex((int) JSON_DEPTH_MAX);
        enum json_tokener_error e;
        struct json_object *o;

        if (!t)
                return;
        if (!is_good)
                json_tokener_set_flags(t, JSON_TOKENER_STRICT);
        o = json_tokener_parse_ex(t, s, (int) n);
        e = json_tokener_get_error(t);
        if (e == json_tokener_continue) {
                (void) json_object_put(o);
                o = json_tokener_parse_ex(t, "", 1);
                e = json_tokener_get_error(t);
        }
        (void) json_object_put(o);
        json_tokener_free(t);
        if (is_good)
                check(e == json_tokener_success);
        else
                check(e != json_tokener_success || !text_is_utf8(s, n) || may_be_lenient(s, n));
}

/* json-c ends a name at a NUL, so that it is another one; no name of ours has one. */
static bool has_odd_names(JsonView object) {
        JsonView name, value;
        JsonCursor c;

        for (c = json_enter(object); json_next(&c, &name, &value);) {
                _cleanup_buf_ Buf text = BUF_INIT(OUT_MAX);

                check(json_view_append(name, &text) == 0);
                if (text.n > 0 && memchr(buf_data(&text), 0, text.n))
                        return true;
        }
        return false;
}

static void check_copy(JsonView v, const Buf *text) {
        _cleanup_buf_ Buf copy = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);
        JWriter w = JWRITER_INIT(&copy);

        json_copy_string(&w, NULL, v);
        check(copy.error == 0 && !json_check(buf_data(&copy), copy.n));
        check(json_view_append(json_view(buf_data(&copy), copy.n), &again) == 0);
        if (text->n > 0 && text_is_utf8(buf_data(text), text->n))
                check(again.n == text->n && memcmp(buf_data(&again), buf_data(text), text->n) == 0);
        else
                check(text_is_utf8(buf_data(&copy), copy.n));
}

static void compare_text(JsonView v, struct json_object *o) {
        _cleanup_buf_ Buf text = BUF_INIT(OUT_MAX);
        const char *s;
        char word[16];
        uint64_t u;
        size_t n;

        check(json_view_append(v, &text) == 0 && buf_cstr(&text));
        s = json_string(o, &n);
        check(s && n == text.n && memcmp(s, buf_data(&text), n) == 0);
        check(json_view_is_empty(v) == (n == 0));
        check_copy(v, &text);
        if (memchr(s, 0, n))
                check(!json_view_equals(v, s));
        else
                check(json_view_equals(v, s));
        json_view_copy(v, word, sizeof(word));
        check(strncmp(word, s, sizeof(word) - 1) == 0);
        if (!memchr(v.p, '\\', (size_t) (v.end - v.p)) && text_parse_u64(s, &u) == 0)
                check(json_view_count(v) == u);
}

static void compare(JsonView v, struct json_object *o) {
        JsonView name, value;
        JsonCursor c;
        size_t n = 0;

        switch (json_object_get_type(o)) {
        case json_type_object:
                if (has_odd_names(v))
                        return;
                for (c = json_enter(v); json_next(&c, &name, &value); n++) {
                        _cleanup_buf_ Buf text = BUF_INIT(OUT_MAX);
                        struct json_object *mine;

                        check(json_view_append(name, &text) == 0 && buf_cstr(&text));
                        check(json_object_object_get_ex(o, buf_cstr(&text), &mine));
                        compare(json_view_get(v, buf_cstr(&text)), mine);
                }
                check(n >= (size_t) json_object_object_length(o)); /* more: a name is there twice */
                return;
        case json_type_array:
                for (c = json_enter_array(v); json_next(&c, NULL, &value); n++)
                        compare(value, json_object_array_get_idx(o, n));
                check(n == json_object_array_length(o));
                return;
        case json_type_string:
                return compare_text(v, o);
        case json_type_int:
                check(json_view_count(v) == (*v.p == '-' ? 0 : json_object_get_uint64(o)));
                return;
        case json_type_double:
                check(json_view_count(v) == 0 ||
                      (double) json_view_count(v) == json_object_get_double(o));
                return;
        case json_type_boolean:
                check(json_view_is(v, json_object_get_boolean(o) ? 't' : 'f'));
                return;
        case json_type_null:
                check(json_view_is_null(v));
        }
}

/* What the text holds, read without the check. */
static void count(JsonView v, JsonCounts *n) {
        JsonCursor c = json_enter(v);
        JsonView name, value;
        uint32_t width = 0;

        for (; json_next(&c, &name, &value); width++)
                count(value, n);
        if (json_view_is(v, '{')) {
                n->objects++;
                n->members += width;
                n->crowded += width > JSON_CROWD ? width : 0;
        } else
                *(json_view_is(v, '[')   ? &n->arrays
                  : json_view_is(v, '"') ? &n->strings
                  : json_view_is(v, 'n') ? &n->nulls
                                         : &n->others) += 1;
}

static void compare_counts(const char *s, size_t size, bool is_good) {
        JsonCounts counts, counted = {};
        const char *fault;
        JsonTreeCost cost;
        int r;

        (void) json_check_counts(s, size, &counts);
        r = json_tree_check(s, size, &fault, &cost);
        check(is_good || r == -EBADMSG || !text_is_utf8(s, size));
        if (!is_good)
                return;
        count(json_view(s, size), &counted);
        check(memcmp(&counts, &counted, sizeof(counts)) == 0);
        cost = json_tree_cost(&counts, size);
        check(r == (cost.allowed ? 0 : -E2BIG) && cost.values > 0 && cost.values <= size);
        check(cost.allowed ? cost.values_max == cost.values : cost.values_max < cost.values);
}

static void run(const char *s, size_t size) {
        _cleanup_json_ struct json_object *o = NULL;
        static JsonIndex index;
        JsonView indexed = {};
        bool is_good;
        int r;

        look(json_view(s, size), s, size, 0);
        is_good = json_index(s, size, &index, &indexed) == 0;
        check(is_good == !json_fault(s, size));
        look_in_one_pass(s, size, indexed);
        if (size > 0)
                compare_verdict(s, size, is_good);
        compare_counts(s, size, is_good);
        if (!is_good)
                return;
        compare_modes(indexed, json_view(s, size));
        r = json_parse(s, size, &o);
        check(r == 0 || r == -E2BIG);
        if (r == 0)
                compare(indexed, o);
}

/* Exactly as long as it is, so that a sanitizer sees a step beyond; and cut off at some place. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t cut = size > 0 ? data[size / 2] % size : 0;
        char *copy = malloc(MAX(size, (size_t) 1)), *begin = malloc(MAX(cut, (size_t) 1));

        if (copy && begin) {
                memcpy(copy, data, size);
                memcpy(begin, data, cut);
                run(copy, size);
                run(begin, cut);
        }
        free(copy);
        free(begin);
        return 0;
}
