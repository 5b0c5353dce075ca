/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "base/json/tree.h"
#include "base/limits.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

/* json-c counts the document and a value in the innermost container as levels, too. */
#define TOKENER_DEPTH (JSON_CHECK_DEPTH_MAX + 2)

/* A tokener holds a stack of its levels and a buffer as large as the longest string so far.
 * One is kept from call to call, as long as what it parses is small; a thread has its own. */
#define KEPT_MAX (64U << 10)

static _Thread_local struct json_tokener *kept;

static struct json_tokener *tokener_take(void) {
        struct json_tokener *t = TAKE_PTR(kept);

        return t ?: json_tokener_new_ex((int) TOKENER_DEPTH);
}

static void tokener_give(struct json_tokener *t, size_t n) {
        if (kept || n > KEPT_MAX) {
                json_tokener_free(t);
                return;
        }
        json_tokener_reset(t);
        kept = t;
}

void json_thread_done(void) {
        if (kept)
                json_tokener_free(TAKE_PTR(kept));
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

int json_index_body(const char *s, size_t n, JsonIndex *index, JsonView *ret, ApiError *ret_error) {
        const char *fault;
        int r = 0;

        fault = text_fault(s, n);
        if (!fault)
                r = json_index_make(index, s, n, &fault);
        if (r == -ENOMEM)
                return r;
        if (fault) {
                api_error_set(ret_error, 400, NULL, "The request body is not JSON: %s.", fault);
                return DIALECT_E_REFUSED;
        }
        *ret = json_view_indexed(index, s, n);
        if (json_view_is(*ret, '{'))
                return 0;
        api_error_set(ret_error, 400, NULL, "The request body must be a JSON object.");
        return DIALECT_E_REFUSED;
}

/* json-c fails with a text that has passed the check only without memory. Versions before 0.17 do not report
 * that: they end with success before the text's end, or shorten a string for which their buffer cannot grow.
 * So the memory for a long string is requested first. */
static int build(const char *s, size_t n, struct json_object **ret) {
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ void *room = NULL;
        enum json_tokener_error e;
        struct json_tokener *t;
        bool whole;

        if (n > KEPT_MAX && !(room = malloc((size_t) JSON_TREE_FACTOR * n)))
                return -ENOMEM;
        free(TAKE_PTR(room));
        t = tokener_take();
        if (!t)
                return -ENOMEM;
        o = json_tokener_parse_ex(t, s, (int) n);
        e = json_tokener_get_error(t);
        whole = json_tokener_get_parse_end(t) == n;
        if (e == json_tokener_continue) {
                /* A bare number or word needs a byte after it to end. */
                o = json_tokener_parse_ex(t, "", 1);
                e = json_tokener_get_error(t);
        }
        tokener_give(t, n);
        if (e != json_tokener_success || !whole || (!o && s[strspn(s, TEXT_WHITESPACE)] != 'n'))
                return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}

static int parse(const char *s, size_t n, struct json_object **ret, const char **ret_fault,
                 JsonTreeCost *ret_cost) {
        int r;

        *ret_fault = text_fault(s, n);
        if (*ret_fault)
                return -EBADMSG;
        r = json_tree_check(s, n, ret_fault, ret_cost);
        return r < 0 ? r : build(s, n, ret);
}

int json_parse(const char *s, size_t n, struct json_object **ret) {
        const char *fault;
        JsonTreeCost cost;

        return parse(s, n, ret, &fault, &cost);
}

int json_parse_body(const char *s, size_t n, struct json_object **ret, ApiError *ret_error) {
        _cleanup_json_ struct json_object *o = NULL;
        char have[TEXT_GROUPED_MAX], most[TEXT_GROUPED_MAX];
        JsonTreeCost cost = {};
        const char *fault;
        int r;

        r = parse(s, n, &o, &fault, &cost);
        if (r == -EBADMSG)
                api_error_set(ret_error, 400, NULL, "The request body is not JSON: %s.", fault);
        else if (r == -E2BIG)
                api_error_set(ret_error, 413, NULL,
                              "The request body has %s JSON values; at most %s like these are allowed in a "
                              "body of its size.",
                              text_grouped(cost.values, have), text_grouped(cost.values_max, most));
        else if (r < 0)
                return r;
        else if (!json_object_is_type(o, json_type_object)) {
                api_error_set(ret_error, 400, NULL, "The request body must be a JSON object.");
                r = -EBADMSG;
        }
        if (r < 0)
                return DIALECT_E_REFUSED;
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
