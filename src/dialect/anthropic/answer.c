/* SPDX-License-Identifier: MIT */

/*
 * Translates Gemini's answer to Anthropic's: one message, or a stream of events. Only the first candidate
 * counts; no other is asked for.
 *
 * When streaming, texts and thoughts are sent as they arrive. message_start is held back until there is
 * content, because until then another key may be tried; everything that ends the answer waits for
 * anthropic_finish(). So a stream that breaks off never looks like a complete one.
 *
 * Gemini signs a call or a text, Anthropic's protocol has a signature of thoughts. If the client has asked
 * for thinking, a signature goes into the block of thoughts right before, which may be made for it, without
 * a text. Signatures of calls are also kept in the vault: clients without thinking send nothing back.
 */

#include <stdio.h>

#include "base/limits-continue.h"
#include "base/text.h"
#include "dialect/anthropic/answer.h"
#include "dialect/call.h"
#include "dialect/error-shape.h"
#include "dialect/grounding.h"

#define ID_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* --- events --- */

static void note_first(AnthropicMessage *m, const GeminiEvent *e) {
        char id[ANTHROPIC_ID_MAX + 1];

        if (m->id[0])
                return;
        text_copy(id, sizeof(id), e->response_id);
        secret_scrub(id, m->t.key);
        (void) snprintf(m->id, sizeof(m->id), "msg_%s",
                        id[0] && streq(id, e->response_id) && !id[strspn(id, ID_CHARS)] ? id
                                                                                        : m->request_id);
}

/* Before something else follows: the open thoughts are signed by what comes after them. */
static void sign_open(AnthropicMessage *m, const GeminiPart *p, Buf *out) {
        if (m->content.open == ANTHROPIC_THINKING && !json_view_is_empty(p->signature) && p->signature.p)
                anthropic_thought_sign(m, p->signature, out);
}

static void add_thought(AnthropicMessage *m, const GeminiPart *p, Buf *out) {
        if (!m->has_thoughts || p->kind != GEMINI_PART_TEXT)
                return;
        if (!json_view_is_empty(p->text))
                anthropic_thought_add(m, p->text, out);
        sign_open(m, p, out);
}

static void add_call(AnthropicMessage *m, const GeminiPart *p, Buf *out) {
        const ToolName *tool = call_find_tool(&m->names, p);
        _cleanup_buf_ Buf name = BUF_INIT(8 * TOOL_NAME_MAX);
        JsonView view = p->name;
        char id[CALL_ID_MAX + 1];

        if (m->content.n_calls > 0 && m->is_one_call)
                return;
        call_make_id("toolu_", call_answer_digest(m->id, m->request_id, m->created), 0, m->content.n_calls++,
                     id);
        call_remember(m->vault, &m->t, id, tool, p, m->created);
        if (m->has_thinking && p->signature.p && !json_view_is_empty(p->signature))
                anthropic_thought_sign(m, p->signature, out);
        if (tool) {
                jwrite_quote(&name, tool->original, tool->n_original);
                view = json_view(name.n > 0 ? buf_data(&name) : "\"\"", MAX(name.n, (size_t) 2));
        }
        anthropic_use_add(m, "tool_use", id, view, call_arguments(p), out);
}

/* --- code that Gemini runs: in the form of Anthropic's code_execution --- */

static void code_id(const AnthropicMessage *m, char ret[static CALL_ID_MAX + 1]) {
        call_make_id("srvtoolu_", call_answer_digest(m->id, m->request_id, m->created), 2,
                     m->content.n_codes, ret);
}

static void add_code(AnthropicMessage *m, const GeminiPart *p, Buf *out) {
        static const char name[] = "\"code_execution\"";
        _cleanup_buf_ Buf input = BUF_INIT(UPSTREAM_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&input);
        char id[CALL_ID_MAX + 1];

        m->content.n_codes++;
        code_id(m, id);
        jwrite_object(&w, NULL);
        if (p->text.p)
                json_copy_value(&w, "code", p->text);
        else
                jwrite_string(&w, "code", "");
        jwrite_end(&w);
        if (input.error == 0)
                anthropic_use_add(m, "server_tool_use", id, json_view(name, strlen(name)),
                                  json_view(buf_data(&input), input.n), out);
}

static void add_code_result(AnthropicMessage *m, const GeminiPart *p, Buf *out) {
        _cleanup_buf_ Buf block = BUF_INIT(UPSTREAM_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&block);
        bool good = json_view_equals(p->type, "OUTCOME_OK");
        char id[CALL_ID_MAX + 1];

        if (m->content.n_code_results == m->content.n_codes)
                return; /* of no code: its id would name no block */
        m->content.n_code_results = m->content.n_codes;
        code_id(m, id);
        jwrite_object(&w, NULL);
        jwrite_string(&w, "type", "code_execution_tool_result");
        jwrite_string(&w, "tool_use_id", id);
        jwrite_object(&w, "content");
        jwrite_string(&w, "type", "code_execution_result");
        for (unsigned is_error = 0; is_error < 2; is_error++) {
                const char *key = is_error ? "stderr" : "stdout";

                if (p->text.p && good == !is_error)
                        json_copy_value(&w, key, p->text);
                else
                        jwrite_string(&w, key, "");
        }
        jwrite_int(&w, "return_code", good ? 0 : 1);
        jwrite_array(&w, "content");
        jwrite_end(&w);
        jwrite_end(&w);
        jwrite_end(&w);
        if (block.error == 0)
                anthropic_block_add(m, &block, out);
}

/* --- parts --- */

/* Anthropic's models make no pictures, so there is no block for them. */
static bool add_image(AnthropicMessage *m, const GeminiPart *p, Buf *out) {
        _cleanup_buf_ Buf text = BUF_INIT(UPSTREAM_ANSWER_MAX);
        char type[16];

        json_view_copy(p->type, type, sizeof(type));
        if (strncasecmp(type, "image/", strlen("image/")) != 0 || !p->data.p || json_view_is_empty(p->data))
                return false;
        (void) buf_puts(&text, "\n![image](data:");
        (void) json_view_append(p->type, &text);
        (void) buf_puts(&text, ";base64,");
        (void) json_view_append(p->data, &text);
        (void) buf_puts(&text, ")\n");
        if (text.error == 0)
                anthropic_text_add_plain(m, buf_data(&text), text.n, out);
        return true;
}

/* Returns whether the part is content. */
static bool add_part(AnthropicMessage *m, const GeminiPart *p, Buf *out) {
        if (p->is_thought) {
                add_thought(m, p, out);
                return false;
        }
        switch (p->kind) {
        case GEMINI_PART_TEXT:
                sign_open(m, p, out);
                if (json_view_is_empty(p->text))
                        return false;
                anthropic_text_add(m, p->text, out);
                return true;
        case GEMINI_PART_CALL:
                if (m->json_function && call_find_tool(&m->names, p) == m->json_function) {
                        JsonView json = call_arguments(p);

                        anthropic_text_add_plain(m, json.p, (size_t) (json.end - json.p), out);
                        return true;
                }
                add_call(m, p, out);
                return true;
        case GEMINI_PART_CODE:
                add_code(m, p, out);
                return true;
        case GEMINI_PART_CODE_RESULT:
                add_code_result(m, p, out);
                return true;
        case GEMINI_PART_DATA:
                return add_image(m, p, out);
        default:
                return false;
        }
}

static int note_candidate(AnthropicMessage *m, GeminiCandidate *c, Buf *out) {
        AnswerCandidate *candidate;
        bool has_content = false;
        GeminiPart part;

        candidate = answer_take_candidate(&m->answer, &m->t, c);
        if (!candidate || c->index > 0)
                return 0;
        answer_note_finish_message(c, m->t.key, m->why);
        grounding_keep(&m->content.grounding, c->grounding);
        hops_note_token(&m->continuation, c);

        while (gemini_part_next(&c->parts, &part)) {
                if (part.kind == GEMINI_PART_CALL && !call_has_name(&part))
                        continue;
                if (!part.is_thought && gemini_part_has_content(&part))
                        candidate->has_more = true;
                has_content = add_part(m, &part, out) || has_content;
        }
        if (has_content)
                answer_note_content(&m->answer, candidate);
        if (m->content.text.error < 0)
                return m->content.text.error;
        return out->error < 0 ? out->error : m->content.done.error;
}

int anthropic_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict) {
        AnthropicMessage *m = CONTAINER_OF(t, AnthropicMessage, t);
        GeminiCandidate c;
        GeminiEvent e;
        int r;

        r = gemini_event_parse(json, n, &e, ret_verdict);
        if (r != 0)
                return r;
        note_first(m, &e);
        gemini_event_count(&e, &t->counts, &t->usage);
        answer_note_event(&m->answer, &e, t->key);
        while (gemini_event_next(&e, &c)) {
                r = note_candidate(m, &c, out);
                if (r < 0)
                        return r;
        }
        t->settled = answer_settled(&m->answer);
        return 0;
}

/* --- the end --- */

/* Gemini sends STOP also after a call. A reason that cuts the answer off comes before that. */
static const char *finish_of(const AnthropicMessage *m) {
        const AnswerCandidate *c = &m->answer.candidates[0];

        if ((m->answer.is_blocked && !c->finish[0]) || answer_reason_is_about_account(c->finish))
                return "refusal";
        switch (answer_end(c->finish)) {
        case ANSWER_END_LENGTH:
                return "max_tokens";
        case ANSWER_END_FILTER:
                return "refusal";
        default:
                return m->content.n_calls > 0 ? "tool_use" : "end_turn";
        }
}

/* A reason with an equivalent is an answer even without content. */
static bool is_answer(const char *finish) {
        return answer_end(finish) != ANSWER_END_OTHER;
}

/* Gemini sometimes stops without a text, or after thoughts alone, and answers when it is asked again. After
 * thoughts that the client has seen it is not asked. */
static bool is_empty(const AnthropicMessage *m) {
        const AnswerCandidate *c = &m->answer.candidates[0];

        if (m->has_stop || m->answer.is_blocked || c->has_content || c->has_more || m->content.has_begun)
                return false;
        return !is_answer(c->finish) || answer_end(c->finish) == ANSWER_END_STOP;
}

int anthropic_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        AnthropicMessage *m = CONTAINER_OF(t, AnthropicMessage, t);
        JWriter w = JWRITER_INIT(out);
        const char *finish;
        bool empty;
        int r;

        if (!answer_judge(&m->answer, translation_streams(t), is_answer, m->why, ret_verdict))
                return DIALECT_E_VERDICT;
        r = anthropic_hops_continue(m);
        if (r != 0)
                return r;

        empty = is_empty(m); /* before the end is written */
        t->finish_reason = finish = finish_of(m);
        anthropic_search_end(m, out);
        if (translation_streams(t))
                anthropic_message_end(m, finish, out);
        else
                anthropic_message_write(m, finish, &w);
        if (out->error < 0)
                return out->error;
        if (answer_blames(&m->answer, m->why, ret_verdict))
                return DIALECT_E_BLAMED;
        if (!empty)
                return 0;
        verdict_init(ret_verdict, VERDICT_OVERLOAD, 200, "an answer without content, STOP");
        return DIALECT_E_EMPTY;
}

void anthropic_stream_error(Translation *t _unused_, const ApiError *e, Buf *out) {
        (void) buf_puts(out, "event: error\ndata: ");
        error_shape_anthropic.write(e, NULL, out);
        (void) buf_puts(out, "\n\n");
}

/* --- its life --- */

void anthropic_answer_init(AnthropicMessage *m) {
        AnthropicContent *c = &m->content;

        c->done = c->text = c->citations = c->grounding = BUF_INIT(UPSTREAM_ANSWER_MAX);
        c->signature = BUF_INIT(UPSTREAM_ANSWER_MAX);
        m->continuation = BUF_INIT(CONTINUATION_TOKEN_MAX);
}

static void each_buf(AnthropicContent *c, void (*do_it)(Buf *b)) {
        Buf *const bufs[] = { &c->done, &c->text, &c->signature, &c->citations, &c->grounding };

        for (size_t i = 0; i < ELEMENTSOF(bufs); i++)
                do_it(bufs[i]);
}

void anthropic_answer_done(AnthropicMessage *m) {
        each_buf(&m->content, buf_done);
        buf_done(&m->continuation);
        m->hops = anthropic_hops_free(m->hops);
}

void anthropic_reset(Translation *t) {
        AnthropicMessage *m = CONTAINER_OF(t, AnthropicMessage, t);
        AnthropicContent *c = &m->content;

        t->counts = (GeminiCounts){};
        t->usage = (Usage){};
        t->finish_reason = NULL;
        t->settled = 0;
        answer_reset(&m->answer);
        m->why[0] = 0;
        m->n_tokens = 0;
        buf_clear(&m->continuation);
        if (m->hops)
                return anthropic_hops_restore(m);
        m->id[0] = 0;
        each_buf(c, buf_clear);
        c->open = ANTHROPIC_NONE;
        c->n = c->n_calls = c->n_codes = c->n_code_results = c->n_searches = 0;
        c->has_begun = false;
}
