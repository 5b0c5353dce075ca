/* SPDX-License-Identifier: MIT */

/*
 * Gemini's answer, made OpenAI's: one object, or a stream of chunks.
 *
 * Streaming, a candidate's text goes out as it comes, and everything that ends the answer waits for
 * openai_chat_finish(): finish reasons, usage, [DONE]. So a stream that breaks off never looks like one that
 * ended well, text behind a finishReason isn't lost, and whether a candidate came to nothing is judged when
 * all of them are known. The delta with the role is held back until there is something to say, too: until
 * then another key may be tried.
 *
 * Gemini's finishReason is an open enum and is kept as the word it was. Those that no OpenAI word fits, the
 * malformed and the unknown, end as "stop" behind a text; where no candidate has a text or a better reason,
 * the answer is none, and the exchange is told so by a verdict. A blocked prompt is an answer: HTTP 200, no
 * content, "content_filter".
 */

#include <stdio.h>

#include "base/text.h"
#include "dialect/error-shape.h"
#include "dialect/gemini.h"
#include "dialect/json.h"
#include "dialect/message.h"
#include "dialect/openai-chat.h"

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

/* NULL where no word of OpenAI's fits. */
static const char *finish_reason(const char *gemini) {
        for (size_t i = 0; i < ELEMENTSOF(finish_reasons); i++)
                if (streq(gemini, finish_reasons[i].gemini))
                        return finish_reasons[i].openai;
        return NULL;
}

/* What an answer and every chunk begins with, up to the choices, which stay open. */
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

/* --- chunks: by hand, since all but the text is the same in each --- */

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

/* --- what is heard from upstream --- */

static void hear_first(OpenaiChat *chat, const GeminiEvent *e) {
        JWriter w = JWRITER_INIT(&chat->head);
        const char *id = e->response_id;

        if (chat->id[0])
                return;
        if (!id[0] || strlen(id) > OPENAI_ID_MAX)
                id = chat->request_id;
        (void) snprintf(chat->id, sizeof(chat->id), "chatcmpl-%.*s", (int) OPENAI_ID_MAX, id);
        if (translation_streams(&chat->t)) {
                (void) buf_puts(&chat->head, "data: ");
                write_head(chat, "chat.completion.chunk", &w);
        }
}

static void hear_finish(OpenaiChat *chat, OpenaiChoice *choice, const GeminiCandidate *c) {
        _cleanup_buf_ Buf clean = BUF_INIT(UPSTREAM_ERROR_MAX);

        text_copy(choice->finish, sizeof(choice->finish), c->finish_reason);

        /* In Google's words, for the case that it came to nothing. */
        if (message_clean(c->finish_message, strlen(c->finish_message), NULL, &clean) >= 0)
                text_copy(chat->why, sizeof(chat->why), buf_cstr(&clean));
}

static int hear_candidate(OpenaiChat *chat, GeminiCandidate *c, Buf *out) {
        OpenaiChoice *choice;
        JsonView part;
        int r;

        if (c->index >= CANDIDATES_MAX)
                return 0; /* more than can be asked for */
        choice = &chat->choices[c->index];
        choice->is_seen = true;
        if (c->finish_reason[0])
                hear_finish(chat, choice, c);

        buf_clear(&chat->text);
        while (json_next(&c->parts, NULL, &part)) {
                r = gemini_part_append(part, &chat->text);
                if (r < 0)
                        return r;
        }
        if (chat->text.n == 0)
                return 0;

        choice->has_text = true;
        if (!translation_streams(&chat->t))
                return buf_append(&choice->text, buf_data(&chat->text), chat->text.n);
        stream_text(chat, c->index, out);
        return out->error;
}

/* Proto3 leaves out an enum's zero, so a whole answer may lack its finishReason; a stream without one was
 * cut. */
static bool is_complete(const OpenaiChat *chat) {
        bool any = false;

        if (!translation_streams(&chat->t))
                return true;
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                if (!chat->choices[i].is_seen)
                        continue;
                if (!chat->choices[i].finish[0])
                        return false;
                any = true;
        }
        return any || chat->is_blocked;
}

int openai_chat_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        GeminiCandidate c;
        GeminiEvent e;
        int r;

        r = gemini_event_parse(json, n, &e, ret_verdict);
        if (r != 0)
                return r;

        hear_first(chat, &e);
        if (e.has_usage)
                t->usage = e.usage;
        if (e.block_reason[0])
                chat->is_blocked = true;
        if (strcaseeq(e.service_tier, "flex") || strcaseeq(e.service_tier, "priority"))
                chat->service_tier = strcaseeq(e.service_tier, "flex") ? "flex" : "priority";

        while (gemini_event_next(&e, &c)) {
                r = hear_candidate(chat, &c, out);
                if (r < 0)
                        return r;
        }
        t->complete = is_complete(chat);
        return 0;
}

/* --- the end --- */

static void write_choice(const OpenaiChoice *choice, size_t index, const char *finish, JWriter *w) {
        jwrite_object(w, NULL);
        jwrite_uint(w, "index", index);
        jwrite_object(w, "message");
        jwrite_string(w, "role", "assistant");
        if (choice->has_text || !streq(finish, "content_filter"))
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

/* Whether there is an answer at all; if not, the verdict says why. */
static bool judge(OpenaiChat *chat, Verdict *ret_verdict) {
        const char *word = NULL;
        char message[512];

        if (translation_streams(&chat->t) && !chat->t.complete) {
                verdict_init(ret_verdict, VERDICT_CUT, 0, "the stream ended without a finishReason");
                return false;
        }
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                const OpenaiChoice *choice = &chat->choices[i];

                if (choice->is_seen && (choice->has_text || finish_reason(choice->finish)))
                        return true;
                if (choice->is_seen && !word)
                        word = choice->finish;
        }
        if (!word && chat->is_blocked)
                return true;

        (void) snprintf(message, sizeof(message), "an answer without content%s%s%s%s",
                        strnull(word) ? "" : ", ", strempty(word), chat->why[0] ? ", " : "", chat->why);
        verdict_init(ret_verdict, VERDICT_OVERLOAD, 200, message);
        return false;
}

int openai_chat_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        JWriter w = JWRITER_INIT(out);
        bool any = false;

        if (!judge(chat, ret_verdict))
                return DIALECT_E_VERDICT;

        if (!translation_streams(t))
                write_head(chat, "chat.completion", &w);
        for (size_t i = 0; i < CANDIDATES_MAX; i++)
                any = any || chat->choices[i].is_seen;
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                const OpenaiChoice *choice = &chat->choices[i];
                const char *finish;

                if (any ? !choice->is_seen : i > 0)
                        continue;
                finish = any ? finish_reason(choice->finish) ?: "stop" : "content_filter";
                if (translation_streams(t))
                        stream_finish(chat, i, finish, out);
                else
                        write_choice(choice, i, finish, &w);
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
        return out->error;
}

void openai_chat_stream_error(Translation *t, const ApiError *e, Buf *out) {
        (void) buf_puts(out, "data: ");
        error_shape_openai.write(e, NULL, out);
        (void) buf_puts(out, "\n\n");
}

void openai_chat_reset(Translation *t) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);

        t->usage = (Usage){};
        t->finish_reason = NULL;
        t->complete = false;
        chat->is_blocked = false;
        chat->service_tier = "default";
        chat->id[0] = chat->why[0] = 0;
        buf_clear(&chat->head);
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                OpenaiChoice *choice = &chat->choices[i];

                buf_clear(&choice->text);
                choice->is_seen = choice->has_begun = choice->has_text = false;
                choice->finish[0] = 0;
        }
}
