/* SPDX-License-Identifier: MIT */
#pragma once

/* What a request to /v1/responses names instead of sending it: responses before it, and their items. */

#include "dialect/openai/request.h"

/* A text of the store, to be read in place. */
typedef struct StoredText {
        Buf text;
        JsonIndex index;
        JsonView root;
} StoredText;

/* A response before this one. */
typedef struct StoredTurn {
        StoredText *input, *response;
} StoredTurn;

typedef struct ResponsesRequest {
        ChatRequest q;
        StoredText **texts; /* all that was loaded; the turns of the request refer to them */
        size_t n_texts, n_texts_allocated;
        StoredTurn *turns; /* the oldest is first */
        size_t n_turns;
} ResponsesRequest;

static inline ResponsesRequest *responses_request_of(ChatRequest *q) {
        return CONTAINER_OF(q, ResponsesRequest, q);
}

void responses_request_done(ResponsesRequest *r);

/* Loads the responses that previous_response_id leads to. 0, DIALECT_E_REFUSED, -errno. */
int responses_load_turns(ChatRequest *q);

/* The item of this id; `i`: of the reference, for the refusal. */
int responses_load_item(ChatRequest *q, JsonView id, size_t i, JsonView *ret);

/* Keeps the response under its id, if it is to be kept. `response`: as the client has it. */
typedef struct OpenaiResponse OpenaiResponse;
void response_store(OpenaiResponse *r);
