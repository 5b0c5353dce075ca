/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a request goes, once its body is there: what it is in Gemini's words, to which model, and by which
 * engine. */

#include "pool/binding.h"
#include "server/request.h"

typedef struct Target {
        Translation *translation;
        char model[MODEL_NAME_MAX + 1]; /* as it goes upstream: an alias is resolved */
        const Fallback *fallback; /* what it may turn to, of q->config; or NULL */
        size_t n_fallbacks;       /* of it, so many were tried */
        uint64_t conversation; /* that it goes on with; 0: none that matters */
        char pinned[BINDING_NAME_MAX + 1]; /* a file or cached content that one project has; "" */
        bool cli; /* by way of the Gemini CLI, which is served a key when it asks in its turn */
} Target;

/* 0, with the translation to be freed; q->model is filled. DIALECT_E_REFUSED: see the error. -ENOMEM. */
int target_set(Request *q, Target *ret, ApiError *ret_error);

/* The same request to the next model of FALLBACK_MODELS, with a translation of its own in place of the
 * other. False, and all is as it was, if there is none. */
bool target_fall_back(Request *q, Target *c);
