/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "base/limits.h"
#include "base/text.h"
#include "dialect/json.h"

/* A tokener holds a stack of JSON_DEPTH_MAX levels and a buffer as large as the longest string so far.
 * One is kept from call to call, as long as what it parses is small. */
#define KEPT_MAX (64U << 10)

static struct json_tokener *kept;

static struct json_tokener *tokener_take(void) {
        struct json_tokener *t = TAKE_PTR(kept);

        return t ?: json_tokener_new_ex((int) JSON_DEPTH_MAX);
}

static void tokener_give(struct json_tokener *t, size_t n) {
        if (kept || n > KEPT_MAX) {
                json_tokener_free(t);
                return;
        }
        json_tokener_reset(t);
        kept = t;
}

/* Faults of the bytes, checked before they are read as JSON. */
static const char *text_fault(const char *s, size_t n) {
        if (n > INT_MAX)
                return "too long";
        if (n == 0)
                return "empty";
        return text_is_utf8(s, n) ? NULL : "not UTF-8";
}

const char *json_fault(const char *s, size_t n) {
        return text_fault(s, n) ?: json_check(s, n);
}

int json_index(const char *s, size_t n, JsonIndex *index, JsonView *ret) {
        const char *fault;
        int r;

        if (text_fault(s, n))
                return -EBADMSG;
        r = json_index_make(index, s, n, &fault);
        if (r < 0)
                return r;
        *ret = json_view_indexed(index, s, n);
        return 0;
}

int json_parse(const char *s, size_t n, struct json_object **ret, const char **ret_message) {
        _cleanup_json_ struct json_object *o = NULL;
        const char *message = NULL;
        struct json_tokener *t;
        enum json_tokener_error e;

        t = tokener_take();
        if (!t)
                return -ENOMEM;

        message = json_fault(s, n);
        if (!message) {
                o = json_tokener_parse_ex(t, s, (int) n);
                e = json_tokener_get_error(t);
                if (e == json_tokener_continue) {
                        /* A bare number needs a byte after it to end. */
                        o = json_tokener_parse_ex(t, "", 1);
                        e = json_tokener_get_error(t);
                }
                if (e != json_tokener_success)
                        message = json_tokener_error_desc(e);
        }

        tokener_give(t, n);
        if (message) {
                if (ret_message)
                        *ret_message = message;
                return -EBADMSG;
        }
        *ret = TAKE_PTR(o);
        return 0;
}

struct json_object *json_get(struct json_object *o, const char *key) {
        struct json_object *v;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v))
                return NULL;
        return v;
}

struct json_object *json_get_typed(struct json_object *o, const char *key, enum json_type type) {
        struct json_object *v = json_get(o, key);

        return json_object_is_type(v, type) ? v : NULL;
}

const char *json_get_string(struct json_object *o, const char *key) {
        struct json_object *v = json_get_typed(o, key, json_type_string);

        return v ? json_object_get_string(v) : NULL;
}

const char *json_string(struct json_object *o, size_t *ret_n) {
        if (!json_object_is_type(o, json_type_string))
                return NULL;
        *ret_n = (size_t) json_object_get_string_len(o);
        return json_object_get_string(o);
}

size_t json_array_length(struct json_object *o) {
        return json_object_is_type(o, json_type_array) ? json_object_array_length(o) : 0;
}
