/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes a string of one JSON text into another, without a copy of its value in between. What the writer
 * promises of strings holds here, too: bytes that are not UTF-8 and escapes of half a surrogate pair become
 * U+FFFD, line ends of Unicode are escaped.
 *
 * A value that is not a string becomes an empty one.
 */

#include "base/json/cursor.h"
#include "base/json/write.h"

void json_copy_string(JWriter *w, const char *key, JsonView string);
void json_copy_name(JWriter *w, JsonView string); /* of a member: the next call writes its value */

/* What is between the quotes, so that a string can be made of several. */
void json_copy_escaped(Buf *b, JsonView string);

/* The same for any value of a text that has passed the check, and for a string of what is within its quotes.
 * They are faster, since there all is well-formed but half a surrogate pair. */
void json_copy_value(JWriter *w, const char *key, JsonView v);
void json_copy_inside(JWriter *w, const char *key, JsonView v);

/* The value's JSON as a string, for protocols that have the arguments of a call as text. White space between
 * its tokens is left out. */
void json_copy_as_string(JWriter *w, const char *key, JsonView v);

/* Checked JSON without the white space between its tokens: one line. */
void json_append_compact(JsonView v, Buf *out);
