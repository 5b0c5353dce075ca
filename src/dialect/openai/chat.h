/* SPDX-License-Identifier: MIT */
#pragma once

/* The internal interface of the OpenAI chat dialect: request (dialect/openai/chat.c), messages and
 * answer. */

#include <json-c/json.h>

#include "base/json/write.h"
#include "base/limits.h"
#include "dialect/answer.h"
#include "dialect/dialect.h"
#include "dialect/gemini/model.h"

#define OPENAI_ID_MAX 128U /* a longer responseId is not used */

typedef struct OpenaiChoice {
        Buf text; /* not streaming: all of it */
        bool has_begun; /* streaming: the delta with the role was sent */
} OpenaiChoice;

typedef struct OpenaiChat {
        Translation t;
        char request_id[REQUEST_ID_MAX + 1];
        uint64_t created;
        bool include_usage;
        bool has_stop; /* stop sequences, so that an empty answer may be the right one */
        const char *service_tier;                     /* OpenAI's name of the tier used */
        char id[sizeof("chatcmpl-") + OPENAI_ID_MAX]; /* "" before the first event */
        char why[256];                                /* the last finishMessage, clean */
        Answer answer;
        OpenaiChoice choices[CANDIDATES_MAX]; /* of its candidates */
        Buf head; /* streaming: the beginning of all chunks */
        Buf text; /* of the current candidate */
} OpenaiChat;

/* A 400 that names the field. */
#define openai_refuse(e, param, ...) (api_error_set(e, 400, param, __VA_ARGS__), DIALECT_E_REFUSED)

/* --- dialect/openai/messages.c --- */
/* The first checks all of `messages`; the second writes them: "systemInstruction" and "contents". */
int openai_messages_check(struct json_object *messages, ApiError *ret_error);
void openai_messages_write(struct json_object *messages, GeminiTraits traits, JWriter *w);

/* --- dialect/openai/chat-answer.c --- */
int openai_chat_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict);
int openai_chat_finish(Translation *t, Buf *out, Verdict *ret_verdict);
void openai_chat_stream_error(Translation *t, const ApiError *e, Buf *out);
void openai_chat_reset(Translation *t);
