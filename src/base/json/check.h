/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Is this JSON, to the letter of RFC 8259? json-c reads more than that, and its own strict mode is of no
 * use: the one of 0.18 takes every character beyond ASCII for a control character. So a text is checked
 * here and read there.
 */

#include "base/macros.h"

#define JSON_CHECK_DEPTH_MAX 64U /* one bit each */

/* NULL if the n bytes are one JSON document and nothing else, or what is wrong in a few words. Whether
 * strings are UTF-8 is text_is_utf8()'s to say. */
const char *json_check(const char *s, size_t n);
