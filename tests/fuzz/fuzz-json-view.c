/* SPDX-License-Identifier: MIT */

/* JSON read where it lies is what json-c reads: every member, element, text and count. Of what is no JSON
 * the views mean nothing, but lie within. */

#include <string.h>

#include "base/text.h"
#include "dialect/json-view.h"
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

static void look(JsonView v, const char *s, size_t n, unsigned depth) {
        _cleanup_buf_ Buf text = BUF_INIT(OUT_MAX);
        JsonView key, value;
        JsonWalk w;
        char word[8];

        if (!v.p)
                return;
        check_within(v, s, n);
        (void) json_view_append(v, &text);
        json_view_copy(v, word, sizeof(word));
        check(strlen(word) < sizeof(word));
        (void) json_view_count(v);
        for (w = json_walk(v); depth < 64 && json_walk_next(&w, &key, &value);) {
                look(key, s, n, depth + 1);
                look(value, s, n, depth + 1);
        }
}

/* json-c ends a name at a NUL, so that it is another one; no name of ours has one. */
static bool has_odd_names(JsonView object) {
        JsonView key, value;
        JsonWalk w;

        for (w = json_walk(object); json_walk_next(&w, &key, &value);) {
                _cleanup_buf_ Buf name = BUF_INIT(OUT_MAX);

                check(json_view_append(key, &name) == 0);
                if (name.n > 0 && memchr(buf_data(&name), 0, name.n))
                        return true;
        }
        return false;
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
        JsonView key, value;
        size_t n = 0;
        JsonWalk w;

        switch (json_object_get_type(o)) {
        case json_type_object:
                if (has_odd_names(v))
                        return;
                for (w = json_walk(v); json_walk_next(&w, &key, &value);) {
                        _cleanup_buf_ Buf name = BUF_INIT(OUT_MAX);
                        struct json_object *mine;

                        check(json_view_append(key, &name) == 0 && buf_cstr(&name));
                        check(json_object_object_get_ex(o, buf_cstr(&name), &mine));
                        compare(json_view_get(v, buf_cstr(&name)), mine);
                }
                return;
        case json_type_array:
                for (w = json_walk_array(v); json_walk_next(&w, NULL, &value); n++)
                        compare(value, json_object_array_get_idx(o, n));
                check(n == json_object_array_length(o));
                return;
        case json_type_string:
                return compare_text(v, o);
        case json_type_int:
                check(json_view_count(v) == (*v.p == '-' ? 0 : json_object_get_uint64(o)));
                return;
        case json_type_double:
                check(json_view_count(v) == 0);
                return;
        case json_type_boolean:
                check(json_view_is(v, json_object_get_boolean(o) ? 't' : 'f'));
                return;
        case json_type_null:
                check(json_view_is_null(v));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ struct json_object *o = NULL;
        const char *s = (const char *) data;

        look(json_view(s, size), s, size, 0);
        if (json_parse(s, size, &o, NULL) < 0)
                return 0;
        check(!json_fault(s, size));
        compare(json_view(s, size), o);
        return 0;
}
