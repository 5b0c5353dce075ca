/* SPDX-License-Identifier: MIT */
#pragma once

/* One call of a function, as both of OpenAI's protocols write it: chat-call.c. */

#include "dialect/openai/answer.h"

typedef struct OpenaiCall {
        char id[CALL_ID_MAX + 1]; /* plain: JSON needs no escape */
        size_t n_id;
        const ToolName *tool; /* of the request; NULL: Gemini has invented it */
        const GeminiPart *part;
} OpenaiCall;

/* The candidate's next call: its id is chosen, and its signature goes into the vault. The caller counts it.
 * False: the client takes no more calls. */
bool openai_call_begin(OpenaiChat *chat, size_t index, const GeminiPart *p, OpenaiCall *ret);

void openai_call_write_name(const OpenaiCall *c, JWriter *w);
void openai_call_write_arguments(const OpenaiCall *c, const char *key, JWriter *w); /* as a string */
/* The text of a custom tool. */
void openai_call_write_input(const OpenaiCall *c, const char *key, JWriter *w);
