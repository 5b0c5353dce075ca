/* SPDX-License-Identifier: MIT */

/*
 * What can be asked about the input of a response, besides the response.
 *
 * POST /v1/responses/input_tokens: Gemini's countTokens, of the request that would be sent.
 *
 * POST /v1/responses/compact: a shorter input. Gemini is asked for a summary, which becomes an item of the
 * type `compaction`; its encrypted_content is the summary in base64, behind a mark. It is no secret: it is
 * the client's own conversation. In a later input the item is the summary as the user's text.
 */

#include <stdio.h>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/gemini/event.h"
#include "dialect/openai/responses-request.h"

#define MARK "gemgate-summary-1:"
#define SUMMARY_MAX (1U << 20)

/* --- input_tokens --- */

static int count_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                         ApiError *ret_error) {
        return openai_response_request(c, body, n, RESPONSES_COUNT, ret, ret_error);
}

static int count_event(Translation *t, const char *json, size_t n, Buf *out _unused_, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        GeminiEvent e;
        int r;

        r = gemini_event_parse(json, n, &e, ret_verdict);
        if (r != 0)
                return r;
        answer_note_event(&chat->answer, &e, t->key);
        openai_response(chat)->n_tokens = json_view_count(json_view_get(e.root, "totalTokens"));
        return 0;
}

static int count_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        JWriter w = JWRITER_INIT(out);

        if (answer_is_foreign(&chat->answer, ret_verdict))
                return DIALECT_E_VERDICT;
        jwrite_object(&w, NULL);
        jwrite_string(&w, "object", "response.input_tokens");
        jwrite_uint(&w, "input_tokens", openai_response(chat)->n_tokens);
        jwrite_end(&w);
        return out->error;
}

const Dialect dialect_openai_input_tokens = {
        .name = "openai-input-tokens",
        .names_responses = true,
        .request = count_request,
        .event = count_event,
        .finish = count_finish,
        .stream_error = openai_response_stream_error,
        .reset = openai_response_reset,
        .drop_signatures = signatures_drop,
        .free = openai_response_free,
};

/* --- compact --- */

static int compact_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                           ApiError *ret_error) {
        return openai_response_request(c, body, n, RESPONSES_COMPACT, ret, ret_error);
}

void responses_ask_summary(ChatRequest *q) {
        static const char question[] =
                "\"Summarize the conversation above, so that it can be continued from your summary alone. "
                "Keep what the user wants, decisions, names, paths, numbers, code that matters, results of "
                "tools, and what is left to do. Answer with the summary alone.\"";

        turns_next_message(&q->turns);
        turns_text(&q->turns, TURN_USER, json_view(question, sizeof(question) - 1));
        q->tools.choice.mode = TOOL_NONE;
        q->tools.choice.n_names = 0;
        q->format.kind = FORMAT_TEXT;
        q->modalities = 0;
}

int responses_read_compaction(ChatRequest *q, JsonView item, JsonView *ret) {
        _cleanup_buf_ Buf bytes = BUF_INIT(SUMMARY_MAX + sizeof(MARK));
        JsonView content = json_view_inside(json_view_get(item, "encrypted_content"));
        Base64Reader reader = {};
        size_t n_mark = strlen(MARK);
        StoredText *t;
        int r;

        *ret = (JsonView){};
        if (content.p == content.end ||
            base64_read(&reader, content.p, (size_t) (content.end - content.p), &bytes) < 0 ||
            bytes.n <= n_mark || memcmp(buf_data(&bytes), MARK, n_mark) != 0 ||
            !text_is_utf8(buf_data(&bytes), bytes.n))
                return 0; /* another server's */
        r = responses_new_text(responses_request_of(q), &t);
        if (r < 0)
                return r;
        (void) buf_puts(&t->text, "\"Summary of the conversation so far:\\n");
        jwrite_escape(&t->text, buf_data(&bytes) + n_mark, bytes.n - n_mark);
        (void) buf_putc(&t->text, '"');
        if (t->text.error < 0)
                return t->text.error;
        chat_allow(q, t->text.n);
        *ret = json_view(buf_data(&t->text), t->text.n);
        return 0;
}

static void write_compaction(const OpenaiResponse *r, JWriter *w) {
        const Buf *text = &r->chat.choices[0].text;
        _cleanup_buf_ Buf marked = BUF_INIT(SUMMARY_MAX + sizeof(MARK));
        size_t n = text->n > SUMMARY_MAX ? text_utf8_prefix(buf_data(text), SUMMARY_MAX) : text->n;
        char id[RESPONSE_ID_MAX + 8];

        (void) buf_puts(&marked, MARK);
        (void) buf_append(&marked, buf_data(text), n);
        (void) snprintf(id, sizeof(id), "cmp_%.32s00", r->chat.id + strlen("resp_"));
        jwrite_object(w, NULL);
        jwrite_string(w, "id", id);
        jwrite_string(w, "type", "compaction");
        jwrite_raw(w, "encrypted_content", "\"");
        if (marked.error == 0)
                (void) base64_append(w->buf, (const uint8_t *) buf_data(&marked), marked.n);
        (void) buf_putc(w->buf, '"');
        jwrite_end(w);
}

static int compact_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        JWriter w = JWRITER_INIT(out);
        int r;

        if (!answer_judge(&chat->answer, false, openai_finish_is_answer, chat->why, ret_verdict))
                return DIALECT_E_VERDICT;
        r = openai_response_continue(openai_response(chat));
        if (r != 0)
                return r;
        if (chat->choices[0].text.n == 0) {
                verdict_init(ret_verdict, VERDICT_OVERLOAD, 200, "a summary without a text");
                return DIALECT_E_VERDICT;
        }
        t->finish_reason = openai_finish_of(chat, 0);
        jwrite_object(&w, NULL);
        jwrite_string(&w, "id", chat->id);
        jwrite_string(&w, "object", "response.compaction");
        jwrite_uint(&w, "created_at", chat->created);
        jwrite_array(&w, "output");
        write_compaction(openai_response(chat), &w);
        jwrite_end(&w);
        response_write_usage(chat, &w);
        jwrite_end(&w);
        return out->error;
}

const Dialect dialect_openai_compact = {
        .name = "openai-compact",
        .names_responses = true,
        .request = compact_request,
        .event = openai_chat_event,
        .finish = compact_finish,
        .stream_error = openai_response_stream_error,
        .reset = openai_response_reset,
        .drop_signatures = signatures_drop,
        .free = openai_response_free,
};
