/* SPDX-License-Identifier: MIT */
#pragma once

/* The methods of Gemini's API; one enum for dialects, exchange and engines. */

#include "base/macros.h"

typedef enum GeminiMethod {
        GEMINI_GENERATE,     /* POST models/M:generateContent */
        GEMINI_STREAM,       /* POST models/M:streamGenerateContent?alt=sse */
        GEMINI_COUNT_TOKENS, /* POST models/M:countTokens */
        GEMINI_EMBED,        /* POST models/M:embedContent */
        GEMINI_EMBED_BATCH,  /* POST models/M:batchEmbedContents */
        GEMINI_PREDICT,      /* POST models/M:predict */
        GEMINI_PREDICT_LONG, /* POST models/M:predictLongRunning, whose answer is an operation */
        GEMINI_INTERACT,        /* POST interactions, decisions */
        GEMINI_INTERACT_STREAM, /* the same with `"stream": true` */
        GEMINI_WATCH,        /* GET interactions/I?stream=true: the events of one that there is */
        GEMINI_LIST_MODELS,  /* GET models?pageSize=1000 */
        GEMINI_RESOURCE,     /* files, cached contents, uploads: described by EngineResource */
        _GEMINI_METHOD_MAX,
} GeminiMethod;

/* The method at the end of a path, `{model}:{method}`; -EINVAL if it is not a method with a model.
 * `ret_n_model` is the length of the part before the colon. */
int gemini_method_of_path(const char *rest, size_t *ret_n_model, GeminiMethod *ret);

const char *gemini_method_name(GeminiMethod m); /* "countTokens"; NULL: its path has no model */

/* The answer is a stream of events. */
static inline bool gemini_method_streams(GeminiMethod m) {
        return m == GEMINI_STREAM || m == GEMINI_INTERACT_STREAM || m == GEMINI_WATCH;
}

/* What another model can answer as well. */
static inline bool gemini_method_may_fall_back(GeminiMethod m) {
        return m <= GEMINI_STREAM || m == GEMINI_INTERACT || m == GEMINI_INTERACT_STREAM;
}

/* The body is no list of contents: it may name any kind of thing at Google (names.h). */
static inline bool gemini_method_names_all(GeminiMethod m) {
        return m >= GEMINI_PREDICT;
}

/* The answer is generated: it has candidates. */
static inline bool gemini_method_generates(GeminiMethod m) {
        return m == GEMINI_GENERATE || m == GEMINI_STREAM;
}

/* The request counts against the model's quota. */
static inline bool gemini_method_counts(GeminiMethod m) {
        return m != GEMINI_COUNT_TOKENS && m < GEMINI_WATCH;
}
