/* SPDX-License-Identifier: MIT */
#pragma once

/* The arguments of a query in Google's API: which ones a path has, and which ones every path has. */

#include "dialect/gemini/path.h"

typedef enum GeminiArgument {
        GEMINI_ARGUMENT_UNKNOWN,
        GEMINI_ARGUMENT_OWN,    /* the row has it */
        GEMINI_ARGUMENT_SYSTEM, /* Google takes it everywhere: `key`, `alt`, `fields` */
} GeminiArgument;

/* `name` may have either spelling, pageSize or page_size. */
GeminiArgument gemini_argument(const GeminiPath *row, const char *name);

/* Whether a name is this one, in either spelling. `n`: bytes of `word`. */
bool gemini_argument_is(const char *name, const char *word, size_t n);

/* Google's list of something: it has pages. Google refuses arguments of it that it does not know, because
 * without its filter a list is another one. */
bool gemini_path_is_list(const GeminiPath *row);
