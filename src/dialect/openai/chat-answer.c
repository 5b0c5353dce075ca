/* SPDX-License-Identifier: MIT */

/*
 * Translates Gemini's answer to OpenAI's: one object, or a stream of chunks.
 *
 * When streaming, a candidate's text is sent as it arrives; everything that ends the answer (finish
 * reasons, usage, [DONE]) waits for openai_chat_finish(). So a stream that breaks off never looks like a
 * complete one, text after a finishReason is not lost, and whether a candidate is empty is judged when all
 * are known. The delta with the role is held back until there is content, because until then another key
 * may be tried.
 *
 * Gemini's finishReason is an open enum and is kept unchanged. Reasons without an OpenAI equivalent,
 * malformed and unknown ones become "stop" after a text. If no candidate has a text or a better reason,
 * there is no answer, and the exchange gets a verdict. A blocked prompt is an answer: HTTP 200, no content,
 * "content_filter". A block that comes after a text ends it in the same way, and so does a reason about the
 * account behind the key.
 */

#include <stdio.h>

#include "base/text.h"
#include "dialect/error-shape.h"
#include "dialect/gemini/event.h"
#include "dialect/json.h"
#include "dialect/message.h"
#include "dialect/openai/chat.h"
#include "dialect/part.h"

static const struct {
        const char *gemini, *openai;
} finish_reasons[] = {
        { "STOP", "stop" },
        { "MAX_TOKENS", "length" },
        { "CONTINUATION", "length" },
        { "SAFETY", "content_filter" },
        { "RECITATION", "content_filter" },
        { "LANGUAGE", "content_filter" },
        { "BLOCKLIST", "content_filter" },
        { "PROHIBITED_CONTENT", "content_filter" },
        { "SPII", "content_filter" },
        { "IMAGE_SAFETY", "content_filter" },
        { "IMAGE_PROHIBITED_CONTENT", "content_filter" },
        { "IMAGE_RECITATION", "content_filter" },
        { "IMAGE_OTHER", "content_filter" },
};

/* NULL: OpenAI has no equivalent. */
static const char *finish_reason(const char *gemini) {
        for (size_t i = 0; i < ELEMENTSOF(finish_reasons); i++)
                if (streq(gemini, finish_reasons[i].gemini))
                        return finish_reasons[i].openai;
        return NULL;
}

/* The beginning of an answer and of every chunk, up to the open array of choices. */
static void write_head(const OpenaiChat *chat, const char *object, JWriter *w) {
        jwrite_object(w, NULL);
        jwrite_string(w, "id", chat->id);
        jwrite_string(w, "object", object);
        jwrite_uint(w, "created", chat->created);
        jwrite_string(w, "model", chat->t.served[0] ? chat->t.served : chat->t.model);
        jwrite_array(w, "choices");
}

static void write_usage(const Usage *u, JWriter *w) {
        jwrite_object(w, "usage");
        jwrite_uint(w, "prompt_tokens", u->prompt);
        jwrite_uint(w, "completion_tokens", u->completion);
        jwrite_uint(w, "total_tokens", u->total);
        jwrite_object(w, "prompt_tokens_details");
        jwrite_uint(w, "cached_tokens", u->cached);
        jwrite_end(w);
        jwrite_object(w, "completion_tokens_details");
        jwrite_uint(w, "reasoning_tokens", u->thoughts);
        jwrite_end(w);
        jwrite_end(w);
}

/* --- chunks: written by hand, because only the text differs --- */

static void open_chunk(const OpenaiChat *chat, size_t index, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        (void) buf_append(out, buf_data(&chat->head), chat->head.n);
        jwrite_object(&w, NULL);
        jwrite_uint(&w, "index", index);
        (void) buf_puts(out, ",\"delta\":");
}

static void close_chunk(const OpenaiChat *chat, const char *finish, Buf *out) {
        (void) buf_puts(out, ",\"logprobs\":null,\"finish_reason\":");
        if (finish)
                jwrite_quote(out, finish, strlen(finish));
        else
                (void) buf_puts(out, "null");
        (void) buf_puts(out, chat->include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n");
}

static void begin_choice(OpenaiChat *chat, size_t index, Buf *out) {
        if (chat->choices[index].has_begun)
                return;
        chat->choices[index].has_begun = true;
        open_chunk(chat, index, out);
        (void) buf_puts(out, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
        close_chunk(chat, NULL, out);
}

static void stream_text(OpenaiChat *chat, size_t index, Buf *out) {
        begin_choice(chat, index, out);
        open_chunk(chat, index, out);
        (void) buf_puts(out, "{\"content\":");
        jwrite_quote(out, buf_data(&chat->text), chat->text.n);
        (void) buf_putc(out, '}');
        close_chunk(chat, NULL, out);
}

static void stream_finish(OpenaiChat *chat, size_t index, const char *finish, Buf *out) {
        begin_choice(chat, index, out);
        open_chunk(chat, index, out);
        (void) buf_puts(out, "{}");
        close_chunk(chat, finish, out);
}

static void stream_end(const OpenaiChat *chat, Buf *out) {
        if (chat->include_usage) {
                JWriter w = JWRITER_INIT(out);

                (void) buf_puts(out, "data: ");
                write_head(chat, "chat.completion.chunk", &w);
                jwrite_end(&w);
                write_usage(&chat->t.usage, &w);
                jwrite_end(&w);
                (void) buf_puts(out, "\n\n");
        }
        (void) buf_puts(out, "data: [DONE]\n\n");
}

/* --- events --- */

static void note_first(OpenaiChat *chat, const GeminiEvent *e) {
        JWriter w = JWRITER_INIT(&chat->head);
        char id[OPENAI_ID_MAX + 1];

        if (chat->id[0])
                return;
        text_copy(id, sizeof(id), e->response_id);
        secret_scrub(id, chat->t.key);
        (void) snprintf(chat->id, sizeof(chat->id), "chatcmpl-%s",
                        id[0] && streq(id, e->response_id) ? id : chat->request_id);
        if (translation_streams(&chat->t)) {
                (void) buf_puts(&chat->head, "data: ");
                write_head(chat, "chat.completion.chunk", &w);
        }
}

/* Keeps Google's message in case the candidate stays empty. */
static void note_finish_message(OpenaiChat *chat, const GeminiCandidate *c) {
        _cleanup_buf_ Buf clean = BUF_INIT(UPSTREAM_ERROR_MAX);

        if (message_clean(c->finish_message, strlen(c->finish_message), chat->t.key, &clean) >= 0)
                text_copy(chat->why, sizeof(chat->why), buf_cstr(&clean));
}

static void note_tier(OpenaiChat *chat, const GeminiEvent *e) {
        char tier[16];

        if (json_view_is_null(e->service_tier))
                return;
        json_view_copy(e->service_tier, tier, sizeof(tier));
        if (strcaseeq(tier, "flex") || strcaseeq(tier, "priority"))
                chat->service_tier = strcaseeq(tier, "flex") ? "flex" : "priority";
}

static int note_candidate(OpenaiChat *chat, GeminiCandidate *c, Buf *out) {
        AnswerCandidate *candidate = answer_note_candidate(&chat->answer, c);
        OpenaiChoice *choice;
        GeminiPart part;
        int r;

        if (!candidate)
                return 0;
        choice = &chat->choices[c->index];
        if (c->finish_reason[0])
                note_finish_message(chat, c);

        buf_clear(&chat->text);
        while (gemini_part_next(&c->parts, &part)) {
                if (!part.is_thought && gemini_part_has_content(&part))
                        candidate->has_more = true;
                r = gemini_part_append(&part, &chat->text);
                if (r < 0)
                        return r;
        }
        if (chat->text.n == 0)
                return 0;

        answer_note_content(&chat->answer, candidate);
        if (!translation_streams(&chat->t))
                return buf_append(&choice->text, buf_data(&chat->text), chat->text.n);
        stream_text(chat, c->index, out);
        return out->error;
}

int openai_chat_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        GeminiCandidate c;
        GeminiEvent e;
        int r;

        r = gemini_event_parse(json, n, &e, ret_verdict);
        if (r != 0)
                return r;

        note_first(chat, &e);
        gemini_event_count(&e, &t->counts, &t->usage);
        answer_note_event(&chat->answer, &e);
        note_tier(chat, &e);

        while (gemini_event_next(&e, &c)) {
                r = note_candidate(chat, &c, out);
                if (r < 0)
                        return r;
        }
        t->settled = answer_settled(&chat->answer);
        return 0;
}

/* --- the end --- */

static void write_choice(const OpenaiChat *chat, size_t index, const char *finish, JWriter *w) {
        const OpenaiChoice *choice = &chat->choices[index];

        jwrite_object(w, NULL);
        jwrite_uint(w, "index", index);
        jwrite_object(w, "message");
        jwrite_string(w, "role", "assistant");
        if (chat->answer.candidates[index].has_content || !streq(finish, "content_filter"))
                jwrite_string_n(w, "content", choice->text.n > 0 ? buf_data(&choice->text) : "",
                                choice->text.n);
        else
                jwrite_null(w, "content");
        jwrite_null(w, "refusal");
        jwrite_end(w);
        jwrite_null(w, "logprobs");
        jwrite_string(w, "finish_reason", finish);
        jwrite_end(w);
}

/* A reason with an OpenAI equivalent is an answer even without content. */
static bool is_answer(const char *finish) {
        return finish_reason(finish);
}

/* Gemini sometimes stops without a text, or after thoughts alone, and answers when it is asked again. */
static bool is_empty(const OpenaiChat *chat) {
        if (chat->has_stop || chat->answer.is_blocked)
                return false;
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                const AnswerCandidate *c = &chat->answer.candidates[i];

                if (c->has_content || c->has_more || (finish_reason(c->finish) && !streq(c->finish, "STOP")))
                        return false;
        }
        return true;
}

int openai_chat_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        JWriter w = JWRITER_INIT(out);
        bool any;

        if (!answer_judge(&chat->answer, translation_streams(t), is_answer, chat->why, ret_verdict))
                return DIALECT_E_VERDICT;

        any = answer_has_candidate(&chat->answer);
        if (!translation_streams(t))
                write_head(chat, "chat.completion", &w);
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                const AnswerCandidate *c = &chat->answer.candidates[i];
                const char *finish;

                if (any ? !c->is_seen : i > 0)
                        continue;
                finish = finish_reason(c->finish) ?: "stop";
                if ((chat->answer.is_blocked && !c->finish[0]) || answer_reason_is_about_account(c->finish))
                        finish = "content_filter";
                if (translation_streams(t))
                        stream_finish(chat, i, finish, out);
                else
                        write_choice(chat, i, finish, &w);
                t->finish_reason = t->finish_reason ?: finish;
        }
        if (translation_streams(t))
                stream_end(chat, out);
        else {
                jwrite_end(&w);
                write_usage(&t->usage, &w);
                jwrite_string(&w, "service_tier", chat->service_tier);
                jwrite_end(&w);
        }
        if (out->error < 0)
                return out->error;
        if (answer_blames(&chat->answer, chat->why, ret_verdict))
                return DIALECT_E_BLAMED;
        if (!is_empty(chat))
                return 0;
        verdict_init(ret_verdict, VERDICT_OVERLOAD, 200, "an answer without content, STOP");
        return DIALECT_E_EMPTY;
}

void openai_chat_stream_error(Translation *t, const ApiError *e, Buf *out) {
        (void) buf_puts(out, "data: ");
        error_shape_openai.write(e, NULL, out);
        (void) buf_puts(out, "\n\n");
}

void openai_chat_reset(Translation *t) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);

        t->counts = (GeminiCounts){};
        t->usage = (Usage){};
        t->finish_reason = NULL;
        t->settled = 0;
        answer_reset(&chat->answer);
        chat->service_tier = "default";
        chat->id[0] = chat->why[0] = 0;
        buf_clear(&chat->head);
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                OpenaiChoice *choice = &chat->choices[i];

                buf_clear(&choice->text);
                choice->has_begun = false;
        }
}
