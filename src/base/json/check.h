/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Is this JSON, to the letter of RFC 8259? json-c reads more than that, and its own strict mode is of no
 * use: the one of 0.18 takes every character beyond ASCII for a control character. So a text is checked
 * here and read elsewhere: by json-c, or by a cursor (cursor.h).
 *
 * The check passes every byte, so it can note on its way where things end. That is the index: words in the
 * order of the text, one for each string (its length in bytes, with both quotes), and two for each object
 * and array (its length, and the number of words of what is inside). With it a cursor skips a value without
 * reading it.
 */

#include "base/macros.h"

#define JSON_CHECK_DEPTH_MAX 64U /* one bit each */
#define JSON_INDEX_CONTAINER 2U  /* words of an object or array */

/* Memory is kept from one text to the next. It is at most four bytes for each byte of the text, and only the
 * part that the text needs is ever touched. */
typedef struct JsonIndex {
        uint32_t *words;
        size_t n_allocated;
} JsonIndex;

/* NULL if the n bytes are one JSON document and nothing else, or what is wrong in a few words. Whether
 * strings are UTF-8 is text_is_utf8()'s to say. */
const char *json_check(const char *s, size_t n);

/* The same, with an index in place of the last one. -EBADMSG with the fault, -ENOMEM. */
int json_index_make(JsonIndex *x, const char *s, size_t n, const char **ret_fault);
void json_index_done(JsonIndex *x);
