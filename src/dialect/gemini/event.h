/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reads Gemini's own JSON (v1beta GenerateContentResponse) in place, for all dialects. Every member is
 * optional and enums are open: a missing member is empty, an unknown value is accepted.
 */

#include "base/buf.h"
#include "base/json/cursor.h"
#include "base/limits.h"
#include "core/verdict.h"
#include "dialect/gemini/error.h"

#define GEMINI_WORD_MAX 255U /* longer ones are cut off */

typedef struct GeminiEvent GeminiEvent;

/* Its views are valid until the next event is parsed, because there is only one index. */
struct GeminiEvent {
        JsonView root; /* of the input bytes, like all views */
        JsonCursor candidates;
        char response_id[GEMINI_WORD_MAX + 1], model_version[GEMINI_WORD_MAX + 1]; /* or "" */
        char block_reason[GEMINI_WORD_MAX + 1]; /* of promptFeedback; "" if the prompt passed */
        bool is_foreign; /* it has members, but none of Gemini's */
        bool has_usage;
        JsonView usage;        /* usageMetadata */
        JsonView service_tier; /* of it: "standard", "flex", "priority"; set by gemini_event_count() */
};

/* A count of Google's: small enough that sums of a few are exact in every JSON reader. */
uint64_t gemini_count(JsonView v);

/* The counts of usageMetadata. */
typedef enum GeminiCount {
        GEMINI_COUNT_PROMPT,
        GEMINI_COUNT_TOOLS,
        GEMINI_COUNT_CACHED,
        GEMINI_COUNT_THOUGHTS,
        GEMINI_COUNT_CANDIDATES,
        GEMINI_COUNT_TOTAL,
        _GEMINI_COUNT_MAX,
} GeminiCount;

/* The kinds of tokens. Those of a document are text, those of a video are images. */
typedef enum GeminiModality {
        GEMINI_MODALITY_TEXT,
        GEMINI_MODALITY_IMAGE,
        GEMINI_MODALITY_AUDIO,
        _GEMINI_MODALITY_MAX,
} GeminiModality;

typedef struct GeminiKinds {
        uint64_t n[_GEMINI_MODALITY_MAX];
        bool is_known;
} GeminiKinds;

typedef struct GeminiCounts {
        uint64_t n[_GEMINI_COUNT_MAX];
        GeminiKinds prompt, tools, answer; /* promptTokensDetails, toolUse…, candidatesTokensDetails */
} GeminiCounts;

typedef struct GeminiCandidate {
        uint64_t index;
        JsonCursor parts; /* see part.h */
        JsonView grounding, citations, logprobs; /* groundingMetadata, citationMetadata, logprobsResult */
        JsonView continuation; /* continuationToken */
        char finish_reason[GEMINI_WORD_MAX + 1];       /* or "" */
        char finish_message[UPSTREAM_MESSAGE_MAX + 1]; /* or "" */
} GeminiCandidate;

/* True if the text is JSON. Then it is not checked again when it is parsed, until it may change and must be
 * forgotten. */
bool gemini_event_prepare(const char *json, size_t n);
void gemini_event_forget(void);

/* 0; DIALECT_E_VERDICT if the text is an error object (also inside an array), not JSON, or not an object:
 * the verdict has the class; -ENOMEM. */
int gemini_event_parse(const char *json, size_t n, GeminiEvent *ret, Verdict *ret_verdict);

/* Finds an error in a text that should have been events: an object with `error`, or an array of those,
 * perhaps with something around it. */
bool gemini_event_find_error(const char *text, size_t n, const char **ret, size_t *ret_n);

/* Merges the event's counts into those of the events before it: a count that it does not have keeps its
 * value, because the last usageMetadata of a stream may be partial. *ret is the sum, and is untouched if the
 * event has no usage. */
void gemini_event_count(GeminiEvent *e, GeminiCounts *counts, Usage *ret);

/* Sums of several answers. */
void gemini_kinds_add(GeminiKinds *k, const GeminiKinds *more);
void gemini_counts_add_kinds(GeminiCounts *c, const GeminiCounts *more);

bool gemini_event_next(GeminiEvent *e, GeminiCandidate *ret); /* false after the last candidate */
