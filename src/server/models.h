/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * GET /v1/models and /v1/models/{id}: Gemini's list, asked for through any usable key, kept for ten minutes,
 * and the configured aliases. Requests that come while it is being fetched wait for that one fetch; when
 * fetching fails an older list is served if there is one.
 */

#include "server/http.h"

int model_list_new(Http *h, ModelList **ret);
ModelList *model_list_free(ModelList *l);
DEFINE_CLEANUP(ModelList *, model_list_free);

void model_list_forget(ModelList *l); /* it is of another Gemini: the next request asks anew */

void models_list(Request *q); /* GET /v1/models */
void models_get(Request *q);  /* GET /v1/models/{id}; Request.rest */
