/* SPDX-License-Identifier: MIT */

/* Chunks of a stream. They are written by hand, because only the delta differs. */

#include "dialect/openai/answer.h"

void openai_head_write(const OpenaiChat *chat, bool is_chunk, JWriter *w) {
        const char *object = is_chunk ? "chat.completion.chunk" : "chat.completion";

        jwrite_object(w, NULL);
        jwrite_string(w, "id", chat->id);
        jwrite_string(w, "object", chat->is_completion ? "text_completion" : object);
        jwrite_uint(w, "created", chat->created);
        jwrite_string(w, "model", chat->t.served[0] ? chat->t.served : chat->t.model);
        jwrite_array(w, "choices");
}

void openai_chunk_begin(OpenaiChat *chat) {
        JWriter w = JWRITER_INIT(&chat->head);

        (void) buf_puts(&chat->head, "data: ");
        openai_head_write(chat, true, &w);
}

static void open_chunk(const OpenaiChat *chat, size_t index, Buf *out) {
        static_assert(CANDIDATES_MAX <= 10, "the index is one digit");

        (void) buf_append(out, buf_data(&chat->head), chat->head.n);
        (void) buf_puts(out, "{\"index\":");
        (void) buf_putc(out, (char) ('0' + index));
        (void) buf_puts(out, chat->is_completion ? ",\"text\":" : ",\"delta\":");
}

static void close_chunk(const OpenaiChat *chat, const Buf *logprobs, const char *finish, const char *native,
                        Buf *out) {
        if (logprobs && logprobs->n > 0) {
                JWriter w = JWRITER_INIT(out);

                (void) buf_puts(out, ",\"logprobs\":");
                openai_logprobs_write(logprobs, NULL, &w);
                (void) buf_puts(out, ",\"finish_reason\":");
        } else
                (void) buf_puts(out, ",\"logprobs\":null,\"finish_reason\":");
        if (finish)
                jwrite_quote(out, finish, strlen(finish));
        else
                (void) buf_puts(out, "null");
        if (native) {
                (void) buf_puts(out, ",\"native_finish_reason\":");
                jwrite_quote(out, native, strlen(native));
        }
        (void) buf_puts(out, chat->include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n");
}

static void begin_choice(OpenaiChat *chat, size_t index, Buf *out) {
        if (chat->choices[index].has_begun)
                return;
        chat->choices[index].has_begun = true;
        if (chat->is_completion && chat->echo.n == 0)
                return;
        open_chunk(chat, index, out);
        if (chat->is_completion)
                jwrite_quote(out, buf_data(&chat->echo), chat->echo.n);
        else
                (void) buf_puts(out, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
        close_chunk(chat, NULL, NULL, NULL, out);
}

void openai_chunk_open(OpenaiChat *chat, size_t index, Buf *out) {
        begin_choice(chat, index, out);
        open_chunk(chat, index, out);
}

void openai_chunk_close(const OpenaiChat *chat, Buf *out) {
        close_chunk(chat, NULL, NULL, NULL, out);
}

void openai_chunk_close_text(OpenaiChat *chat, size_t index, Buf *out) {
        Buf *logprobs = &chat->choices[index].logprobs;

        close_chunk(chat, logprobs, NULL, NULL, out);
        buf_clear(logprobs);
}

void openai_chunk_finish(OpenaiChat *chat, size_t index, const char *finish, const char *native, Buf *out) {
        openai_chunk_open(chat, index, out);
        (void) buf_puts(out, chat->is_completion ? "\"\"" : "{}");
        close_chunk(chat, &chat->choices[index].logprobs, finish, native, out);
}

void openai_chunk_end(const OpenaiChat *chat, Buf *out) {
        if (chat->include_usage) {
                JWriter w = JWRITER_INIT(out);

                (void) buf_puts(out, "data: ");
                openai_head_write(chat, true, &w);
                jwrite_end(&w);
                openai_usage_write(&chat->t, chat->hops, &w);
                jwrite_end(&w);
                (void) buf_puts(out, "\n\n");
        }
        (void) buf_puts(out, "data: [DONE]\n\n");
}
