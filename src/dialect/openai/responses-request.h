/* SPDX-License-Identifier: MIT */
#pragma once

/* A request to /v1/responses while it is translated, and what it names instead of sending it: responses
 * before it, and their items. */

#include "core/response-store.h"
#include "dialect/openai/responses.h"

/* A text of the store, to be read in place. */
typedef struct StoredText {
        Buf text;
        JsonIndex index;
        JsonView root;
        ResponseName name; /* of a response, which is loaded once; otherwise zero */
        size_t n_named;    /* bytes of its items that the request has named */
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
        bool compacts; /* a summary is asked for */
} ResponsesRequest;

static inline ResponsesRequest *responses_request_of(ChatRequest *q) {
        return CONTAINER_OF(q, ResponsesRequest, q);
}

int responses_new_text(ResponsesRequest *r, StoredText **ret); /* empty; -ENOMEM */
void responses_request_done(ResponsesRequest *r);

/* Loads the responses that previous_response_id leads to. 0, DIALECT_E_REFUSED, -errno. */
int responses_load_turns(ChatRequest *q);

/* The item of this id; `i`: of the reference, for the refusal. */
int responses_load_item(ChatRequest *q, JsonView id, size_t i, JsonView *ret);

/* Keeps the response under its id, if it is to be kept. */
void response_store(OpenaiResponse *r);

typedef enum ResponsesPurpose {
        RESPONSES_ANSWER,
        RESPONSES_COUNT,
        RESPONSES_COMPACT,
} ResponsesPurpose;

int openai_response_request(const DialectContext *c, const char *body, size_t n, ResponsesPurpose purpose,
                            Translation **ret, ApiError *ret_error);
Translation *openai_response_free(Translation *t);

void responses_ask_summary(ChatRequest *q);
int responses_read_compaction(ChatRequest *q, JsonView item, JsonView *ret); /* its text; or none */

int responses_read_tools(ChatRequest *q, JsonView v);
int responses_declare(ChatRequest *q, JsonView tools, const char *list); /* more of them, at this place */
int responses_read_tool_choice(ChatRequest *q, JsonView v);
int responses_read_reasoning(ChatRequest *q, JsonView v);
int responses_read_input(ChatRequest *q, JsonView v);

/* The name of a tool that a client runs, as turns have it; or none. */
JsonView responses_client_tool(JsonView type_of_item);

bool responses_knows_tool(JsonView type); /* OpenAI has this type of tool */

/* Writes OpenaiResponse.echo; behind all fields. */
void responses_echo(const ChatRequest *q);
