/* SPDX-License-Identifier: MIT */
#pragma once

/* The opening of a conversation: its first message, which is the same in each of its turns. */

#include "base/macros.h"

/* Where it is in a GenerateContentRequest, or the beginning of it; false if it does not begin among the
 * first OPENING_SEARCH_MAX bytes. Of what is no JSON the result means nothing, but lies within. */
bool gemini_opening_find(const char *json, size_t n, const char **ret, size_t *ret_n);
