/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Gemini's list of models, read page by page: {"models": [{"name": "models/x", …}], "nextPageToken": "…"}.
 * Google's description of a model is kept as it is, unless it is longer than MODEL_TEXT_MAX.
 */

#include "base/json/cursor.h"
#include "core/verdict.h"

typedef struct GeminiModel {
        char *name; /* without `models/` */
        char *json; /* the object; checked JSON; NULL: too long */
        size_t n_json;
} GeminiModel;

typedef struct GeminiList {
        GeminiModel *all; /* in Gemini's order */
        uint16_t *by_name; /* the same, sorted */
        size_t n, n_allocated;
        char *next_page; /* the token of the page after the last one read; NULL: there is none */
} GeminiList;

/* Adds a page. Other names (`tunedModels/x`, invalid bytes) are left out, as are those beyond
 * MODEL_LIST_MAX. 0; DIALECT_E_VERDICT if the text is not a page, then nothing was added; -ENOMEM. */
int gemini_list_add(GeminiList *l, const char *json, size_t n, Verdict *ret_verdict);
const GeminiModel *gemini_list_find(const GeminiList *l, const char *name); /* or NULL */
void gemini_list_done(GeminiList *l); /* leaves an empty list */

/* Google's description of the model (NULL: none), and a member of it; no value if there is none. */
static inline JsonView gemini_model_view(const GeminiModel *m) {
        return m && m->json ? json_view(m->json, m->n_json) : (JsonView){};
}

static inline JsonView gemini_model_get(const GeminiModel *m, const char *member) {
        return json_view_get(gemini_model_view(m), member);
}
