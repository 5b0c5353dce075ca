/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * GET /v1/models and /v1/models/{id}: Gemini's list, fetched with any usable key and kept for ten minutes,
 * and the configured aliases. Requests that arrive during a fetch wait for it; if it fails, an older list
 * is served if there is one.
 */

#include "server/request.h"

int model_list_new(Http *h, ModelList **ret);
ModelList *model_list_free(ModelList *l);
DEFINE_CLEANUP(ModelList *, model_list_free);

void model_list_forget(ModelList *l); /* the upstream has changed: the next request fetches again */

/* Whether Google lists the model: 1 or 0; -ENODATA: there is no list. With `fetch` one is fetched then:
 * -EINPROGRESS, and HttpParams.models_done is called at its end. */
int model_list_look(ModelList *l, const char *model, bool fetch);

int models_list(Request *q, ApiError *ret_error); /* GET /v1/models */
int models_get(Request *q, ApiError *ret_error);  /* GET /v1/models/{id}; Request.rest */
