/* SPDX-License-Identifier: MIT */
#pragma once

/* The Anthropic Messages dialect: what its request leaves for its answer, and the answer. */

#include "base/json/write.h"
#include "base/limits.h"
#include "dialect/answer.h"
#include "dialect/dialect.h"
#include "dialect/part.h"
#include "dialect/tool-names.h"

#define ANTHROPIC_ID_MAX 64U /* a longer responseId is not used */

typedef enum AnthropicBlock {
        ANTHROPIC_NONE,
        ANTHROPIC_TEXT,
        ANTHROPIC_THINKING,
} AnthropicBlock;

typedef struct AnthropicHops AnthropicHops;

/* The content of the answer so far: answer-block.c. */
typedef struct AnthropicContent {
        AnthropicBlock open; /* a block that more may be added to */
        unsigned n;          /* blocks, with the open one */
        Buf done;            /* not streaming: elements of an array, as JSON */
        Buf text;            /* not streaming: what the open block has so far, within quotes */
        Buf signature;       /* of the open block of thoughts: a string, as JSON */
        Buf citations;       /* not streaming, of the open text: elements of an array, as JSON */
        Buf grounding;       /* groundingMetadata of the events: an array; or nothing */
        unsigned n_calls, n_codes, n_code_results, n_searches;
        bool has_begun; /* streaming: message_start was written */
} AnthropicContent;

typedef struct AnthropicMessage {
        Translation t;
        char request_id[REQUEST_ID_MAX + 1];
        uint64_t created;
        char id[sizeof("msg_") + ANTHROPIC_ID_MAX]; /* "" before the first event */
        char why[ANSWER_WHY_MAX + 1];               /* the last finishMessage, clean */
        Answer answer;
        AnthropicContent content;
        Buf continuation; /* the last continuationToken: a string, as JSON */
        AnthropicHops *hops; /* the answers of the requests before; NULL: there were none */

        /* Of the request, for the answer: */
        ToolNames names;
        const ToolName *json_function; /* a call of it is the answer: its arguments are the text. Or NULL */
        bool is_one_call;  /* of several calls only the first is passed on */
        bool has_stop;     /* stop sequences, so that an empty answer may be the right one */
        bool has_thinking; /* blocks of thoughts are expected, if only for their signatures */
        bool has_thoughts; /* … with their text */
        bool has_search;   /* Google's search is answered with blocks */
        uint64_t n_tokens; /* of count_tokens: the answer */
        Vault *vault;      /* of thought signatures; or NULL */
} AnthropicMessage;

/* --- messages.c: a request of either method --- */
int anthropic_request(const DialectContext *c, const char *body, size_t n, bool counts, Translation **ret,
                      ApiError *ret_error);
Translation *anthropic_free(Translation *t);

/* --- answer.c --- */
void anthropic_answer_init(AnthropicMessage *m);
void anthropic_answer_done(AnthropicMessage *m);
int anthropic_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict);
int anthropic_finish(Translation *t, Buf *out, Verdict *ret_verdict);
void anthropic_stream_error(Translation *t, const ApiError *e, Buf *out);
void anthropic_reset(Translation *t);
