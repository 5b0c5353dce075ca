/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How OpenAI's answer is written, in one piece or as a stream of chunks. chat-answer.c reads Gemini's events
 * and decides; these files write:
 *
 *     chat-chunk.c     one chunk of a stream
 *     completions.c    choices of /v1/completions
 *     chat-call.c      tool calls
 *     chat-media.c     images
 *     chat-sound.c     sound
 *     chat-cite.c      annotations: sources of the text
 *     chat-logprobs.c  logprobs
 *     chat-usage.c     usage
 *
 * chat-continue.c joins the answers of several requests.
 */

#include "base/json/copy.h"
#include "dialect/call.h"
#include "dialect/openai/chat-continue.h"
#include "dialect/openai/chat.h"
#include "dialect/part.h"

/* --- chat-answer.c --- */

/* OpenAI's name of a finishReason; NULL: it has no equivalent. */
const char *openai_finish_reason(const char *gemini);

bool openai_finish_is_answer(const char *finish); /* also without content */
/* How the candidate has ended, in OpenAI's words. */
const char *openai_finish_of(const OpenaiChat *chat, size_t index);
bool openai_answer_is_empty(const OpenaiChat *chat); /* another key may have a better one */
void openai_keep_signature(const OpenaiChat *chat, OpenaiChoice *choice); /* of the present text */

/* --- chat-chunk.c --- */

/* Begins the stream's answer: what all chunks begin with. The id must be set. */
void openai_chunk_begin(OpenaiChat *chat);
/* Opens a chunk of this candidate up to the value of "delta" (of /v1/completions: "text"), which the caller
 * writes to `out`; after that openai_chunk_close(). The first chunk of a candidate, with the role, comes
 * before it. */
void openai_chunk_open(OpenaiChat *chat, size_t index, Buf *out);
void openai_chunk_close(const OpenaiChat *chat, Buf *out);
/* With the candidate's logprobs that were not sent yet; so does openai_chunk_finish(). */
void openai_chunk_close_text(OpenaiChat *chat, size_t index, Buf *out);
void openai_chunk_finish(OpenaiChat *chat, size_t index, const char *finish, const char *native, Buf *out);
void openai_chunk_end(const OpenaiChat *chat, Buf *out); /* the usage, if it is asked for, and [DONE] */

/* The beginning of an answer and of every chunk, up to the open array of choices. */
void openai_head_write(const OpenaiChat *chat, bool is_chunk, JWriter *w);

/* --- chat-call.c --- */

/* A call of a function, the candidate's next. `out` is the stream's. */
void openai_call_add(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out);
void openai_calls_write(const OpenaiChat *chat, size_t index, JWriter *w); /* of a whole message */
/* The call is the JSON that response_format asked for: its arguments are the text. */
bool openai_call_is_json(const OpenaiChat *chat, const GeminiPart *p);
void openai_call_write_extra(JsonView signature, JWriter *w); /* "extra_content" */

/* --- chat-media.c --- */

/* False: it is shown as text, and was appended to chat->text, or it cannot be shown. */
bool openai_media_add(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out);
void openai_media_write(const OpenaiChat *chat, size_t index, JWriter *w);

/* --- chat-sound.c --- */

/* False: it is no sound, or of a kind that is not known. */
bool openai_sound_add(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out);
void openai_sound_write(const OpenaiChat *chat, size_t index, JWriter *w); /* of a whole message */
void openai_sound_end(OpenaiChat *chat, size_t index, Buf *out);           /* of a stream */

/* --- chat-cite.c --- */

/* Bytes of a stream's text that are kept for the offsets without a search: sources are rare there. */
#define OPENAI_CITE_TEXT_MAX (256U << 10)

/* Takes the sources of a candidate's event; at the end of Gemini's answer, when all of its text is known,
 * they become annotations. */
void openai_cite_add(OpenaiChat *chat, const GeminiCandidate *c);
void openai_cite_end(OpenaiChat *chat, size_t index);
/* Before the text of a part: notes where it begins. */
void openai_cite_part(OpenaiChat *chat, size_t index, const GeminiPart *p, bool is_first_of_event);
void openai_cite_write(const OpenaiChat *chat, size_t index, JWriter *w);

/* --- chat-logprobs.c --- */

/* Appends the event's entries to the candidate's; in a stream its next chunk of text has them, or its last
 * chunk. */
void openai_logprobs_add(OpenaiChat *chat, const GeminiCandidate *c);
void openai_logprobs_write(const Buf *entries, const char *key, JWriter *w);

/* --- completions.c --- */

void openai_completion_write(const OpenaiChat *chat, size_t index, const char *finish, JWriter *w);

/* --- chat-usage.c --- */

/* The sum of all hops; hops may be NULL. */
void openai_usage_write(const Translation *t, const OpenaiHops *hops, JWriter *w);
