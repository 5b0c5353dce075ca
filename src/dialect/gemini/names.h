/* SPDX-License-Identifier: MIT */
#pragma once

/* What a Gemini request names of a project's own: files (fileData.fileUri) and a cached content
 * (cachedContent). A look without a tree. Of what is no JSON the names mean nothing, but they are valid. */

#include "pool/binding.h"

/* In the order of their places: "files/x", "cachedContents/x". False ends the walk. */
typedef bool (*GeminiNameFn)(const char *name, void *userdata);

void gemini_names_each(const char *json, size_t n, GeminiNameFn f, void *userdata);
