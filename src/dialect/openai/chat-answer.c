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
 *
 * CONTINUATION is no end: chat-continue.c asks for the rest, and only an answer that cannot be continued
 * ends with it.
 */

#include "base/limits-continue.h"
#include "base/text.h"
#include "dialect/error-shape.h"
#include "dialect/gemini/event.h"
#include "dialect/json.h"
#include "dialect/message.h"
#include "dialect/openai/answer.h"

const char *openai_finish_reason(const char *gemini) {
        static const char *const names[_ANSWER_END_MAX] = {
                [ANSWER_END_STOP] = "stop",
                [ANSWER_END_LENGTH] = "length",
                [ANSWER_END_FILTER] = "content_filter",
        };

        return names[answer_end(gemini)];
}

/* --- events --- */

static void note_first(OpenaiChat *chat, const GeminiEvent *e) {
        char id[OPENAI_ID_MAX + 1];

        if (chat->id[0])
                return;
        text_copy(id, sizeof(id), e->response_id);
        secret_scrub(id, chat->t.key);
        chat->writer->begin(chat, id[0] && streq(id, e->response_id) ? id : chat->request_id);
}

static void begin(OpenaiChat *chat, const char *id) {
        const char *prefix = chat->is_completion ? "cmpl-" : "chatcmpl-";
        size_t n = strlen(prefix);

        memcpy(chat->id, prefix, n);
        text_copy(chat->id + n, sizeof(chat->id) - n, id);
        if (translation_streams(&chat->t))
                openai_chunk_begin(chat);
}

static void note_tier(OpenaiChat *chat, const GeminiEvent *e) {
        char tier[16];

        if (json_view_is_null(e->service_tier))
                return;
        json_view_copy(e->service_tier, tier, sizeof(tier));
        if (strcaseeq(tier, "flex") || strcaseeq(tier, "priority"))
                chat->service_tier = strcaseeq(tier, "flex") ? "flex" : "priority";
}

void openai_keep_signature(const OpenaiChat *chat, OpenaiChoice *choice) {
        if (!chat->signature.p)
                return;
        buf_clear(&choice->signature);
        (void) buf_append(&choice->signature, chat->signature.p,
                          (size_t) (chat->signature.end - chat->signature.p));
}

static void write_delta(OpenaiChat *chat, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        if (chat->is_completion)
                return jwrite_quote(out, buf_data(&chat->text), chat->text.n);
        jwrite_object(&w, NULL);
        if (chat->text.n > 0)
                jwrite_string_n(&w, "content", buf_data(&chat->text), chat->text.n);
        if (chat->signature.p)
                openai_call_write_extra(chat->signature, &w);
        jwrite_end(&w);
}

/* In a stream the text is kept for the offsets of its sources, which come last, with or without a search. */
static bool keeps_text(const OpenaiChat *chat, const OpenaiChoice *choice) {
        return !translation_streams(&chat->t) || chat->may_cite ||
               (!chat->is_completion && choice->text.n < OPENAI_CITE_TEXT_MAX);
}

/* Passes the text on that was collected. A signature alone does not begin an answer. */
static void flush_text(OpenaiChat *chat, size_t index, Buf *out) {
        OpenaiChoice *choice = &chat->choices[index];

        if (chat->is_completion)
                chat->signature = (JsonView){}; /* there is no message that it could come back with */
        if (chat->text.n > 0 && keeps_text(chat, choice))
                (void) buf_append(&choice->text, buf_data(&chat->text), chat->text.n);
        if (!translation_streams(&chat->t))
                openai_keep_signature(chat, choice);
        else if (chat->text.n > 0 || (chat->signature.p && choice->has_begun)) {
                openai_chunk_open(chat, index, out);
                write_delta(chat, out);
                openai_chunk_close_text(chat, index, out);
        }
        buf_clear(&chat->text);
        chat->signature = (JsonView){};
}

/* What the model thought, for clients that asked for it. */
static void add_thought(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        if (!chat->has_thoughts || p->kind != GEMINI_PART_TEXT || json_view_is_empty(p->text))
                return;
        if (!translation_streams(&chat->t)) {
                (void) json_view_append(p->text, &chat->choices[index].thoughts);
                return;
        }
        openai_chunk_open(chat, index, out);
        jwrite_object(&w, NULL);
        json_copy_value(&w, "reasoning_content", p->text);
        jwrite_end(&w);
        openai_chunk_close(chat, out);
}

/* Returns whether the part is content. */
static bool add_part(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out) {
        size_t before = chat->text.n;

        if (p->is_thought) {
                flush_text(chat, index, out);
                add_thought(chat, index, p, out);
                return false;
        }
        switch (p->kind) {
        case GEMINI_PART_TEXT:
        case GEMINI_PART_CODE:
        case GEMINI_PART_CODE_RESULT:
                (void) gemini_part_append(p, &chat->text);
                if (p->signature.p)
                        chat->signature = p->signature;
                return chat->text.n > before;
        case GEMINI_PART_CALL:
                if (openai_call_is_json(chat, p)) {
                        (void) buf_append(&chat->text, p->value.p, (size_t) (p->value.end - p->value.p));
                        return chat->text.n > before;
                }
                flush_text(chat, index, out);
                openai_call_add(chat, index, p, out);
                return true;
        case GEMINI_PART_DATA:
                flush_text(chat, index, out);
                return openai_media_add(chat, index, p, out) || openai_sound_add(chat, index, p, out);
        default:
                return false;
        }
}

const OpenaiWriter openai_chat_writer = { .begin = begin, .part = add_part, .flush = flush_text };

/* The buffers of a candidate. Nothing is allocated before it is needed. */
static void each_buf(OpenaiChoice *c, void (*do_it)(Buf *b)) {
        Buf *const bufs[] = { &c->text,     &c->thoughts,  &c->calls,     &c->media, &c->logprobs,
                              &c->grounding, &c->citations, &c->annotations, &c->signature, &c->ids,
                              &c->parts };

        for (size_t i = 0; i < ELEMENTSOF(bufs); i++)
                do_it(bufs[i]);
}

static void set_ceiling(Buf *b) {
        *b = BUF_INIT(UPSTREAM_ANSWER_MAX);
}

/* Most answers have one candidate, so the buffers of the others are not touched. */
static void make_ready(OpenaiChat *chat, size_t index) {
        while (chat->n_ready <= index) {
                OpenaiChoice *c = &chat->choices[chat->n_ready++];

                *c = (OpenaiChoice){};
                each_buf(c, set_ceiling);
        }
}

void openai_answer_init(OpenaiChat *chat) {
        chat->head = BUF_INIT(4096);
        chat->text = BUF_INIT(UPSTREAM_ANSWER_MAX);
        chat->continuation = BUF_INIT(CONTINUATION_TOKEN_MAX);
        chat->sound = SOUND_INIT(UPSTREAM_ANSWER_MAX);
        make_ready(chat, 0);
}

void openai_answer_done(OpenaiChat *chat) {
        buf_done(&chat->head);
        buf_done(&chat->text);
        buf_done(&chat->echo);
        buf_done(&chat->continuation);
        chat->hops = openai_hops_free(chat->hops);
        sound_done(&chat->sound);
        for (size_t i = 0; i < chat->n_ready; i++)
                each_buf(&chat->choices[i], buf_done);
}

static int note_candidate(OpenaiChat *chat, GeminiCandidate *c, Buf *out) {
        AnswerCandidate *candidate;
        bool has_content = false, is_first = true;
        GeminiPart part;

        candidate = answer_take_candidate(&chat->answer, &chat->t, c);
        if (!candidate)
                return 0;
        make_ready(chat, c->index);
        answer_note_finish_message(c, chat->t.key, chat->why);
        openai_logprobs_add(chat, c);
        openai_cite_add(chat, c);
        hops_note_token(&chat->continuation, c);

        for (; gemini_part_next(&c->parts, &part); is_first = false) {
                openai_cite_part(chat, c->index, &part, is_first);
                if (part.kind == GEMINI_PART_CALL && (chat->is_completion || !call_has_name(&part)))
                        continue;
                if (!part.is_thought && gemini_part_has_content(&part))
                        candidate->has_more = true;
                has_content = chat->writer->part(chat, c->index, &part, out) || has_content;
        }
        chat->writer->flush(chat, c->index, out);
        if (has_content)
                answer_note_content(&chat->answer, candidate);
        if (chat->sound.samples.error < 0)
                return chat->sound.samples.error;
        return out->error < 0 ? out->error : chat->choices[c->index].text.error;
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
        answer_note_event(&chat->answer, &e, t->key);
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

/* Gemini sends STOP also after a call. A reason that cuts the answer off comes before that. */
const char *openai_finish_of(const OpenaiChat *chat, size_t index) {
        const AnswerCandidate *c = &chat->answer.candidates[index];
        const char *finish = openai_finish_reason(c->finish);

        if ((chat->answer.is_blocked && !c->finish[0]) || answer_reason_is_about_account(c->finish))
                return "content_filter";
        if (chat->choices[index].n_calls > 0 && (!finish || streq(finish, "stop")))
                return chat->has_functions ? "function_call" : "tool_calls";
        return finish ?: "stop";
}

static void write_content(const OpenaiChat *chat, size_t index, const char *finish, JWriter *w) {
        const OpenaiChoice *choice = &chat->choices[index];

        if (choice->text.n == 0 &&
            (choice->n_calls > 0 || choice->n_sounds > 0 || streq(finish, "content_filter")))
                jwrite_null(w, "content");
        else
                jwrite_string_n(w, "content", choice->text.n > 0 ? buf_data(&choice->text) : "",
                                choice->text.n);
}

/* The last hop that has one counts. */
static const Buf *signature_of(const OpenaiChat *chat, size_t index) {
        const Buf *mine = &chat->choices[index].signature;

        return mine->n == 0 && chat->hops && index == 0 ? &chat->hops->signature : mine;
}

static void write_choice(const OpenaiChat *chat, size_t index, const char *finish, JWriter *w) {
        const OpenaiChoice *choice = &chat->choices[index];
        const char *native = answer_native_finish(&chat->answer, index);
        const Buf *signature = signature_of(chat, index);

        jwrite_object(w, NULL);
        jwrite_uint(w, "index", index);
        jwrite_object(w, "message");
        jwrite_string(w, "role", "assistant");
        write_content(chat, index, finish, w);
        jwrite_null(w, "refusal");
        if (choice->thoughts.n > 0)
                jwrite_string_n(w, "reasoning_content", buf_data(&choice->thoughts), choice->thoughts.n);
        openai_calls_write(chat, index, w);
        openai_media_write(chat, index, w);
        openai_sound_write(chat, index, w);
        openai_cite_write(chat, index, w);
        if (signature->n > 0)
                openai_call_write_extra(json_view(buf_data(signature), signature->n), w);
        jwrite_end(w);
        if (choice->logprobs.n > 0)
                openai_logprobs_write(&choice->logprobs, "logprobs", w);
        else
                jwrite_null(w, "logprobs");
        jwrite_string(w, "finish_reason", finish);
        if (native[0])
                jwrite_string(w, "native_finish_reason", native);
        jwrite_end(w);
}

/* The sources come last, because only then their text is whole. */
static void stream_choice(OpenaiChat *chat, size_t index, const char *finish, Buf *out) {
        const char *native = answer_native_finish(&chat->answer, index);
        _cleanup_buf_ Buf cited = BUF_INIT(UPSTREAM_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&cited);

        jwrite_object(&w, NULL);
        openai_cite_write(chat, index, &w);
        jwrite_end(&w);
        if (cited.n > 2 && !chat->is_completion) {
                openai_chunk_open(chat, index, out);
                (void) buf_append(out, buf_data(&cited), cited.n);
                openai_chunk_close(chat, out);
        }
        openai_sound_end(chat, index, out);
        openai_chunk_finish(chat, index, finish, native[0] ? native : NULL, out);
}

/* A reason with an OpenAI equivalent is an answer even without content. */
bool openai_finish_is_answer(const char *finish) {
        return openai_finish_reason(finish);
}

/* Gemini sometimes stops without a text, or after thoughts alone, and answers when it is asked again. After
 * thoughts that the client has seen it is not asked. */
bool openai_answer_is_empty(const OpenaiChat *chat) {
        if (chat->has_stop || chat->answer.is_blocked)
                return false;
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                const AnswerCandidate *c = &chat->answer.candidates[i];

                if (c->has_content || c->has_more || (i < chat->n_ready && chat->choices[i].has_begun))
                        return false;
                if (openai_finish_reason(c->finish) && !streq(c->finish, "STOP"))
                        return false;
        }
        return true;
}

int openai_chat_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        JWriter w = JWRITER_INIT(out);
        bool any, empty;
        int r;

        if (!answer_judge(&chat->answer, translation_streams(t), openai_finish_is_answer, chat->why,
                          ret_verdict))
                return DIALECT_E_VERDICT;
        r = openai_hops_continue(chat);
        if (r != 0)
                return r;

        empty = openai_answer_is_empty(chat); /* before the end is written */
        any = answer_has_candidate(&chat->answer);
        if (!translation_streams(t))
                openai_head_write(chat, false, &w);
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                const AnswerCandidate *c = &chat->answer.candidates[i];
                const char *finish;

                if (any ? !c->is_seen : i > 0)
                        continue;
                finish = openai_finish_of(chat, i);
                openai_cite_end(chat, i);
                if (translation_streams(t))
                        stream_choice(chat, i, finish, out);
                else if (chat->is_completion)
                        openai_completion_write(chat, i, finish, &w);
                else
                        write_choice(chat, i, finish, &w);
                t->finish_reason = t->finish_reason ?: finish;
        }
        if (translation_streams(t))
                openai_chunk_end(chat, out);
        else {
                jwrite_end(&w);
                openai_usage_write(t, chat->hops, &w);
                if (!chat->is_completion)
                        jwrite_string(&w, "service_tier", chat->service_tier);
                jwrite_end(&w);
        }
        if (out->error < 0)
                return out->error;
        if (answer_blames(&chat->answer, chat->why, ret_verdict))
                return DIALECT_E_BLAMED;
        if (!empty)
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
        chat->why[0] = 0;
        buf_clear(&chat->text);
        buf_clear(&chat->continuation);
        if (chat->hops)
                openai_hops_restore(chat);
        else {
                chat->id[0] = 0;
                chat->digest = 0;
                buf_clear(&chat->head);
                sound_clear(&chat->sound);
        }
        for (size_t i = chat->hops ? 1 : 0; i < chat->n_ready; i++) {
                OpenaiChoice *choice = &chat->choices[i];

                each_buf(choice, buf_clear);
                choice->n_calls = choice->n_images = choice->n_sounds = choice->n_annotations = 0;
                choice->n_parts = choice->last_part = 0;
                choice->has_begun = false;
        }
}
