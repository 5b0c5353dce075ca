/* SPDX-License-Identifier: MIT */

/*
 * Gemini's function calls as OpenAI's tool calls. Gemini sends a call in one piece; in a stream it becomes
 * two deltas, because clients expect the name first and the arguments after it.
 *
 * A call's id comes back with its result, so it must be unique in the conversation. Gemini's own is kept if
 * it is one that OpenAI's clients take, and is new in this answer; else one is made from the answer's id.
 */

#include <stdio.h>

#include "base/text.h"
#include "dialect/openai/call.h"

#define CALL_IDS_KEPT_MAX (16U << 10) /* bytes of ids that are compared; after that all are made */

bool openai_call_is_json(const OpenaiChat *chat, const GeminiPart *p) {
        return chat->json_function && call_find_tool(&chat->names, p) == chat->json_function;
}

static bool is_usable_id(const OpenaiChat *chat, const OpenaiChoice *choice, const char *id) {
        char scrubbed[CALL_ID_MAX + 1];
        char line[CALL_ID_MAX + 3];

        if (!id[0] || id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")])
                return false;
        text_copy(scrubbed, sizeof(scrubbed), id);
        secret_scrub(scrubbed, chat->t.key);
        if (!streq(scrubbed, id) || choice->ids.n > CALL_IDS_KEPT_MAX)
                return false;
        (void) snprintf(line, sizeof(line), "%s\n", id);
        return choice->ids.n == 0 || !memmem(buf_data(&choice->ids), choice->ids.n, line, strlen(line));
}

static void find_id(OpenaiChat *chat, size_t index, OpenaiCall *c) {
        OpenaiChoice *choice = &chat->choices[index];
        char id[CALL_ID_MAX + 2];

        json_view_copy(c->part->id, id, sizeof(id));
        if (strlen(id) <= CALL_ID_MAX && is_usable_id(chat, choice, id))
                text_copy(c->id, sizeof(c->id), id);
        else
                call_make_id("call_", call_answer_digest(chat->id, chat->request_id, chat->created), index,
                             choice->n_calls, c->id);
        if (choice->ids.n <= CALL_IDS_KEPT_MAX)
                (void) buf_printf(&choice->ids, "%s\n", c->id);
}

void openai_call_write_name(const OpenaiCall *c, JWriter *w) {
        size_t n;
        const char *name = c->tool ? tool_name_bare(c->tool, &n) : NULL;

        if (name)
                jwrite_string_n(w, "name", name, n);
        else
                json_copy_value(w, "name", c->part->name);
}

void openai_call_write_arguments(const OpenaiCall *c, const char *key, JWriter *w) {
        json_copy_as_string(w, key, call_arguments(c->part));
}

/* The text of a custom tool, which Gemini has as an argument. */
void openai_call_write_input(const OpenaiCall *c, const char *key, JWriter *w) {
        JsonView input = json_view_get(c->part->value, "input");

        if (json_view_is(input, '"'))
                json_copy_value(w, key, input);
        else if (input.p)
                json_copy_as_string(w, key, input);
        else
                openai_call_write_arguments(c, key, w);
}

void openai_call_write_extra(JsonView signature, JWriter *w) {
        if (!json_view_is(signature, '"') || json_view_is_empty(signature))
                return;
        jwrite_object(w, "extra_content");
        jwrite_object(w, "google");
        json_copy_value(w, "thought_signature", signature);
        jwrite_end(w);
        jwrite_end(w);
}

static bool is_custom(const OpenaiCall *c) {
        return c->tool && c->tool->flags & TOOL_NAME_CUSTOM;
}

static void write_call(const OpenaiCall *c, JWriter *w) {
        jwrite_object(w, NULL);
        jwrite_string(w, "id", c->id);
        jwrite_string(w, "type", is_custom(c) ? "custom" : "function");
        jwrite_object(w, is_custom(c) ? "custom" : "function");
        openai_call_write_name(c, w);
        if (is_custom(c))
                openai_call_write_input(c, "input", w);
        else
                openai_call_write_arguments(c, "arguments", w);
        jwrite_end(w);
        openai_call_write_extra(c->part->signature, w);
        jwrite_end(w);
}

/* The first delta has everything but the arguments, the second has these. */
static void stream_call(const OpenaiCall *c, unsigned n, bool arguments, JWriter *w) {
        jwrite_object(w, NULL);
        jwrite_array(w, "tool_calls");
        jwrite_object(w, NULL);
        jwrite_uint(w, "index", n);
        if (!arguments) {
                jwrite_string(w, "id", c->id);
                jwrite_string(w, "type", is_custom(c) ? "custom" : "function");
        }
        jwrite_object(w, is_custom(c) ? "custom" : "function");
        if (!arguments) {
                openai_call_write_name(c, w);
                jwrite_string(w, is_custom(c) ? "input" : "arguments", "");
        } else if (is_custom(c))
                openai_call_write_input(c, "input", w);
        else
                openai_call_write_arguments(c, "arguments", w);
        jwrite_end(w);
        if (!arguments)
                openai_call_write_extra(c->part->signature, w);
        jwrite_end(w);
        jwrite_end(w);
        jwrite_end(w);
}

/* The form before there were tools: one call, without an id. */
static void write_function(const OpenaiCall *c, const char *key, bool name, bool arguments, JWriter *w) {
        jwrite_object(w, key);
        if (name)
                openai_call_write_name(c, w);
        if (arguments)
                openai_call_write_arguments(c, "arguments", w);
        else
                jwrite_string(w, "arguments", "");
        jwrite_end(w);
}

static void stream_delta(OpenaiChat *chat, size_t index, const OpenaiCall *c, bool arguments, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        openai_chunk_open(chat, index, out);
        if (chat->has_functions) {
                jwrite_object(&w, NULL);
                write_function(c, "function_call", !arguments, arguments, &w);
                jwrite_end(&w);
        } else
                stream_call(c, chat->choices[index].n_calls, arguments, &w);
        openai_chunk_close(chat, out);
}

bool openai_call_begin(OpenaiChat *chat, size_t index, const GeminiPart *p, OpenaiCall *ret) {
        if (chat->choices[index].n_calls > 0 && (chat->is_one_call || chat->has_functions))
                return false;
        *ret = (OpenaiCall){ .part = p, .tool = call_find_tool(&chat->names, p) };
        find_id(chat, index, ret);
        call_remember(chat->vault, &chat->t, ret->id, ret->tool, p, chat->created);
        return true;
}

void openai_call_add(OpenaiChat *chat, size_t index, const GeminiPart *p, Buf *out) {
        OpenaiChoice *choice = &chat->choices[index];
        JWriter w = JWRITER_INIT(&choice->calls);
        OpenaiCall c;

        if (!openai_call_begin(chat, index, p, &c))
                return;
        if (translation_streams(&chat->t)) {
                stream_delta(chat, index, &c, false, out);
                stream_delta(chat, index, &c, true, out);
        } else {
                if (choice->n_calls > 0)
                        (void) buf_putc(&choice->calls, ',');
                if (chat->has_functions)
                        write_function(&c, NULL, true, true, &w);
                else
                        write_call(&c, &w);
        }
        choice->n_calls++;
}

void openai_calls_write(const OpenaiChat *chat, size_t index, JWriter *w) {
        const OpenaiChoice *choice = &chat->choices[index];

        if (choice->n_calls == 0)
                return;
        if (chat->has_functions) {
                jwrite_raw_n(w, "function_call", buf_data(&choice->calls), choice->calls.n);
                return;
        }
        jwrite_array(w, "tool_calls");
        (void) buf_append(w->buf, buf_data(&choice->calls), choice->calls.n);
        jwrite_end(w);
}
