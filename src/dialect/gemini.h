/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading Gemini's own JSON (v1beta GenerateContentResponse): a view over the json-c tree that every dialect
 * takes its facts from. Everything is optional there and enums are open: what is missing is empty, what is
 * unknown passes.
 */

#include <json-c/json.h>

#include "base/buf.h"
#include "core/verdict.h"
#include "dialect/gemini-error.h"

typedef struct GeminiEvent GeminiEvent;

struct GeminiEvent {
        struct json_object *root;       /* owned */
        struct json_object *candidates; /* array or NULL; borrowed from root */
        size_t n_candidates;
        const char *response_id, *model_version; /* or NULL */
        const char *block_reason;                /* of promptFeedback; NULL if the prompt passed */
        const char *service_tier;                /* "standard", "flex", "priority", or NULL */
        bool has_usage;
        Usage usage;
};

typedef struct GeminiCandidate {
        uint64_t index;
        struct json_object *parts;  /* array or NULL */
        const char *finish_reason;  /* or NULL */
        const char *finish_message; /* or NULL */
} GeminiCandidate;

/* 0; DIALECT_E_VERDICT if the text is an error object (also array-wrapped), no JSON, or no object: then
 * the verdict says how it classes; -ENOMEM. */
int gemini_event_parse(const char *json, size_t n, GeminiEvent *ret, Verdict *ret_verdict);
void gemini_event_done(GeminiEvent *e);

void gemini_event_candidate(const GeminiEvent *e, size_t i, GeminiCandidate *ret);

/* Appends what a part says to the reader: its text; code that Gemini ran, and what that printed, in
 * fences. Nothing for thoughts and for kinds that are no text. */
int gemini_part_append(struct json_object *part, Buf *out);
