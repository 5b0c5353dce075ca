/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Checks strictly whether a text is JSON as in RFC 8259. json-c accepts more than that, and its strict mode
 * is of no use: in json-c 0.18 it takes every character beyond ASCII for a control character. So a text is
 * checked here and read elsewhere: by json-c, or by a cursor (cursor.h).
 *
 * The check looks at every byte, so it can note where each value begins and ends. That is the index: words
 * of 32 bits in the order of the text. The first word of each name and value is its offset from the
 * beginning of the container that it is in (of the outermost value: of the text). For a name or a string its
 * length follows, with both quotes; for an object or array its length, and the number of words of what is
 * inside; for any other value nothing: those are short, and end before the next byte that is none of theirs.
 * With the index a cursor goes from value to value without reading what is between them.
 */

#include "base/macros.h"

#define JSON_CHECK_DEPTH_MAX 64U /* one bit each */
#define JSON_INDEX_STRING    2U  /* words of a name or string */
#define JSON_INDEX_CONTAINER 3U  /* words of an object or array */

/* The memory is kept for the next text. It is at most six bytes for each byte of the text, and only the
 * part that the text's words need is ever touched. */
typedef struct JsonIndex {
        uint32_t *words;
        size_t n_allocated;
} JsonIndex;

/* What a text holds, by kind: what a tree of it costs depends on that (tree.h). */
typedef struct JsonCounts {
        uint32_t objects, arrays, strings, nulls, others; /* values; others: numbers, true and false */
        uint32_t members;
        uint32_t crowded; /* of these, the ones of objects with more than JSON_CROWD members */
} JsonCounts;

#define JSON_CROWD 11U /* json-c's table of an object has to grow for more */

/* Returns NULL if the n bytes are one JSON document and nothing else, otherwise the fault in a few words.
 * It does not check that strings are UTF-8: text_is_utf8() does. */
const char *json_check(const char *s, size_t n);
const char *json_check_at(const char *s, size_t n, size_t *ret_at); /* the same, and the fault's place */
const char *json_check_counts(const char *s, size_t n, JsonCounts *ret); /* of a fault: up to there */

/* Checks like json_check() and makes the index, which replaces the previous one. -EBADMSG (*ret_fault is
 * the fault), -ENOMEM. */
int json_index_make(JsonIndex *x, const char *s, size_t n, const char **ret_fault);
void json_index_done(JsonIndex *x);
