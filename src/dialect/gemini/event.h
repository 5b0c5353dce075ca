/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading Gemini's own JSON (v1beta GenerateContentResponse), where it lies: what every dialect takes its
 * facts from. Everything is optional there and enums are open: what is missing is empty, what is
 * unknown passes.
 */

#include "base/buf.h"
#include "base/json/cursor.h"
#include "base/limits.h"
#include "core/verdict.h"
#include "dialect/gemini/error.h"

#define GEMINI_WORD_MAX 255U /* of a longer one this much is told */

typedef struct GeminiEvent GeminiEvent;

/* Its views are valid until the next event is parsed, for there is one index. */
struct GeminiEvent {
        JsonView root; /* of the bytes that were given, as all views are */
        JsonCursor candidates;
        char response_id[GEMINI_WORD_MAX + 1], model_version[GEMINI_WORD_MAX + 1]; /* or "" */
        char block_reason[GEMINI_WORD_MAX + 1]; /* of promptFeedback; "" if the prompt passed */
        char service_tier[GEMINI_WORD_MAX + 1]; /* "standard", "flex", "priority", or "" */
        bool has_usage;
        Usage usage;
};

typedef struct GeminiCandidate {
        uint64_t index;
        JsonCursor parts; /* see part.h */
        char finish_reason[GEMINI_WORD_MAX + 1];       /* or "" */
        char finish_message[UPSTREAM_MESSAGE_MAX + 1]; /* or "" */
} GeminiCandidate;

/* 0; DIALECT_E_VERDICT if the text is an error object (also array-wrapped), no JSON, or no object: then
 * the verdict says how it classes; -ENOMEM. */
int gemini_event_parse(const char *json, size_t n, GeminiEvent *ret, Verdict *ret_verdict);

bool gemini_event_next(GeminiEvent *e, GeminiCandidate *ret); /* false behind the last candidate */
