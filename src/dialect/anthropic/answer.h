/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How Anthropic's answer is written, in one piece or as a stream of events. answer.c reads Gemini's events
 * and decides; these files write:
 *
 *     answer-block.c   blocks, one after the other
 *     answer-event.c   events of the stream, and the usage
 *     answer-search.c  blocks about Google's search, and citations
 *     answer-hops.c    joins the answers of several requests
 */

#include "base/json/copy.h"
#include "dialect/anthropic/messages.h"
#include "dialect/hops.h"

/* --- answer-event.c --- */

/* Opens an event of this type up to its further members; after that anthropic_event_close(). */
JWriter anthropic_event_open(Buf *out, const char *type);
void anthropic_event_close(JWriter *w);
void anthropic_message_begin(AnthropicMessage *m, Buf *out); /* message_start, unless it was written */
void anthropic_message_end(AnthropicMessage *m, const char *reason, Buf *out);
/* Of an answer in one piece. */
void anthropic_message_write(AnthropicMessage *m, const char *reason, JWriter *w);

/* --- answer-block.c --- */

/* A piece of text: of a string, and of plain bytes. */
void anthropic_text_add(AnthropicMessage *m, JsonView string, Buf *out);
void anthropic_text_add_plain(AnthropicMessage *m, const char *s, size_t n, Buf *out);
void anthropic_thought_add(AnthropicMessage *m, JsonView string, Buf *out);
/* The open block of thoughts has this signature; if none is open, there is one without a text. */
void anthropic_thought_sign(AnthropicMessage *m, JsonView signature, Buf *out);
void anthropic_text_cite(AnthropicMessage *m, const Buf *citation, Buf *out); /* an object, as JSON */
void anthropic_block_close(AnthropicMessage *m, Buf *out);

/* A use of a tool: `type` is tool_use or server_tool_use; `name` and `input` are JSON. */
void anthropic_use_add(AnthropicMessage *m, const char *type, const char *id, JsonView name, JsonView input,
                       Buf *out);
void anthropic_block_add(AnthropicMessage *m, const Buf *block, Buf *out); /* whole, as JSON */

/* --- answer-search.c --- */
void anthropic_search_end(AnthropicMessage *m, Buf *out);

/* --- answer-hops.c --- */
int anthropic_hops_continue(AnthropicMessage *m); /* DIALECT_E_MORE; 0: the answer is complete; -ENOMEM */
void anthropic_hops_restore(AnthropicMessage *m); /* back to the end of the last hop */
AnthropicHops *anthropic_hops_free(AnthropicHops *hops);
Usage anthropic_hops_usage(const AnthropicMessage *m); /* the sum */
