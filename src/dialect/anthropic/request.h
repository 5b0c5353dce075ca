/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A Messages request while it is translated. Its body is checked once, with an index, and read in place.
 * messages.c has the table of the fields; each group of fields has a file:
 *
 *     config.c    numbers, stop_sequences, thinking, output_config
 *     tools.c     tools, tool_choice; client-tools.c: the tools whose schema only Anthropic's models know
 *     content.c   system and messages; block.c: their blocks
 */

#include "base/json/cursor.h"
#include "base/json/write.h"
#include "dialect/anthropic/messages.h"
#include "dialect/check.h"
#include "dialect/format.h"
#include "dialect/thinking.h"
#include "dialect/tool-list.h"
#include "dialect/turns.h"

/* In this order they are read. */
typedef enum AnthropicField {
        ANTHROPIC_MODEL,
        ANTHROPIC_THREAD,
        ANTHROPIC_STREAM,
        ANTHROPIC_MAX_TOKENS,
        ANTHROPIC_TEMPERATURE,
        ANTHROPIC_TOP_P,
        ANTHROPIC_TOP_K,
        ANTHROPIC_STOP_SEQUENCES,
        ANTHROPIC_THINKING_FIELD,
        ANTHROPIC_OUTPUT_FORMAT,
        ANTHROPIC_OUTPUT_CONFIG,
        ANTHROPIC_TOOLS,
        ANTHROPIC_TOOL_CHOICE,
        ANTHROPIC_MCP_SERVERS,
        ANTHROPIC_SYSTEM,
        ANTHROPIC_MESSAGES,
        _ANTHROPIC_FIELD_MAX,
} AnthropicField;

typedef struct AnthropicRequest {
        const DialectContext *context;
        AnthropicMessage *message;
        const ModelRules *rules;
        const char *model; /* as it is asked upstream */
        JsonView fields[_ANTHROPIC_FIELD_MAX];
        Turns turns;
        ToolList tools;
        Thinking thinking;
        Format format;
        JsonView signature;  /* of the message's last block of thoughts, not used yet */
        bool has_text;       /* a text came after it */
        Buf instructions;    /* a string, as JSON: a system text behind the attribution block; or nothing */
        ApiError *error;
} AnthropicRequest;

/* Each reads one field, which is of one of its types. 0, DIALECT_E_REFUSED, -errno. */
int anthropic_read_stop(AnthropicRequest *q, JsonView v);
int anthropic_read_thinking(AnthropicRequest *q, JsonView v);
int anthropic_read_output_format(AnthropicRequest *q, JsonView v);
int anthropic_read_output_config(AnthropicRequest *q, JsonView v);
int anthropic_read_tools(AnthropicRequest *q, JsonView v);
int anthropic_read_tool_choice(AnthropicRequest *q, JsonView v);
int anthropic_read_system(AnthropicRequest *q, JsonView v);
int anthropic_read_messages(AnthropicRequest *q, JsonView v);

/* After all fields are read. */
int anthropic_check_numbers(AnthropicRequest *q);
int anthropic_settle_tools(AnthropicRequest *q);

/* "generationConfig", if there is anything in it. */
void anthropic_write_config(AnthropicRequest *q, JWriter *w);

/* The place of a block, for the refusal: messages[1].content[2].content[3]. */
typedef struct AnthropicPlace {
        TurnRole role;
        size_t message, block, inner;
        bool is_system; /* system[block] */
        bool is_inner;
} AnthropicPlace;

int anthropic_read_block(AnthropicRequest *q, JsonView block, const AnthropicPlace *at);
int anthropic_check_at(AnthropicRequest *q, JsonView v, JsonTypes types, const AnthropicPlace *at,
                       const char *member);
int anthropic_refuse_at(AnthropicRequest *q, const char *fault, const AnthropicPlace *at,
                        const char *member);
