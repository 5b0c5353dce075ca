/* SPDX-License-Identifier: MIT */

/*
 * Gemini's function calls as OpenAI's tool calls. Gemini sends a call in one piece; in a stream it becomes
 * two deltas, because clients expect the name first and the arguments after it.
 *
 * A call's id comes back with its result, so it must be unique in the conversation. Gemini's own is kept if
 * it is one that OpenAI's clients take, and is new in this answer; else one is made from the answer's id.
 */

#include "base/hash.h"
#include "base/text.h"
#include "dialect/openai/call.h"

#define CALL_IDS_KEPT_MAX (16U << 10) /* bytes of digests that are compared; after that all ids are made */

bool openai_call_is_json(const OpenaiChat *chat, const GeminiPart *p) {
        return chat->json_function && call_find_tool(&chat->names, p) == chat->json_function;
}

/* If two ids have the same, the later id is made: that does no harm. */
static uint32_t digest_of(const OpenaiCall *c) {
        uint64_t digest = c->n_id, piece;

        for (size_t i = 0; i < c->n_id; i += sizeof(piece)) {
                piece = 0;
                memcpy(&piece, c->id + i, MIN(c->n_id - i, sizeof(piece)));
                digest = hash_mix(digest ^ piece);
        }
        return (uint32_t) digest;
}

static bool is_known_digest(const OpenaiChoice *choice, uint32_t digest) {
        const uint32_t *digests = (const uint32_t *) (const void *) choice->ids.base;
        unsigned found = 0; /* without a branch in the loop several are compared at once */

        assert(choice->ids.off == 0);
        for (size_t i = 0; i < choice->ids.n / sizeof(digest); i++)
                found |= digests[i] == digest;
        return found;
}

/* Gemini's own id, if it can be the client's. */
static bool take_id(const OpenaiChat *chat, const OpenaiChoice *choice, JsonView id, OpenaiCall *c) {
        static const bool allowed[256] = {
                ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true,
                ['_'] = true,         ['-'] = true,         ['.'] = true,
        };
        size_t n = (size_t) (id.end - id.p);

        if (n == 0 || n > CALL_ID_MAX || choice->ids.n > CALL_IDS_KEPT_MAX)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!allowed[(unsigned char) id.p[i]])
                        return false;
        if (secret_is_in_name(id.p, n, chat->t.key))
                return false;
        memcpy(c->id, id.p, n);
        c->id[n] = 0;
        c->n_id = n;
        return !is_known_digest(choice, digest_of(c));
}

static uint64_t answer_digest(OpenaiChat *chat) {
        if (chat->digest == 0)
                chat->digest = call_answer_digest(chat->id, chat->request_id, chat->created);
        return chat->digest;
}

static void find_id(OpenaiChat *chat, size_t index, OpenaiCall *c) {
        OpenaiChoice *choice = &chat->choices[index];
        uint32_t digest;

        if (!take_id(chat, choice, json_view_inside(c->part->id), c))
                c->n_id = call_make_id("call_", answer_digest(chat), index, choice->n_calls, c->id);
        digest = digest_of(c);
        if (choice->ids.n <= CALL_IDS_KEPT_MAX)
                (void) buf_append(&choice->ids, &digest, sizeof(digest));
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

/* The first delta has everything but the arguments, the second has these. Like chunks they are written by
 * hand, because few of their bytes differ. */
static void stream_call(const OpenaiCall *c, const char *index, bool arguments, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        (void) buf_puts(out, "{\"tool_calls\":[{\"index\":");
        (void) buf_puts(out, index);
        if (arguments) {
                (void) buf_puts(out, is_custom(c) ? ",\"custom\":{" : ",\"function\":{");
                w.comma = false;
                if (is_custom(c))
                        openai_call_write_input(c, "input", &w);
                else
                        openai_call_write_arguments(c, "arguments", &w);
                (void) buf_putc(out, '}');
        } else {
                (void) buf_puts(out, ",\"id\":\"");
                (void) buf_append(out, c->id, c->n_id);
                (void) buf_puts(out, is_custom(c) ? "\",\"type\":\"custom\",\"custom\":{"
                                                  : "\",\"type\":\"function\",\"function\":{");
                w.comma = false;
                openai_call_write_name(c, &w);
                (void) buf_puts(out, is_custom(c) ? ",\"input\":\"\"}" : ",\"arguments\":\"\"}");
                openai_call_write_extra(c->part->signature, &w);
        }
        (void) buf_puts(out, "}]}");
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

/* `number`: of the call in the answer. */
static void stream_delta(OpenaiChat *chat, size_t index, const OpenaiCall *c, const char *number,
                         bool arguments, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        openai_chunk_open(chat, index, out);
        if (chat->has_functions) {
                jwrite_object(&w, NULL);
                write_function(c, "function_call", !arguments, arguments, &w);
                jwrite_end(&w);
        } else
                stream_call(c, number, arguments, out);
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
        char number[TEXT_DECIMAL_MAX];
        OpenaiCall c;

        if (!openai_call_begin(chat, index, p, &c))
                return;
        if (translation_streams(&chat->t)) {
                (void) text_decimal(choice->n_calls, number);
                stream_delta(chat, index, &c, number, false, out);
                stream_delta(chat, index, &c, number, true, out);
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
