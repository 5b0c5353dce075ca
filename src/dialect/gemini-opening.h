/* SPDX-License-Identifier: MIT */
#pragma once

/* The opening of a conversation: its first message, which is the same in each of its turns. */

#include "base/macros.h"

/* Where in a GenerateContentRequest it stands, or its beginning; false if it is not among the first
 * OPENING_SEARCH_MAX bytes. */
bool gemini_opening_find(const char *json, size_t n, const char **ret, size_t *ret_n);
