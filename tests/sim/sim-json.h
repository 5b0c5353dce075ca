/* SPDX-License-Identifier: MIT */
#pragma once

/* Looking into a request. proto3 JSON has two spellings for each name, and nothing may be relied on to be
 * there. */

#include <json-c/json.h>

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
