/* SPDX-License-Identifier: MIT */
#pragma once

/* Parses one line of JSON: an object, UTF-8, strict, with nothing after it. */

#include <json-c/json.h>

#include "base/macros.h"

static inline void json_putp(struct json_object **o) {
        if (*o)
                (void) json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_putp)

/* -EBADMSG, also for one whose tree would take too much memory (base/json/tree.h); -ENOMEM. */
int json_parse_object(const char *s, size_t n, struct json_object **ret);

/* A member of that type, or NULL. NULL in, NULL out. */
struct json_object *json_get(struct json_object *o, const char *key, enum json_type type);

/* A string member and its length, because it may contain a NUL; NULL if there is no string of that name. */
const char *json_get_string(struct json_object *o, const char *key, size_t *ret_n);
