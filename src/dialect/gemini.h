/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading Gemini's own JSON (v1beta GenerateContentResponse): a view over the json-c tree that every dialect takes
 * its facts from. Everything is optional there and enums are open: what is missing is empty, what is unknown passes.
 */

#include <json-c/json.h>

#include "base/secret.h"
#include "core/verdict.h"

typedef struct GeminiEvent GeminiEvent;

struct GeminiEvent {
        struct json_object *root; /* owned */
        struct json_object *candidates; /* array or NULL; borrowed from root */
        size_t n_candidates;
        const char *response_id, *model_version; /* or NULL */
        const char *block_reason;                /* of promptFeedback; NULL if the prompt passed */
        bool has_usage;
        Usage usage;
};

typedef struct GeminiCandidate {
        uint64_t index;
        struct json_object *parts;  /* array or NULL */
        const char *finish_reason;  /* or NULL */
        const char *finish_message; /* or NULL */
} GeminiCandidate;

/* 0; DIALECT_E_VERDICT if the text is an error object (also array-wrapped), no JSON, or no object: then the verdict says
 * how it classes; -ENOMEM. */
int gemini_event_parse(const char *json, size_t n, GeminiEvent *ret, Verdict *ret_verdict);
void gemini_event_done(GeminiEvent *e);

void gemini_event_candidate(const GeminiEvent *e, size_t i, GeminiCandidate *ret);

/* The text of a part that is answer text, not thought; NULL for any other part. */
const char *gemini_part_text(struct json_object *part, size_t *ret_n);

/* --- dialect/gemini-error --- */
/* Classes an upstream answer that is an error: `status` HTTP, body may be JSON, an array, HTML, or nothing. By
 * details first, then message, then status. `key` is scrubbed out of the message. */
void gemini_error_classify(int status, const char *body, size_t n, const Secret *key, Verdict *ret);
