/* SPDX-License-Identifier: MIT */
#pragma once

/* What Gemini's API is asked for. One enum from the dialects to the engines. */

#include "base/macros.h"

typedef enum GeminiMethod {
        GEMINI_GENERATE,     /* POST models/M:generateContent */
        GEMINI_STREAM,       /* POST models/M:streamGenerateContent?alt=sse */
        GEMINI_COUNT_TOKENS, /* POST models/M:countTokens */
        GEMINI_LIST_MODELS,  /* GET models?pageSize=1000 */
        GEMINI_RESOURCE,     /* files, cached contents, uploads: what the EngineResource says */
        _GEMINI_METHOD_MAX,
} GeminiMethod;

/* The method of a path's end, `{model}:{method}`; -EINVAL if it is none of those with a model. `ret_n_model`
 * is the length of what is before the colon. */
int gemini_method_of_path(const char *rest, size_t *ret_n_model, GeminiMethod *ret);

/* The answer is a stream of events. */
static inline bool gemini_method_streams(GeminiMethod m) {
        return m == GEMINI_STREAM;
}

/* The model writes an answer, so it is one of the requests that its quota counts. */
static inline bool gemini_method_generates(GeminiMethod m) {
        return m == GEMINI_GENERATE || m == GEMINI_STREAM;
}
