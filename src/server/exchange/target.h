/* SPDX-License-Identifier: MIT */
#pragma once

/* The destination of a request with a complete body: its translation for Gemini, the model, and the
 * engine. */

#include "pool/binding.h"
#include "server/reading.h"
#include "server/request.h"

typedef struct Target {
        Translation *translation;
        char model[MODEL_NAME_MAX + 1]; /* as it goes upstream: an alias is resolved */
        const Fallback *fallback; /* its fallback models, in q->config; or NULL */
        size_t n_fallbacks;       /* how many of them were tried */
        uint64_t conversation; /* the conversation that it continues; 0: none */
        char pinned[BINDING_NAME_MAX + 1]; /* a file or cached content of one project; or "" */
        bool cli; /* through the Gemini CLI, whose own requests get a key later */
        Usage before; /* of the requests whose answers came before, see DIALECT_E_MORE */
        CliRequest *split; /* what the CLI gets, if that is known already; or NULL */
} Target;

/* 0, with a target that must be released; q->model is filled. DIALECT_E_REFUSED: see the error. -ENOMEM. */
int target_set(Request *q, Target *ret, ApiError *ret_error);
int target_take(Request *q, Reading *r, Target *ret, ApiError *ret_error); /* the worker has read the body */
void target_done(Target *target);

bool target_is_secret(const Request *q, const char *model); /* the name is a key or a token */

/* Whether a model is left that may be tried. */
static inline bool target_has_fallback(const Target *target) {
        return target->fallback && target->n_fallbacks < target->fallback->n_instead;
}

/* Sends the same request to the next model of FALLBACK_MODELS, with a new translation that replaces the
 * other. False if there is none, and nothing is changed. */
bool target_fall_back(Request *q, Target *target);

/* The two halves of that, for a large body: the model for which the worker then translates it (NULL: none is
 * left), and what it has translated. False if the request is invalid for that model. */
const char *target_next_model(Request *q, Target *target);
bool target_take_fallback(Request *q, Reading *r, Target *target);
