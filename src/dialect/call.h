/* SPDX-License-Identifier: MIT */
#pragma once

/* Gemini's function calls on their way to a client: whose they are, their ids, their signatures. */

#include "core/vault.h"
#include "dialect/part.h"
#include "dialect/tool-names.h"

typedef struct Translation Translation;

#define CALL_ID_MAX 40U /* OpenAI's own limit */

/* A call that names no function is none. */
static inline bool call_has_name(const GeminiPart *p) {
        return json_view_is(p->name, '"') && !json_view_is_empty(p->name);
}

/* The function of the request; NULL: Gemini has invented it. */
const ToolName *call_find_tool(const ToolNames *names, const GeminiPart *p);

/* An id that no other call has: a call's id comes back with its result, so it must be unique in the
 * conversation. `answer`: call_answer_digest(). Returns its length. */
uint64_t call_answer_digest(const char *id, const char *request_id, uint64_t created);
size_t call_make_id(const char *prefix, uint64_t answer, size_t candidate, unsigned call,
                    char ret[static CALL_ID_MAX + 1]);

/* Keeps the call's signature, if it has one, for the next turn of the conversation. `vault` may be NULL. */
void call_remember(Vault *vault, const Translation *t, const char *id, const ToolName *tool,
                   const GeminiPart *p, uint64_t created);

/* Its arguments: an object, also if Gemini has sent none. */
JsonView call_arguments(const GeminiPart *p);
