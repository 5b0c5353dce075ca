/* SPDX-License-Identifier: MIT */
#pragma once

/* How gemgate reads JSON with json-c: strict, depth-limited, UTF-8 only, nothing after the
 * document. Errors that some json-c versions still accept (NaN, a name in single quotes) do no harm, because
 * output is always written from the parsed values. */

#include <json-c/json.h>

#include "base/json/cursor.h"
#include "dialect/api-error.h"

/* Returns NULL if the n bytes are JSON, otherwise the fault in a few words. */
const char *json_fault(const char *s, size_t n);

/* Checks the n bytes in the same way, makes their index, which replaces the previous content of `index`,
 * and sets *ret to the root value, to be read in place. -EBADMSG for what is not JSON, -ENOMEM. */
int json_index(const char *s, size_t n, JsonIndex *index, JsonView *ret);

/* The same for a client's body, which must be an object: 0, DIALECT_E_REFUSED with a 400 in *ret_error, or
 * -ENOMEM. */
int json_index_body(const char *s, size_t n, JsonIndex *index, JsonView *ret, ApiError *ret_error);

/* Builds a tree. -EBADMSG for what is not JSON, -E2BIG for JSON whose tree would take too much memory
 * (base/json/tree.h), -ENOMEM. *ret is NULL for a bare null. */
int json_parse(const char *s, size_t n, struct json_object **ret);

/* The same for a client's body, which must be an object: 0, DIALECT_E_REFUSED with a 400 or a 413 in
 * *ret_error, or -ENOMEM. */
int json_parse_body(const char *s, size_t n, struct json_object **ret, ApiError *ret_error);

/* Frees what the calls of this thread have kept for the next one: for a thread that ends. */
void json_thread_done(void);

static inline void json_putp(struct json_object **o) {
        if (*o)
                (void) json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_putp)

/* A member of an object, or NULL: a JSON null counts as missing, and so does a member of another type than
 * requested. NULL in, NULL out. */
struct json_object *json_get(struct json_object *o, const char *key);
struct json_object *json_get_typed(struct json_object *o, const char *key, enum json_type type);
const char *json_get_string(struct json_object *o, const char *key);

/* A string with its length, because it can hold a NUL; NULL if it is not a string. */
const char *json_string(struct json_object *o, size_t *ret_n);
size_t json_array_length(struct json_object *o); /* 0 if it is not an array */
