/* SPDX-License-Identifier: MIT */

/* Events of a stream. Each has its type twice: clients read the line `event:`. */

#include "base/text.h"
#include "dialect/anthropic/answer.h"

JWriter anthropic_event_open(Buf *out, const char *type) {
        JWriter w = JWRITER_INIT(out);

        (void) buf_puts(out, "event: ");
        (void) buf_puts(out, type);
        (void) buf_puts(out, "\ndata: ");
        jwrite_object(&w, NULL);
        jwrite_string(&w, "type", type);
        return w;
}

void anthropic_event_close(JWriter *w) {
        jwrite_end(w);
        (void) buf_puts(w->buf, "\n\n");
}

/* What Gemini had cached is counted apart from the rest of the prompt. Thoughts are the answer's. */
static void write_usage(const AnthropicMessage *m, JWriter *w) {
        Usage u = anthropic_hops_usage(m);

        jwrite_object(w, "usage");
        jwrite_uint(w, "input_tokens", u.prompt - MIN(u.cached, u.prompt));
        jwrite_uint(w, "cache_creation_input_tokens", 0);
        jwrite_uint(w, "cache_read_input_tokens", u.cached);
        jwrite_uint(w, "output_tokens", u.completion);
        jwrite_object(w, "output_tokens_details");
        jwrite_uint(w, "thinking_tokens", u.thoughts);
        jwrite_end(w);
        if (m->content.n_searches > 0) {
                jwrite_object(w, "server_tool_use");
                jwrite_uint(w, "web_search_requests", m->content.n_searches);
                jwrite_uint(w, "web_fetch_requests", 0);
                jwrite_end(w);
        } else
                jwrite_null(w, "server_tool_use");
        jwrite_string(w, "service_tier", "standard");
        jwrite_end(w);
}

/* What of its reasons Anthropic has a category for. */
static const char *category_of(const char *native) {
        static const char *const harms[] = { "SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY",
                                             "IMAGE_PROHIBITED_CONTENT" };

        for (size_t i = 0; i < ELEMENTSOF(harms); i++)
                if (streq(native, harms[i]))
                        return "general_harms";
        return NULL;
}

static void write_stop(const AnthropicMessage *m, const char *reason, JWriter *w) {
        const char *native = answer_native_finish(&m->answer, 0);
        char why[FINISH_REASON_MAX + ANSWER_WHY_MAX + 32];

        jwrite_string(w, "stop_reason", reason);
        jwrite_null(w, "stop_sequence"); /* Gemini does not say which one it was */
        if (!streq_ptr(reason, "refusal")) {
                jwrite_null(w, "stop_details");
                return;
        }
        text_copy(why, sizeof(why), native[0] ? native : "refused");
        if (m->why[0]) {
                size_t n = text_append(why, sizeof(why), strlen(why), ": ");

                (void) text_append(why, sizeof(why), n, m->why);
        }
        jwrite_object(w, "stop_details");
        jwrite_string(w, "type", "refusal");
        jwrite_string(w, "category", category_of(native));
        jwrite_string(w, "explanation", why);
        jwrite_end(w);
}

/* Up to the content. */
static void write_head(const AnthropicMessage *m, JWriter *w) {
        jwrite_string(w, "id", m->id);
        jwrite_string(w, "type", "message");
        jwrite_string(w, "role", "assistant");
        jwrite_string(w, "model", m->t.model);
        jwrite_array(w, "content");
}

void anthropic_message_begin(AnthropicMessage *m, Buf *out) {
        JWriter w;

        if (m->content.has_begun)
                return;
        m->content.has_begun = true;
        w = anthropic_event_open(out, "message_start");
        jwrite_object(&w, "message");
        write_head(m, &w);
        jwrite_end(&w);
        write_stop(m, NULL, &w);
        write_usage(m, &w);
        jwrite_end(&w);
        anthropic_event_close(&w);
        (void) buf_puts(out, m->t.dialect->ping);
}

void anthropic_message_end(AnthropicMessage *m, const char *reason, Buf *out) {
        JWriter w;

        anthropic_message_begin(m, out);
        anthropic_block_close(m, out);
        w = anthropic_event_open(out, "message_delta");
        jwrite_object(&w, "delta");
        write_stop(m, reason, &w);
        jwrite_end(&w);
        write_usage(m, &w);
        anthropic_event_close(&w);
        w = anthropic_event_open(out, "message_stop");
        anthropic_event_close(&w);
}

void anthropic_message_write(AnthropicMessage *m, const char *reason, JWriter *w) {
        const Buf *done = &m->content.done;

        anthropic_block_close(m, NULL);
        jwrite_object(w, NULL);
        write_head(m, w);
        if (done->n > 0)
                (void) buf_append(w->buf, buf_data(done), done->n);
        jwrite_end(w);
        write_stop(m, reason, w);
        write_usage(m, w);
        jwrite_end(w);
}
