/* SPDX-License-Identifier: MIT */
/*
 * The parts are kept as they are written; what a model adds to a call is added when it answers: an id from
 * Gemini 3 on, and the signature of the first call of an answer, which later has to come back with it. In a
 * stream each part is an event.
 */
#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "sim-event.h"
#include "sim-json.h"
#include "sim-parts.h"
#include "sim-signature.h"

#define PART_TOKENS 20U /* what a part counts that is no text */

static int add(char **parts, const char *more) {
        char *both;

        if (asprintf(&both, "%s%s%s", strempty(*parts), *parts ? "," : "", more) < 0)
                return -ENOMEM;
        free(*parts);
        *parts = both;
        return 0;
}

int parts_add_call(char **parts, const char *name, const char *arguments) {
        _cleanup_buf_ Buf part = BUF_INIT(16U << 20);
        JWriter w = JWRITER_INIT(&part);

        jwrite_object(&w, NULL);
        jwrite_object(&w, "functionCall");
        jwrite_string(&w, "name", name);
        if (arguments)
                jwrite_raw(&w, "args", arguments);
        jwrite_end(&w);
        jwrite_end(&w);
        return part.error < 0 ? part.error : add(parts, buf_cstr(&part));
}

int parts_add(char **parts, const char *array) {
        json_object *o = json_tokener_parse(array);
        int r = json_object_is_type(o, json_type_array) ? 0 : -EINVAL;

        for (size_t i = 0; r >= 0 && i < json_length(o); i++)
                r = add(parts, json_object_to_json_string_ext(json_object_array_get_idx(o, i),
                                                              JSON_C_TO_STRING_PLAIN |
                                                                      JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(o);
        return r;
}

static void add_id(json_object *call, const AnswerAsk *ask, size_t i) {
        char id[40];

        (void) snprintf(id, sizeof(id), "call-%08x-%zu", (unsigned) hash_mix(ask->id), i);
        json_object_object_add(call, "id", json_object_new_string(id));
}

static void add_signature(json_object *part, json_object *call, const AnswerAsk *ask) {
        _cleanup_buf_ Buf signature = BUF_INIT(4096);
        const char *name = json_object_get_string(json_member(call, "name", "name"));

        signature_make(ask->model, strempty(name), json_member(call, "args", "args"), &signature);
        json_object_object_add(part, "thoughtSignature",
                               json_object_new_string_len(buf_data(&signature), (int) signature.n));
}

/* What a model adds to the calls of this script. */
static void complete_parts(json_object *parts, const Action *action, const AnswerAsk *ask) {
        bool modern = signature_wanted(ask->model), signed_one = false;

        for (size_t i = 0; i < json_length(parts); i++) {
                json_object *part = json_object_array_get_idx(parts, i),
                            *call = json_member(part, "functionCall", "functionCall");

                if (!call)
                        continue;
                if (modern && !action->no_ids && !json_member(call, "id", "id"))
                        add_id(call, ask, i);
                if (modern && !action->unsigned_calls && !signed_one &&
                    !json_member(part, "thoughtSignature", "thoughtSignature"))
                        add_signature(part, call, ask);
                signed_one = true;
        }
}

static const char *text_of(json_object *part) {
        return json_object_to_json_string_ext(part, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void write_whole(Answer *a, const Action *action, const AnswerAsk *ask, const Usage *usage,
                        const Piece *first, json_object *parts) {
        _cleanup_buf_ Buf all = BUF_INIT(256U << 20);
        Piece p = *first;

        for (size_t i = 0; i < json_length(parts); i++)
                (void) buf_printf(&all, "%s%s", i > 0 ? "," : "",
                                  text_of(json_object_array_get_idx(parts, i)));
        p.parts = buf_cstr(&all);
        p.tokens = usage->candidates;
        p.finish = action->finish ?: "STOP";
        event_write(a, action, ask, usage, &p);
}

void parts_compose(Answer *a, const Action *action, const AnswerAsk *ask) {
        _cleanup_free_ char *array = NULL;
        size_t n, n_text = action->text ? strlen(action->text) : 0;
        json_object *parts;
        Usage usage;
        Piece p = { .thought = action->thought, .text = action->text, .n = n_text };

        if (asprintf(&array, "[%s]", action->parts) < 0 || !(parts = json_tokener_parse(array))) {
                a->error = -ENOMEM;
                return;
        }
        complete_parts(parts, action, ask);
        n = json_length(parts);
        usage = usage_of(action, ask, prompt_tokens_of(n_text) + n * PART_TOKENS);
        p.thoughts = usage.thoughts;

        if (a->form == ANSWER_PLAIN || action->together || n == 0)
                write_whole(a, action, ask, &usage, &p, parts);
        else {
                if (p.thought || p.text) {
                        p.tokens = prompt_tokens_of(n_text);
                        event_write(a, action, ask, &usage, &p);
                }
                for (size_t i = 0; i < n; i++) {
                        bool last = i == n - 1;

                        p = (Piece){ .parts = text_of(json_object_array_get_idx(parts, i)),
                                     .finish = last ? action->finish ?: "STOP" : NULL,
                                     .tokens = usage.candidates * (i + 1) / n,
                                     .thoughts = usage.thoughts };
                        event_write(a, action, ask, &usage, &p);
                }
        }
        json_object_put(parts);
}
