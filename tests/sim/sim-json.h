/* SPDX-License-Identifier: MIT */
#pragma once

/* Looking into a request, and writing an answer. proto3 JSON has two spellings for each name, and nothing
 * may be relied on to be there. */

#include <json-c/json.h>

#include "base/buf.h"
#include "base/macros.h"

static inline json_object *json_member(json_object *o, const char *camel, const char *snake) {
        json_object *v = NULL;

        if (!json_object_object_get_ex(o, camel, &v))
                (void) json_object_object_get_ex(o, snake, &v);
        return v;
}

/* 0 if it is not an array. */
static inline size_t json_length(json_object *o) {
        return json_object_is_type(o, json_type_array) ? json_object_array_length(o) : 0;
}

/* NULL if it is no string. */
static inline const char *json_text(json_object *o, const char *name) {
        json_object *v;

        return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string)
                       ? json_object_get_string(v)
                       : NULL;
}

static inline void json_add_text(json_object *o, const char *name, const char *value) {
        json_object_object_add(o, name, json_object_new_string(value));
}

static inline void json_write(json_object *o, Buf *body) {
        (void) buf_puts(body, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
                                                                        JSON_C_TO_STRING_NOSLASHESCAPE));
}
