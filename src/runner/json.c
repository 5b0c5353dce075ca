/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "base/json/tree.h"
#include "base/limits.h"
#include "base/text.h"
#include "runner/json.h"

int json_parse_object(const char *s, size_t n, struct json_object **ret) {
        _cleanup_json_ struct json_object *o = NULL;
        struct json_tokener *t;
        const char *fault;
        JsonTreeCost cost;
        bool whole;

        if (n > INT_MAX || !text_is_utf8(s, n) || json_tree_check(s, n, &fault, &cost) < 0)
                return -EBADMSG;
        t = json_tokener_new_ex((int) JSON_DEPTH_MAX);
        if (!t)
                return -ENOMEM;
        o = json_tokener_parse_ex(t, s, (int) n);
        whole = json_tokener_get_error(t) != json_tokener_success || json_tokener_get_parse_end(t) == n;
        json_tokener_free(t);
        if (!whole) /* json-c before 0.17 ends so without memory */
                return -ENOMEM;
        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;
        *ret = TAKE_PTR(o);
        return 0;
}

struct json_object *json_get(struct json_object *o, const char *key, enum json_type type) {
        struct json_object *v;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v))
                return NULL;
        return json_object_is_type(v, type) ? v : NULL;
}

const char *json_get_string(struct json_object *o, const char *key, size_t *ret_n) {
        struct json_object *v = json_get(o, key, json_type_string);

        if (!v)
                return NULL;
        *ret_n = (size_t) json_object_get_string_len(v);
        return json_object_get_string(v);
}
