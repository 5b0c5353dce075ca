/* SPDX-License-Identifier: MIT */
#pragma once

/* The OpenAI chat dialect: what its request leaves for its answer. */

#include "base/json/write.h"
#include "base/limits.h"
#include "dialect/answer.h"
#include "dialect/dialect.h"
#include "dialect/part.h"
#include "dialect/signature.h"
#include "dialect/sound.h"
#include "dialect/tool-names.h"

#define OPENAI_ID_MAX 128U /* a longer responseId is not used */

typedef struct OpenaiChoice {
        Buf text;     /* all of it; of a stream without a search, the beginning (OPENAI_CITE_TEXT_MAX) */
        Buf thoughts; /* not streaming, like the next two: all of them */
        Buf calls, media; /* elements of an array, as JSON */
        Buf logprobs;     /* likewise; streaming: those that were not sent yet */
        Buf grounding, citations;   /* groundingMetadata and citationMetadata of its events: arrays */
        Buf parts; /* uint32_t: where each part of Gemini's answer but the first begins in the text */
        unsigned n_parts, last_part; /* chat-cite.c */
        Buf annotations;            /* made of them: elements of an array, as JSON */
        Buf signature;              /* of its text: a string, as JSON */
        Buf ids;                    /* of its calls so far: uint32_t, a digest of each */
        unsigned n_calls, n_images, n_sounds, n_annotations;
        bool has_begun; /* streaming: the delta with the role was sent */
} OpenaiChoice;

typedef struct OpenaiHops OpenaiHops;
typedef struct OpenaiChat OpenaiChat;

/* How the parts of an answer are written: as messages and chunks of chat, or as items of a response. */
typedef struct OpenaiWriter {
        void (*begin)(OpenaiChat *chat, const char *id);
        /* Returns whether the part is content. */
        bool (*part)(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out);
        void (*flush)(OpenaiChat *chat, size_t index, Buf *out); /* the event's last part */
} OpenaiWriter;

extern const OpenaiWriter openai_chat_writer;

struct OpenaiChat {
        Translation t;
        const OpenaiWriter *writer;
        char request_id[REQUEST_ID_MAX + 1];
        uint64_t created, nonce;
        bool include_usage;
        bool is_completion; /* of /v1/completions: a choice has a text, no message */
        bool is_response;   /* of /v1/responses: openai/responses.h */
        bool has_stop; /* stop sequences, so that an empty answer may be the right one */
        const char *service_tier;                     /* OpenAI's name of the tier used */
        char id[sizeof("chatcmpl-") + OPENAI_ID_MAX]; /* "" before the first event */
        char why[ANSWER_WHY_MAX + 1];                 /* the last finishMessage, clean */
        uint64_t digest;                              /* call_answer_digest(); 0: not yet known */
        Answer answer;
        Buf head; /* streaming: the beginning of all chunks */
        Buf text;     /* of the current candidate's event */
        JsonView signature; /* of that text, or none */
        Buf continuation;   /* the last continuationToken of the first candidate: a string, as JSON */
        OpenaiHops *hops;   /* the answers of the requests before: chat-continue.c; NULL: there were none */

        /* Of the request, for the answer: */
        ToolNames names;
        const ToolName *json_function; /* a call of it is the answer: its arguments are the text. Or NULL */
        bool is_one_call;   /* parallel_tool_calls is false: of several calls only the first is passed on */
        bool has_functions; /* of the old form: a call is the message's `function_call`, without an id */
        bool has_thoughts; /* they are asked for: the answer shows them */
        bool has_logprobs;
        bool may_cite; /* Google's search may name sources of the text */
        ChatImages images;
        bool has_audio;        /* sound is requested */
        char audio_format[16]; /* OpenAI's name: "wav", "pcm16"; "" if the client has none */
        Sound sound;           /* of the first candidate; in a stream, of the present event */
        Buf echo; /* /v1/completions: the prompt, which each text begins with; or nothing */
        Vault *vault; /* of thought signatures; or NULL */

        size_t n_ready; /* how many of the choices are in use: the others are not set */
        OpenaiChoice choices[CANDIDATES_MAX]; /* last, see openai_chat_init() */
};

/* --- dialect/openai/request.c --- */
void openai_chat_init(OpenaiChat *chat, const Dialect *dialect, const DialectContext *c, size_t body_size);
void openai_chat_done(OpenaiChat *chat);

/* --- dialect/openai/chat-answer.c --- */
void openai_answer_init(OpenaiChat *chat);
void openai_answer_done(OpenaiChat *chat);
int openai_chat_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict);
int openai_chat_finish(Translation *t, Buf *out, Verdict *ret_verdict);
void openai_chat_stream_error(Translation *t, const ApiError *e, Buf *out);
void openai_chat_reset(Translation *t);
