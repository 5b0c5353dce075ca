/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading JSON where it lies: what was checked (json_fault() of dialect/json.h) is walked without a tree,
 * and nothing is allocated. For what is read once, member by member, as each event of Gemini's is; a tree of
 * json-c costs several times as much. What is no JSON gives views that mean nothing, but lie within.
 */

#include "base/buf.h"

/* A value, from its first byte to the one behind its last; none: all NULL. */
typedef struct JsonView {
        const char *p, *end;
} JsonView;

JsonView json_view(const char *s, size_t n);

/* By its first byte: { [ " t f n, or a digit or minus. */
static inline bool json_view_is(JsonView v, char first) {
        return v.p && *v.p == first;
}

static inline bool json_view_is_null(JsonView v) {
        return !v.p || *v.p == 'n';
}

/* The members of an object or the elements of an array, in order; of anything else there are none. `key` is
 * a string, and none in an array. */
typedef struct JsonWalk {
        const char *p, *end;
        bool object;
} JsonWalk;

JsonWalk json_walk(JsonView v);
JsonWalk json_walk_array(JsonView v); /* of an object there are none either */
bool json_walk_next(JsonWalk *w, JsonView *ret_key, JsonView *ret);

/* Members by name, in one walk; of several of that name the last, as json-c has it. */
typedef struct JsonPick {
        const char *key;
        JsonView *ret;
} JsonPick;

void json_view_pick(JsonView object, const JsonPick *picks, size_t n);
JsonView json_view_get(JsonView object, const char *key);

/* Of a string; of anything else: false, nothing, and "". */
bool json_view_equals(JsonView v, const char *s);
int json_view_append(JsonView v, Buf *out);
void json_view_copy(JsonView v, char *ret, size_t size); /* up to a NUL in it; as much of it as fits */
bool json_view_is_empty(JsonView v);

/* A number without fraction and exponent, or such a number as a string (proto3's int64); what is negative or
 * anything else counts as nothing. */
uint64_t json_view_count(JsonView v);
