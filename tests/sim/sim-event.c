/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <json-c/json.h>

#include "base/text.h"
#include "sim-event.h"
#include "sim-logprobs.h"

/* The members of a JSON object that a script spells out, into the object that is open. */
static void write_members(JWriter *w, json_object *o) {
        if (!json_object_is_type(o, json_type_object))
                return;
        json_object_object_foreach(o, key, value) {
                jwrite_raw(w, key, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
        }
}

static json_object *parse(const char *text) {
        return text ? json_tokener_parse(text) : NULL;
}

static void write_prompt_details(JWriter *w, const Action *action, const AnswerAsk *ask, uint64_t prompt) {
        static const char *const names[] = { "TEXT", "IMAGE", "AUDIO", "VIDEO", "DOCUMENT" };
        bool counted = action->usage[0] == ACTION_UNSET;

        jwrite_array(w, "promptTokensDetails");
        for (unsigned i = 0; i < MODALITIES; i++) {
                uint64_t n = counted ? ask->prompt->modality[i] : i == MODALITY_TEXT ? prompt : 0;

                if (n == 0 && i != MODALITY_TEXT)
                        continue;
                jwrite_object(w, NULL);
                jwrite_string(w, "modality", names[i]);
                jwrite_uint(w, "tokenCount", n);
                jwrite_end(w);
        }
        jwrite_end(w);
}

void event_write_usage(JWriter *w, const Action *action, const AnswerAsk *ask, const Usage *u,
                       uint64_t candidates, uint64_t thoughts) {
        uint64_t total = u->total == ACTION_UNSET ? u->prompt + candidates + thoughts : u->total;
        json_object *counts = parse(action->counts);

        jwrite_object(w, "usageMetadata");
        jwrite_uint(w, "promptTokenCount", u->prompt);
        if (u->cached > 0)
                jwrite_uint(w, "cachedContentTokenCount", u->cached);
        if (candidates > 0)
                jwrite_uint(w, "candidatesTokenCount", candidates);
        jwrite_uint(w, "totalTokenCount", total);
        if (!json_object_object_get(counts, "promptTokensDetails"))
                write_prompt_details(w, action, ask, u->prompt);
        if (thoughts > 0)
                jwrite_uint(w, "thoughtsTokenCount", thoughts);
        write_members(w, counts);
        jwrite_end(w);
        json_object_put(counts);
}

void event_write_identity(JWriter *w, const Action *action, const AnswerAsk *ask) {
        char id[24];

        (void) snprintf(id, sizeof(id), "sim-%016llx", (unsigned long long) ask->id);
        jwrite_string(w, "modelVersion", action->model_version ?: ask->model);
        jwrite_string(w, "responseId", id);
}

Usage usage_of(const Action *action, const AnswerAsk *ask, uint64_t candidates) {
        const uint64_t *u = action->usage;

        return (Usage){
                .prompt = u[0] == ACTION_UNSET ? ask->prompt->tokens : u[0],
                .candidates = u[1] == ACTION_UNSET ? candidates : u[1],
                .total = u[2],
                .thoughts = action->thoughts == ACTION_UNSET ? 0 : action->thoughts,
                .cached = action->cached == ACTION_UNSET ? 0 : action->cached,
        };
}

static void write_parts(JWriter *w, const Piece *p) {
        jwrite_array(w, "parts");
        if (p->thought) {
                jwrite_object(w, NULL);
                jwrite_string(w, "text", p->thought);
                jwrite_bool(w, "thought", true);
                jwrite_end(w);
        }
        if (p->text) {
                jwrite_object(w, NULL);
                jwrite_string_n(w, "text", p->text, p->n);
                if (p->signature)
                        jwrite_string(w, "thoughtSignature", p->signature);
                jwrite_end(w);
        }
        if (p->parts && *p->parts)
                jwrite_raw(w, NULL, p->parts);
        jwrite_end(w);
}

static void write_candidate(JWriter *w, const AnswerAsk *ask, json_object *more, const Piece *p,
                            unsigned i) {
        jwrite_object(w, NULL);
        jwrite_object(w, "content");
        write_parts(w, p);
        jwrite_string(w, "role", "model");
        jwrite_end(w);
        if (p->finish && !json_object_object_get(more, "finishReason"))
                jwrite_string(w, "finishReason", p->finish);
        jwrite_uint(w, "index", i);
        if (p->continuation)
                jwrite_string(w, "continuationToken", p->continuation);
        if (ask->prompt->logprobs && p->text)
                logprobs_write(w, p->text, p->n, ask->prompt->top_logprobs);
        write_members(w, more);
        jwrite_end(w);
}

void event_write(Answer *a, const Action *action, const AnswerAsk *ask, const Usage *usage, const Piece *p) {
        json_object *more = p->finish ? parse(action->candidate) : NULL;
        JWriter w = JWRITER_INIT(&a->bytes);

        jwrite_object(&w, NULL);
        jwrite_array(&w, "candidates");
        for (unsigned i = 0; i < ask->prompt->candidates; i++)
                write_candidate(&w, ask, more, p, i);
        jwrite_end(&w);
        event_write_usage(&w, action, ask, usage, p->tokens, p->thoughts);
        event_write_identity(&w, action, ask);
        jwrite_end(&w);
        answer_close_piece(a);
        json_object_put(more);
}
