/* SPDX-License-Identifier: MIT */

/*
 * The items of text, thoughts and code, and the events of a stream. The same functions write the answer in
 * one piece: without a stream they write no events, only the item, when it is done.
 *
 * Events have a sequence number, and an order that clients rely on: a delta belongs to a part that was
 * added, a part to an item that was added, and an item is repeated in full when it is done.
 */

#include <stdio.h>

#include "base/text.h"
#include "dialect/openai/responses.h"

bool response_streams(const OpenaiResponse *r) {
        return translation_streams(&r->chat.t);
}

static const char *data_of(const Buf *b) {
        return b->n > 0 ? buf_data(b) : "";
}

/* --- events --- */

JWriter response_event(OpenaiResponse *r, const char *type, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        (void) buf_puts(out, "event: ");
        (void) buf_puts(out, type);
        (void) buf_puts(out, "\ndata: ");
        jwrite_object(&w, NULL);
        jwrite_string(&w, "type", type);
        jwrite_uint(&w, "sequence_number", r->at.sequence++);
        return w;
}

void response_event_end(JWriter *w) {
        jwrite_end(w);
        (void) buf_puts(w->buf, "\n\n");
}

JWriter response_item_event(OpenaiResponse *r, const char *type, const char *id, Buf *out) {
        JWriter w = response_event(r, type, out);

        jwrite_string(&w, "item_id", id);
        jwrite_uint(&w, "output_index", r->at.n_items);
        return w;
}

void response_begin(OpenaiResponse *r, Buf *out) {
        static const char *const types[] = { "response.created", "response.in_progress" };
        OpenaiChoice *choice = &r->chat.choices[0];

        if (choice->has_begun || !response_streams(r))
                return;
        choice->has_begun = true;
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                JWriter w = response_event(r, types[i], out);

                response_write(r, "in_progress", NULL, "response", &w);
                response_event_end(&w);
        }
}

/* --- items --- */

void response_item_id(const OpenaiResponse *r, const char *prefix, char ret[static RESPONSE_ID_MAX + 8]) {
        const char *digits = startswith(r->chat.id, "resp_") ?: "";

        (void) snprintf(ret, RESPONSE_ID_MAX + 8, "%s_%.32s%02x", prefix, digits, r->at.n_items);
}

static const char *prefix_of(ResponseItem item) {
        return item == RESPONSE_MESSAGE ? "msg" : item == RESPONSE_CODE ? "ci" : "rs";
}

/* The text and what belongs to it; an event of its begin has none. */
static void write_part(const OpenaiResponse *r, bool whole, const char *key, JWriter *w) {
        const Buf *annotations = &r->chat.choices[0].annotations;

        jwrite_object(w, key);
        jwrite_string(w, "type", "output_text");
        jwrite_string_n(w, "text", whole ? data_of(&r->text) : "", whole ? r->text.n : 0);
        jwrite_array(w, "annotations");
        if (whole)
                (void) buf_append(w->buf, data_of(annotations), annotations->n);
        jwrite_end(w);
        jwrite_array(w, "logprobs");
        if (whole)
                (void) buf_append(w->buf, data_of(&r->probs), r->probs.n);
        jwrite_end(w);
        jwrite_end(w);
}

static void write_summary_part(const OpenaiResponse *r, bool whole, const char *key, JWriter *w) {
        jwrite_object(w, key);
        jwrite_string(w, "type", "summary_text");
        jwrite_string_n(w, "text", whole ? data_of(&r->text) : "", whole ? r->text.n : 0);
        jwrite_end(w);
}

static void write_reasoning(const OpenaiResponse *r, bool whole, JWriter *w) {
        jwrite_array(w, "summary");
        if (whole && r->text.n > 0)
                write_summary_part(r, true, NULL, w);
        jwrite_end(w);
        if (whole && r->wants_signatures && r->signature.n > 0)
                jwrite_raw_n(w, "encrypted_content", buf_data(&r->signature), r->signature.n);
}

/* `whole`: it is done, with this status. */
static void write_item(const OpenaiResponse *r, bool whole, const char *status, const char *key,
                       JWriter *w) {
        static const char *const types[] = {
                [RESPONSE_REASONING] = "reasoning",
                [RESPONSE_MESSAGE] = "message",
                [RESPONSE_CODE] = "code_interpreter_call",
        };
        char id[RESPONSE_ID_MAX + 8];

        response_item_id(r, prefix_of(r->at.open), id);
        jwrite_object(w, key);
        jwrite_string(w, "id", id);
        jwrite_string(w, "type", types[r->at.open]);
        if (r->at.open == RESPONSE_REASONING)
                write_reasoning(r, whole, w);
        else
                jwrite_string(w, "status", whole ? status : "in_progress");
        if (r->at.open == RESPONSE_MESSAGE) {
                jwrite_string(w, "role", "assistant");
                jwrite_array(w, "content");
                if (whole)
                        write_part(r, true, NULL, w);
                jwrite_end(w);
        }
        if (r->at.open == RESPONSE_CODE) {
                (void) snprintf(id, sizeof(id), "cntr_%.32s", r->chat.id + strlen("resp_"));
                jwrite_string(w, "container_id", id);
                jwrite_string_n(w, "code", whole ? data_of(&r->text) : "", whole ? r->text.n : 0);
                jwrite_array(w, "outputs");
                if (whole && r->probs.n > 0) { /* what it has printed */
                        jwrite_object(w, NULL);
                        jwrite_string(w, "type", "logs");
                        jwrite_string_n(w, "logs", buf_data(&r->probs), r->probs.n);
                        jwrite_end(w);
                }
                jwrite_end(w);
        }
        jwrite_end(w);
}

/* An event about the part of the item that is open, up to its own members. */
static JWriter part_event(OpenaiResponse *r, const char *type, Buf *out) {
        bool is_message = r->at.open == RESPONSE_MESSAGE;
        char id[RESPONSE_ID_MAX + 8];
        JWriter w;

        response_item_id(r, prefix_of(r->at.open), id);
        w = response_item_event(r, type, id, out);
        if (r->at.open != RESPONSE_CODE)
                jwrite_uint(&w, is_message ? "content_index" : "summary_index", 0);
        return w;
}

static void add_part(OpenaiResponse *r, Buf *out) {
        JWriter w;

        if (r->at.open == RESPONSE_MESSAGE) {
                w = part_event(r, "response.content_part.added", out);
                write_part(r, false, "part", &w);
        } else {
                w = part_event(r, "response.reasoning_summary_part.added", out);
                write_summary_part(r, false, "part", &w);
        }
        response_event_end(&w);
}

static void write_plain(OpenaiResponse *r, const char *type, Buf *out) {
        JWriter w = part_event(r, type, out);

        response_event_end(&w);
}

void response_open(OpenaiResponse *r, ResponseItem item, Buf *out) {
        JWriter w;

        response_begin(r, out);
        r->at.open = item;
        buf_clear(&r->text);
        buf_clear(&r->probs);
        if (!response_streams(r))
                return;
        w = response_event(r, "response.output_item.added", out);
        jwrite_uint(&w, "output_index", r->at.n_items);
        write_item(r, false, NULL, "item", &w);
        response_event_end(&w);
        if (item == RESPONSE_MESSAGE)
                add_part(r, out);
        if (item == RESPONSE_CODE)
                write_plain(r, "response.code_interpreter_call.in_progress", out);
}

/* Adds the logprobs of the text that is added, and gives them to the delta. */
static void take_probs(OpenaiResponse *r, JWriter *w) {
        Buf *fresh = &r->chat.choices[0].logprobs;

        if (w) {
                jwrite_array(w, "logprobs");
                (void) buf_append(w->buf, data_of(fresh), fresh->n);
                jwrite_end(w);
        }
        if (fresh->n > 0) {
                if (r->probs.n > 0)
                        (void) buf_putc(&r->probs, ',');
                (void) buf_append(&r->probs, buf_data(fresh), fresh->n);
        }
        buf_clear(fresh);
}

void response_add(OpenaiResponse *r, const char *text, size_t n, Buf *out) {
        static const char *const types[] = {
                [RESPONSE_REASONING] = "response.reasoning_summary_text.delta",
                [RESPONSE_MESSAGE] = "response.output_text.delta",
                [RESPONSE_CODE] = "response.code_interpreter_call_code.delta",
        };
        bool is_message = r->at.open == RESPONSE_MESSAGE;
        JWriter w;

        if (r->at.open == RESPONSE_REASONING && r->text.n == 0 && response_streams(r))
                add_part(r, out);
        (void) buf_append(&r->text, text, n);
        if (!response_streams(r)) {
                if (is_message)
                        take_probs(r, NULL);
                return;
        }
        w = part_event(r, types[r->at.open], out);
        jwrite_string_n(&w, "delta", text, n);
        if (is_message)
                take_probs(r, &w);
        response_event_end(&w);
}

/* --- the end of an item --- */

JWriter response_item_begin(OpenaiResponse *r) {
        if (r->at.n_items > 0)
                (void) buf_putc(&r->output, ',');
        return JWRITER_INIT(&r->output);
}

/* `from`: where it begins in `output`. */
void response_item_done(OpenaiResponse *r, size_t from, Buf *out) {
        if (response_streams(r) && r->output.error == 0) {
                JWriter w = response_event(r, "response.output_item.done", out);

                jwrite_uint(&w, "output_index", r->at.n_items);
                jwrite_raw_n(&w, "item", buf_data(&r->output) + from, r->output.n - from);
                response_event_end(&w);
        }
        r->at.n_items++;
        r->at.open = RESPONSE_NOTHING;
}

static void add_annotations(OpenaiResponse *r, Buf *out) {
        _cleanup_buf_ Buf list = BUF_INIT(UPSTREAM_ANSWER_MAX);
        const Buf *annotations = &r->chat.choices[0].annotations;
        JsonCursor c;
        JsonView v;

        if (annotations->n == 0)
                return;
        (void) buf_putc(&list, '[');
        (void) buf_append(&list, buf_data(annotations), annotations->n);
        (void) buf_putc(&list, ']');
        if (list.error < 0)
                return;
        c = json_enter(json_view(buf_data(&list), list.n));
        for (unsigned i = 0; json_next(&c, NULL, &v); i++) {
                JWriter w = part_event(r, "response.output_text.annotation.added", out);

                jwrite_uint(&w, "annotation_index", i);
                jwrite_raw_n(&w, "annotation", v.p, (size_t) (v.end - v.p));
                response_event_end(&w);
        }
}

static void end_message(OpenaiResponse *r, Buf *out) {
        JWriter w;

        add_annotations(r, out);
        w = part_event(r, "response.output_text.done", out);
        jwrite_string_n(&w, "text", data_of(&r->text), r->text.n);
        jwrite_array(&w, "logprobs");
        (void) buf_append(out, data_of(&r->probs), r->probs.n);
        jwrite_end(&w);
        response_event_end(&w);
        w = part_event(r, "response.content_part.done", out);
        write_part(r, true, "part", &w);
        response_event_end(&w);
}

static void end_reasoning(OpenaiResponse *r, Buf *out) {
        JWriter w;

        if (r->text.n == 0)
                return;
        w = part_event(r, "response.reasoning_summary_text.done", out);
        jwrite_string_n(&w, "text", buf_data(&r->text), r->text.n);
        response_event_end(&w);
        w = part_event(r, "response.reasoning_summary_part.done", out);
        write_summary_part(r, true, "part", &w);
        response_event_end(&w);
}

static void end_code(OpenaiResponse *r, Buf *out) {
        JWriter w = part_event(r, "response.code_interpreter_call_code.done", out);

        jwrite_string_n(&w, "code", data_of(&r->text), r->text.n);
        response_event_end(&w);
        write_plain(r, "response.code_interpreter_call.interpreting", out);
        write_plain(r, "response.code_interpreter_call.completed", out);
}

void response_close(OpenaiResponse *r, const char *status, Buf *out) {
        static void (*const ends[])(OpenaiResponse *r, Buf *out) = {
                [RESPONSE_REASONING] = end_reasoning,
                [RESPONSE_MESSAGE] = end_message,
                [RESPONSE_CODE] = end_code,
        };
        ResponseItem item = r->at.open;
        JWriter w;
        size_t from;

        if (item == RESPONSE_NOTHING)
                return;
        if (response_streams(r))
                ends[item](r, out);
        w = response_item_begin(r);
        from = r->output.n;
        write_item(r, true, status, NULL, &w);
        response_item_done(r, from, out);
        if (item == RESPONSE_REASONING)
                buf_clear(&r->signature);
        if (item == RESPONSE_MESSAGE)
                buf_clear(&r->chat.choices[0].annotations);
        buf_clear(&r->text);
        buf_clear(&r->probs);
}
