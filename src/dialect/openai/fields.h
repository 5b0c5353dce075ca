/* SPDX-License-Identifier: MIT */
#pragma once

/* The members of a chat request and of a request to /v1/responses, and those of the member `google`. */

#include "dialect/check.h"

/* In this order they are read. */
typedef enum ChatField {
        CHAT_MODEL,
        CHAT_STREAM,
        CHAT_STREAM_OPTIONS,
        CHAT_STORE,
        CHAT_SERVICE_TIER,
        CHAT_STOP,
        CHAT_TEMPERATURE,
        CHAT_TOP_P,
        CHAT_N,
        CHAT_MAX_COMPLETION_TOKENS,
        CHAT_MAX_TOKENS,
        CHAT_SEED,
        CHAT_FREQUENCY_PENALTY,
        CHAT_PRESENCE_PENALTY,
        CHAT_LOGPROBS,
        CHAT_TOP_LOGPROBS,
        CHAT_REASONING_EFFORT,
        CHAT_REASONING,
        CHAT_INCLUDE,
        CHAT_EXTRA_BODY,
        CHAT_GOOGLE,
        CHAT_FUNCTIONS,
        CHAT_TOOLS,
        CHAT_WEB_SEARCH_OPTIONS,
        CHAT_FUNCTION_CALL,
        CHAT_TOOL_CHOICE,
        CHAT_PARALLEL_TOOL_CALLS,
        CHAT_MODALITIES,
        CHAT_AUDIO,
        CHAT_RESPONSE_FORMAT,
        CHAT_TEXT,
        CHAT_BACKGROUND,
        CHAT_CONVERSATION,
        CHAT_PROMPT,
        CHAT_PREVIOUS,
        CHAT_INSTRUCTIONS,
        CHAT_MESSAGES, /* of the Responses API: input */
        CHAT_PROMPT_CACHE_KEY,
        CHAT_USER,
        CHAT_SAFETY_IDENTIFIER,
        CHAT_METADATA,
        CHAT_PROMPT_CACHE_RETENTION,
        CHAT_PROMPT_CACHE_OPTIONS,
        CHAT_PREDICTION,
        CHAT_VERBOSITY,
        CHAT_LOGIT_BIAS,
        CHAT_MODERATION,
        CHAT_TRUNCATION,
        CHAT_MAX_TOOL_CALLS,
        CHAT_CONTEXT_MANAGEMENT,
        _CHAT_FIELD_MAX,
} ChatField;

/* Members of `google` that are copied. */
typedef enum GoogleField {
        GOOGLE_SAFETY_SETTINGS,
        GOOGLE_CACHED_CONTENT,
        GOOGLE_LABELS,
        GOOGLE_IMAGE_CONFIG,
        GOOGLE_SPEECH_CONFIG,
        GOOGLE_MEDIA_RESOLUTION,
        GOOGLE_RESPONSE_MODALITIES,
        GOOGLE_THINKING_CONFIG,
        GOOGLE_TOOLS,
        GOOGLE_TOOL_CONFIG,
        _GOOGLE_FIELD_MAX,
} GoogleField;

typedef struct ChatRequest ChatRequest;

/* A field of a protocol. `read`, if there is one, gets a value of one of the types. */
typedef struct ChatFieldRow {
        const char *name; /* NULL: the protocol does not have it */
        size_t n_name;
        JsonTypes types;
        int (*read)(ChatRequest *q, JsonView v); /* 0, DIALECT_E_REFUSED, -errno */
} ChatFieldRow;
