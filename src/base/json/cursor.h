/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reads JSON in place, without a tree; nothing is allocated. A JsonView is a value, a JsonCursor walks the
 * members of an object or the elements of an array.
 *
 * With an index (check.h) a value is skipped in one step. Without an index its bytes are scanned for its
 * end; that scan looks only at strings and brackets. So Gemini's events, which are checked in any case, are
 * read with an index; a text of which a few members are read once is read without.
 *
 * Without an index the text may be cut off or may not be JSON. A value that is cut off ends with the text:
 * a string without its closing quote has all of the remaining bytes. If the text is not JSON, the views are
 * unspecified, but they lie within the text.
 */

#include "base/buf.h"
#include "base/json/check.h"

/* A value, from its first byte to the one after its last; no value: all NULL. Valid as long as the text and
 * its index. */
typedef struct JsonView {
        const char *p, *end;
        const uint32_t *index; /* the words of its contents; NULL: no index */
} JsonView;

typedef struct JsonCursor {
        const char *p, *end; /* p: the next value, or, with an index, the container */
        const uint32_t *index, *index_end; /* the words of the next values; NULL: no index */
        bool is_object, has_begun;
} JsonCursor;

JsonView json_view(const char *s, size_t n);
char json_first(const char *s, size_t n); /* the byte with which the value begins, or NUL */
JsonView json_view_indexed(const JsonIndex *x, const char *s, size_t n);

/* True if the value begins with this byte, which tells its type: { [ " t f n, a digit or a minus. */
static inline bool json_view_is(JsonView v, char first) {
        return v.p && *v.p == first;
}

static inline bool json_view_is_null(JsonView v) {
        return !v.p || *v.p == 'n';
}

/* Finds members by name, in one pass. If several have the same name, the last one counts, as in json-c. */
typedef struct JsonMember {
        const char *name;
        size_t n_name;
        JsonView *ret;
} JsonMember;

#define JSON_MEMBER(name, ret) { name, sizeof(name) - 1, ret }

void json_view_members(JsonView object, const JsonMember *members, size_t n);
JsonView json_view_get(JsonView object, const char *name);

/* --- members or elements, one after the other; a value that is neither object nor array has none --- */

JsonCursor json_enter(JsonView v);
JsonCursor json_enter_array(JsonView v); /* here an object has none either */
bool json_next(JsonCursor *c, JsonView *ret_name, JsonView *ret); /* `name` is a string; none in an array */

/* Reading a whole document in one pass over all levels, without an index. The first cursor begins before the
 * document. After json_step() a cursor is at a value, which must then be taken, or entered by json_descend()
 * and left by json_leave(): after that the outer cursor is behind the value, however much of it was read. */
JsonCursor json_cursor(const char *s, size_t n);
bool json_step(JsonCursor *c, JsonView *ret_name);
JsonView json_take(JsonCursor *c);
bool json_is_at(const JsonCursor *c, char first);
JsonCursor json_descend(const JsonCursor *c);
void json_leave(JsonCursor *c, JsonCursor *inner);

/* --- strings (string.c): of anything else these give false, nothing, and "" --- */

bool json_view_equals(JsonView v, const char *s);
bool json_view_equals_n(JsonView v, const char *s, size_t n);
int json_view_append(JsonView v, Buf *out);
void json_view_copy(JsonView v, char *ret, size_t size); /* up to a NUL in it; as much of it as fits */
bool json_view_is_empty(JsonView v);
const char *json_view_string_end(JsonView v); /* its closing quote; of a string that is cut off: its end */

/* What is between the quotes of a string, with its escapes; of anything else nothing. For a text that has
 * passed the check. */
static inline JsonView json_view_inside(JsonView v) {
        return json_view_is(v, '"') ? (JsonView){ .p = v.p + 1, .end = v.end - 1 } : (JsonView){};
}

/* The text of a string in pieces: unescaped bytes of the input, or the character of one escape. A piece is
 * valid until the next call. */
typedef struct JsonText {
        const char *p, *end;
        char escape[4];
} JsonText;

JsonText json_text(JsonView v);
bool json_text_next(JsonText *t, const char **ret, size_t *ret_n);

/* The value of a whole number, also one that is written like 5.0 or 1e3, or of a string that holds such a
 * number (proto3's int64); at most UINT64_MAX. A negative number and anything else give 0. */
uint64_t json_view_count(JsonView v);
bool json_view_is_count(JsonView v, uint64_t *ret); /* false: it is anything else */

static inline bool json_view_is_number(JsonView v) {
        return v.p && (*v.p == '-' || (*v.p >= '0' && *v.p <= '9'));
}
bool json_view_is_double(JsonView v, double *ret); /* a number; false: it is anything else */
bool json_view_is_digits(JsonView number); /* it is written without a fraction and an exponent */
