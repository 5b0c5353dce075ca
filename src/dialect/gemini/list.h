/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Gemini's list of models, read page by page: {"models": [{"name": "models/x", …}], "nextPageToken": "…"}.
 * Of each model only its name is kept.
 */

#include "core/verdict.h"

typedef struct GeminiList {
        char **names; /* without `models/`, in Gemini's order */
        size_t n, n_allocated;
        char *next_page; /* the token of the page after the last one read; NULL: there is none */
} GeminiList;

/* Adds a page. Other names (`tunedModels/x`, invalid bytes) are left out, as are those beyond
 * MODEL_LIST_MAX. 0; DIALECT_E_VERDICT if the text is not a page, then nothing was added; -ENOMEM. */
int gemini_list_add(GeminiList *l, const char *json, size_t n, Verdict *ret_verdict);
bool gemini_list_has(const GeminiList *l, const char *name);
void gemini_list_done(GeminiList *l); /* leaves an empty list */
