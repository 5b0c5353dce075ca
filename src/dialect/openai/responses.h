/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The OpenAI Responses dialect: an answer is a list of items. Its request is read by the parts that chat has
 * (request.h), and so is Gemini's answer (answer.h); these files have what differs:
 *
 *     responses.c          the table of the fields
 *     responses-input.c    input: its items become turns
 *     responses-history.c  previous_response_id, item_reference, and keeping a response
 *     responses-tools.c    tools, tool_choice
 *     responses-echo.c     the members of the answer that repeat the request
 *     responses-other.c    input_tokens, compact
 *     responses-answer.c   Gemini's parts become items; the end
 *     responses-item.c     the items of text and thoughts, and the events of a stream
 *     responses-call.c     the items of calls
 */

#include "dialect/openai/answer.h"
#include "dialect/openai/call.h"
#include "dialect/openai/request.h"

#define RESPONSE_ID_MAX 40U /* "resp_" and 32 digits */

/* The item that is being written. */
typedef enum ResponseItem {
        RESPONSE_NOTHING,
        RESPONSE_REASONING,
        RESPONSE_MESSAGE,
        RESPONSE_CODE, /* that Gemini runs: code_interpreter_call */
} ResponseItem;

/* How much of the answer there is. A hop that fails is tried again from here: chat-continue.c. */
typedef struct ResponsePlace {
        ResponseItem open;
        unsigned n_items; /* that are done */
        size_t n_output;
        uint64_t sequence;
} ResponsePlace;

typedef struct OpenaiResponse {
        ResponsePlace at, hop; /* hop: at the end of the last one */
        Buf output;            /* the items that are done: elements of an array, as JSON */
        Buf text;              /* of the item that is open */
        Buf probs;             /* its logprobs: elements of an array */
        Buf signature;         /* that no item has yet: a string, as JSON */
        Buf hop_text, hop_probs, hop_signature;
        Buf echo;              /* an object of the members that repeat the request */
        bool wants_signatures; /* include has reasoning.encrypted_content */
        bool runs_code;        /* code_interpreter is declared */
        bool is_stored;        /* it is kept when it is done: */
        ResponseStore *store;
        uint64_t client;
        Buf input;             /* its own input: an array */
        uint64_t n_tokens;     /* of input_tokens */
        OpenaiChat chat;       /* last, see openai_chat_init() */
} OpenaiResponse;

static inline OpenaiResponse *openai_response(OpenaiChat *chat) {
        return CONTAINER_OF(chat, OpenaiResponse, chat);
}

/* --- responses-answer.c --- */

extern const OpenaiWriter openai_response_writer;
int openai_response_continue(OpenaiResponse *r); /* DIALECT_E_MORE: the answer needs another request */
int openai_response_finish(Translation *t, Buf *out, Verdict *ret_verdict);
void openai_response_stream_error(Translation *t, const ApiError *e, Buf *out);
void openai_response_reset(Translation *t);

/* --- responses-item.c --- */

/* Opens an event of a stream; the caller writes the members that it has, and closes it. */
JWriter response_event(OpenaiResponse *r, const char *type, Buf *out);
void response_event_end(JWriter *w);
/* The same for an event of an item: with `item_id` and `output_index`. */
JWriter response_item_event(OpenaiResponse *r, const char *type, const char *id, Buf *out);
bool response_streams(const OpenaiResponse *r);

/* Begins the stream, unless it has begun. */
void response_begin(OpenaiResponse *r, Buf *out);

void response_write_usage(const OpenaiChat *chat, JWriter *w);
/* The response as it is now. `error`: why it has failed, or NULL. */
void response_write(OpenaiResponse *r, const char *status, const ApiError *error, const char *key,
                    JWriter *w);

const char *response_status(const OpenaiResponse *r); /* at its end */

/* The id of the item that is next or open. */
void response_item_id(const OpenaiResponse *r, const char *prefix, char ret[static RESPONSE_ID_MAX + 8]);

void response_open(OpenaiResponse *r, ResponseItem item, Buf *out);
void response_add(OpenaiResponse *r, const char *text, size_t n, Buf *out); /* to the item that is open */
void response_close(OpenaiResponse *r, const char *status, Buf *out);

/* Appends an item that is done, and that `w` has just written to `output`. */
JWriter response_item_begin(OpenaiResponse *r);
void response_item_done(OpenaiResponse *r, size_t from, Buf *out);

/* --- responses-call.c --- */

void response_call(OpenaiResponse *r, const GeminiPart *p, Buf *out);
