/* SPDX-License-Identifier: MIT */
#pragma once

/* The opening of a conversation: its first message, which is the same in each of its turns. */

#include "base/macros.h"

/* Finds it, or its beginning, in a GenerateContentRequest; false if it does not begin in the first
 * OPENING_SEARCH_MAX bytes. For input that is not JSON the result has no meaning, but is within the
 * input. */
bool gemini_opening_find(const char *json, size_t n, const char **ret, size_t *ret_n);
