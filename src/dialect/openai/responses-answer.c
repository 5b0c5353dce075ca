/* SPDX-License-Identifier: MIT */

/*
 * Gemini's parts as items: thoughts are a reasoning item, texts a message, each call and each image is an
 * item. One item is open at a time, and what does not belong to it closes it. Only the first candidate is
 * an answer; a request does not ask for more.
 *
 * A thought signature comes with a call or a text, but clients keep it in the reasoning item before. So it
 * closes the reasoning item that is open, or becomes an item without a summary. That of a text comes when
 * the text is sent already: there the item follows the message.
 *
 * As in chat, what ends the answer waits for the end, so that a stream that breaks off never looks complete.
 */

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "dialect/openai/responses-request.h"

static void begin(OpenaiChat *chat, const char *id) {
        uint64_t h = hash_stable(chat->request_id, strlen(chat->request_id));

        h = hash_mix(h + hash_mix(hash_stable(id, strlen(id))));
        h = hash_mix(h ^ hash_mix(chat->created + hash_mix(chat->nonce)));
        (void) snprintf(chat->id, sizeof(chat->id), "resp_%016llx%016llx", (unsigned long long) h,
                        (unsigned long long) hash_mix(h + chat->nonce));
}

/* --- signatures --- */

static void keep_signature(OpenaiResponse *r, JsonView signature) {
        if (!json_view_is(signature, '"') || json_view_is_empty(signature))
                return;
        buf_clear(&r->signature);
        (void) buf_append(&r->signature, signature.p, (size_t) (signature.end - signature.p));
}

/* A reasoning item for a signature that none has. */
static void flush_signature(OpenaiResponse *r, Buf *out) {
        if (r->at.open == RESPONSE_REASONING)
                response_close(r, "completed", out);
        else if (r->signature.n > 0 && r->wants_signatures) {
                response_close(r, "completed", out);
                response_open(r, RESPONSE_REASONING, out);
                response_close(r, "completed", out);
        }
        buf_clear(&r->signature);
}

/* --- parts --- */

/* Opens it, unless it is open. */
static void need(OpenaiResponse *r, ResponseItem item, Buf *out) {
        if (r->at.open == item)
                return;
        response_close(r, "completed", out);
        response_open(r, item, out);
}

static void flush_text(OpenaiChat *chat, size_t index, Buf *out) {
        OpenaiResponse *r = openai_response(chat);
        Buf *text = &chat->text;

        if (index > 0 || text->n == 0)
                return;
        if (r->at.open == RESPONSE_REASONING)
                flush_signature(r, out);
        need(r, RESPONSE_MESSAGE, out);
        (void) buf_append(&chat->choices[0].text, buf_data(text), text->n);
        response_add(r, buf_data(text), text->n, out);
        buf_clear(text);
}

static void add_thought(OpenaiResponse *r, const GeminiPart *p, Buf *out) {
        _cleanup_buf_ Buf thought = BUF_INIT(UPSTREAM_EVENT_MAX);

        if (p->kind != GEMINI_PART_TEXT || json_view_is_empty(p->text) || !r->chat.has_thoughts)
                return;
        if (json_view_append(p->text, &thought) < 0)
                return;
        need(r, RESPONSE_REASONING, out);
        response_add(r, buf_data(&thought), thought.n, out);
}

/* The data is base64 in both protocols. */
static bool add_image(OpenaiResponse *r, const GeminiPart *p, Buf *out) {
        static const char *const types[] = { "in_progress", "generating", "completed" };
        char type[16], name[64], id[RESPONSE_ID_MAX + 8];
        size_t from;
        JWriter w;

        json_view_copy(p->type, type, sizeof(type));
        if (strncasecmp(type, "image/", strlen("image/")) != 0 || json_view_is_empty(p->data))
                return false;
        response_close(r, "completed", out);
        response_begin(r, out);
        response_item_id(r, "ig", id);
        if (response_streams(r)) {
                w = response_event(r, "response.output_item.added", out);
                jwrite_uint(&w, "output_index", r->at.n_items);
                jwrite_object(&w, "item");
                jwrite_string(&w, "id", id);
                jwrite_string(&w, "type", "image_generation_call");
                jwrite_string(&w, "status", "in_progress");
                jwrite_null(&w, "result");
                jwrite_end(&w);
                response_event_end(&w);
                for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                        (void) snprintf(name, sizeof(name), "response.image_generation_call.%s", types[i]);
                        w = response_item_event(r, name, id, out);
                        response_event_end(&w);
                }
        }
        w = response_item_begin(r);
        from = r->output.n;
        jwrite_object(&w, NULL);
        jwrite_string(&w, "id", id);
        jwrite_string(&w, "type", "image_generation_call");
        jwrite_string(&w, "status", "completed");
        json_copy_value(&w, "result", p->data);
        jwrite_end(&w);
        response_item_done(r, from, out);
        r->chat.choices[0].n_images++;
        return true;
}

/* Code that Gemini ran and what it has printed, which follows in another part. */
static void add_code(OpenaiResponse *r, const GeminiPart *p, Buf *out) {
        _cleanup_buf_ Buf code = BUF_INIT(UPSTREAM_EVENT_MAX);

        if (p->kind == GEMINI_PART_CODE_RESULT) {
                if (r->at.open == RESPONSE_CODE)
                        (void) json_view_append(p->text, &r->probs);
                return response_close(r, "completed", out);
        }
        response_close(r, "completed", out);
        response_open(r, RESPONSE_CODE, out);
        if (json_view_append(p->text, &code) >= 0 && code.n > 0)
                response_add(r, buf_data(&code), code.n, out);
}

static void add_call(OpenaiResponse *r, const GeminiPart *p, Buf *out) {
        keep_signature(r, p->signature);
        flush_signature(r, out);
        response_close(r, "completed", out);
        response_call(r, p, out);
}

/* Returns whether the part is content. */
static bool part(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out) {
        OpenaiResponse *r = openai_response(chat);
        size_t before = chat->text.n;

        if (index > 0)
                return false;
        if (p->is_thought) {
                flush_text(chat, 0, out);
                add_thought(r, p, out);
                keep_signature(r, p->signature);
                return false;
        }
        switch (p->kind) {
        case GEMINI_PART_CODE:
        case GEMINI_PART_CODE_RESULT:
        case GEMINI_PART_TEXT:
                if (r->runs_code && p->kind != GEMINI_PART_TEXT) {
                        flush_text(chat, 0, out);
                        add_code(r, p, out);
                        return true;
                }
                (void) gemini_part_append(p, &chat->text);
                keep_signature(r, p->signature);
                return chat->text.n > before;
        case GEMINI_PART_CALL:
                if (openai_call_is_json(chat, p)) {
                        (void) buf_append(&chat->text, p->value.p, (size_t) (p->value.end - p->value.p));
                        return chat->text.n > before;
                }
                flush_text(chat, 0, out);
                add_call(r, p, out);
                return true;
        case GEMINI_PART_DATA:
                flush_text(chat, 0, out);
                return add_image(r, p, out);
        default:
                return false;
        }
}

const OpenaiWriter openai_response_writer = { .begin = begin, .part = part, .flush = flush_text };

/* --- the end --- */

static void copy(Buf *to, const Buf *from) {
        buf_clear(to);
        if (from->n > 0)
                (void) buf_append(to, buf_data(from), from->n);
}

/* `output` only grows. */
static void keep_hop(OpenaiResponse *r) {
        r->hop = r->at;
        r->hop.n_output = r->output.n;
        copy(&r->hop_text, &r->text);
        copy(&r->hop_probs, &r->probs);
        copy(&r->hop_signature, &r->signature);
}

int openai_response_continue(OpenaiResponse *r) {
        int e = openai_hops_continue(&r->chat);

        if (e == DIALECT_E_MORE)
                keep_hop(r);
        return e;
}

const char *response_status(const OpenaiResponse *r) {
        const char *finish = strempty(r->chat.t.finish_reason);

        return streq(finish, "length") || streq(finish, "content_filter") ? "incomplete" : "completed";
}

/* What no item has yet. An answer without any has an empty message: clients take the last item for one. */
static void end_items(OpenaiResponse *r, const char *status, Buf *out) {
        const OpenaiChoice *choice = &r->chat.choices[0];
        bool is_empty = choice->text.n == 0 && choice->n_calls == 0 && choice->n_images == 0 &&
                        r->at.open != RESPONSE_CODE;

        if (r->at.open == RESPONSE_REASONING)
                flush_signature(r, out);
        if (is_empty && streq(status, "completed"))
                need(r, RESPONSE_MESSAGE, out);
        response_close(r, status, out);
        flush_signature(r, out);
}

int openai_response_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        OpenaiResponse *r = openai_response(chat);
        JWriter w = JWRITER_INIT(out);
        const char *finish, *status;
        char type[32];
        bool is_empty;
        int e;

        if (!answer_judge(&chat->answer, response_streams(r), openai_finish_is_answer, chat->why,
                          ret_verdict))
                return DIALECT_E_VERDICT;
        e = openai_response_continue(r);
        if (e != 0)
                return e;

        is_empty = openai_answer_is_empty(chat);
        finish = openai_finish_of(chat, 0);
        t->finish_reason = finish;
        status = response_status(r);
        openai_cite_end(chat, 0);
        response_begin(r, out);
        end_items(r, status, out);
        if (response_streams(r)) {
                (void) snprintf(type, sizeof(type), "response.%s", status);
                w = response_event(r, type, out);
                response_write(r, status, NULL, "response", &w);
                response_event_end(&w);
        } else
                response_write(r, status, NULL, NULL, &w);
        if (out->error < 0 || r->output.error < 0)
                return out->error < 0 ? out->error : r->output.error;
        response_store(r);
        if (answer_blames(&chat->answer, chat->why, ret_verdict))
                return DIALECT_E_BLAMED;
        if (!is_empty)
                return 0;
        verdict_init(ret_verdict, VERDICT_OVERLOAD, 200, "an answer without content, STOP");
        return DIALECT_E_EMPTY;
}

void openai_response_stream_error(Translation *t, const ApiError *e, Buf *out) {
        OpenaiResponse *r = openai_response(CONTAINER_OF(t, OpenaiChat, t));
        JWriter w;

        response_begin(r, out);
        w = response_event(r, "response.failed", out);
        response_write(r, "failed", e, "response", &w);
        response_event_end(&w);
}

void openai_response_reset(Translation *t) {
        OpenaiChat *chat = CONTAINER_OF(t, OpenaiChat, t);
        OpenaiResponse *r = openai_response(chat);

        openai_chat_reset(t);
        r->at = r->hop; /* zero if there was none */
        if (r->output.error == 0)
                r->output.n = r->at.n_output;
        copy(&r->text, &r->hop_text);
        copy(&r->probs, &r->hop_probs);
        copy(&r->signature, &r->hop_signature);
}
