/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * GET /v1/models and /v1/models/{id}: Gemini's list, asked for through any usable key, kept for ten minutes,
 * and the configured aliases. Requests that come while it is being fetched wait for that one fetch; when
 * fetching fails an older list is served if there is one.
 */

#include "server/request.h"

int model_list_new(Http *h, ModelList **ret);
ModelList *model_list_free(ModelList *l);
DEFINE_CLEANUP(ModelList *, model_list_free);

void model_list_forget(ModelList *l); /* it is of another Gemini: the next request asks anew */

int models_list(Request *q, ApiError *ret_error); /* GET /v1/models */
int models_get(Request *q, ApiError *ret_error);  /* GET /v1/models/{id}; Request.rest */
