/* SPDX-License-Identifier: MIT */
#pragma once

/* Finds the names in a Gemini request that belong to a project: files (fileData.fileUri), a cached content
 * (cachedContent), stores that are searched, and what interactions and batches name. It builds no tree. For
 * input that is not JSON the names have no meaning, but are valid. */

#include "pool/binding.h"

/* Calls back in the order of the text: "files/x", "cachedContents/x", whatever may be a name in any
 * spelling. False ends the walk. */
typedef bool (*GeminiNameFn)(const char *name, void *userdata);

/* NULL; or, if a value is not spelled as it must be, what it must be. Not `all`: a request that generates,
 * counts or embeds, so it looks first whether there may be any name.
 * See gemini_method_names_all(). */
const char *gemini_names(const char *json, size_t n, bool all, GeminiNameFn f, void *userdata);
