/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A chat request while it is translated. Its body is checked once, and an index is made of it; everything
 * is read in place, by views. chat.c has the table of the fields, request.c reads it; each group of fields
 * has a file:
 *
 *     google.c      google, extra_body: Google's own members
 *     tools.c       tools, functions, tool_choice, function_call, web_search_options
 *     response-format.c  response_format, text.format
 *     modalities.c  modalities, audio
 *     messages.c    messages; content.c: their parts
 *     config.c      generationConfig: numbers, stop, and what the others have read
 */

#include "base/json/cursor.h"
#include "base/json/write.h"
#include "dialect/check.h"
#include "dialect/context.h"
#include "dialect/format.h"
#include "dialect/openai/chat.h"
#include "dialect/openai/fields.h"
#include "dialect/thinking.h"
#include "dialect/tool-list.h"
#include "dialect/turns.h"

typedef enum ChatModality {
        MODALITY_TEXT = 1 << 0,
        MODALITY_IMAGE = 1 << 1,
        MODALITY_AUDIO = 1 << 2,
} ChatModality;

struct ChatRequest {
        const DialectContext *context;
        const ChatFieldRow *table; /* of the protocol: _CHAT_FIELD_MAX rows */
        OpenaiChat *chat;
        const ModelRules *rules;
        const char *model; /* as it is asked upstream */
        JsonView fields[_CHAT_FIELD_MAX];
        JsonView google[_GOOGLE_FIELD_MAX];
        Turns turns;

        ToolList tools;

        Thinking thinking;
        Format format;
        ChatModality modalities; /* 0: none is requested */
        JsonView voice;          /* a string, or none */
        unsigned n_stop;         /* stop strings that are not empty */

        ChatField required;
        bool counts; /* the tokens of the request are asked for, no answer */
        ApiError *error;
};

/* Reads the body and writes Gemini's request; `chat` is set. 0, DIALECT_E_REFUSED, -errno. */
int chat_translate(ChatRequest *q, JsonView root, size_t body_size);
void chat_request_done(ChatRequest *q);
void chat_allow(ChatRequest *q, size_t n); /* so many bytes belong to the request, besides its body */

#define chat_check_type(q, ...) check_type((q)->error, __VA_ARGS__)
#define chat_refuse(q, ...)     check_refuse((q)->error, __VA_ARGS__)

/* One more declaration, zeroed, valid until the next. 0, a refusal, -ENOMEM. */
int chat_add_tool(ChatRequest *q, ToolDecl **ret);

/* Each reads one field, which is of one of its types. 0, DIALECT_E_REFUSED, -errno. */
int chat_read_model(ChatRequest *q, JsonView v);
int chat_read_stream(ChatRequest *q, JsonView v);
int chat_read_parallel(ChatRequest *q, JsonView v);
int chat_read_conversation(ChatRequest *q, JsonView v); /* its name */
int chat_read_extra_body(ChatRequest *q, JsonView v);
int chat_read_google(ChatRequest *q, JsonView v);
int chat_read_tools(ChatRequest *q, JsonView v);
int chat_read_functions(ChatRequest *q, JsonView v);
int chat_read_web_search(ChatRequest *q, JsonView v);
int chat_read_google_tools(ChatRequest *q, JsonView v);
int chat_read_tool_choice(ChatRequest *q, JsonView v);
int chat_read_function_call(ChatRequest *q, JsonView v);
int chat_read_modalities(ChatRequest *q, JsonView v);
int chat_read_audio(ChatRequest *q, JsonView v);
int chat_read_text(ChatRequest *q, JsonView v);
int chat_read_response_format(ChatRequest *q, JsonView v);
int chat_read_messages(ChatRequest *q, JsonView v);

/* Reads one part of a message's content as the role's; its place is for the refusal. */
typedef struct ChatPlace {
        const char *list, *member; /* "messages" and "content", for example */
        const char *kinds;         /* what a part's type must be */
        size_t message, part;
        TurnRole role;
} ChatPlace;


int chat_read_part(ChatRequest *q, JsonView part, const ChatPlace *at);
