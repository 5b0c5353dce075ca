/* SPDX-License-Identifier: MIT */
#include "dialect/openai/single.h"

#include <stdio.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/message.h"
#include "dialect/openai/answer.h"
#include "dialect/request-model.h"

void single_init(OpenaiSingle *s, const DialectContext *c, const Dialect *d) {
        s->t.dialect = d;
        s->t.method = GEMINI_GENERATE;
        s->created = c->created;
}

int single_read_model(OpenaiSingle *s, const DialectContext *c, JsonView model, ModelCan needs,
                      const char *what, ApiError *ret_error) {
        const char *name;

        if (json_view_is_null(model))
                return dialect_refuse(ret_error, "model", "model is required");
        if (request_model_view(c, model, &s->t) < 0)
                return dialect_refuse(ret_error, "model", "model must be the name of a model");
        name = dialect_model(c, s->t.model);
        if (!model_can(dialect_rules(c, name), needs))
                return dialect_refuse(ret_error, "model",
                                      "model: %s %s: name a model of Gemini's that does, or an alias of one "
                                      "(MODEL_ALIASES)",
                                      name, what);
        return 0;
}

int single_check_string(JsonView v, const char *name, bool is_required, ApiError *ret_error) {
        if (json_view_is_null(v))
                return is_required ? dialect_refuse(ret_error, name, "%s is required", name) : 0;
        if (!json_view_is(v, '"'))
                return dialect_refuse(ret_error, name, "%s must be a string", name);
        if (is_required && json_view_is_empty(v))
                return dialect_refuse(ret_error, name, "%s must not be empty", name);
        return 0;
}

void single_write_prompt(JsonView text, JWriter *w) {
        jwrite_array(w, "contents");
        jwrite_object(w, NULL);
        jwrite_string(w, "role", "user");
        jwrite_array(w, "parts");
        jwrite_object(w, NULL);
        json_copy_value(w, "text", text);
        jwrite_end(w);
        jwrite_end(w);
        jwrite_end(w);
        jwrite_end(w);
}

int single_event(OpenaiSingle *s, const char *json, size_t n,
                 bool (*take)(OpenaiSingle *s, const GeminiPart *p), Verdict *ret_verdict) {
        AnswerCandidate *candidate;
        GeminiCandidate c;
        GeminiPart part;
        GeminiEvent e;
        int r;

        r = gemini_event_parse(json, n, &e, ret_verdict);
        if (r != 0)
                return r;
        gemini_event_count(&e, &s->t.counts, &s->t.usage);
        answer_note_event(&s->answer, &e, s->t.key);
        while (gemini_event_next(&e, &c)) {
                bool has_content = false;

                candidate = answer_take_candidate(&s->answer, &s->t, &c);
                if (!candidate || c.index > 0)
                        continue;
                answer_note_finish_message(&c, s->t.key, s->why);
                while (gemini_part_next(&c.parts, &part))
                        has_content = (!part.is_thought && take(s, &part)) || has_content;
                if (has_content)
                        answer_note_content(&s->answer, candidate);
        }
        s->t.settled = answer_settled(&s->answer);
        return 0;
}

static bool no_answer(const char *finish _unused_) {
        return false;
}

int single_judge(const OpenaiSingle *s, Verdict *ret_verdict) {
        const AnswerCandidate *c = &s->answer.candidates[0];
        const char *reason = openai_finish_reason(c->finish);
        bool is_answer = answer_judge(&s->answer, false, no_answer, s->why, ret_verdict);
        char message[384];

        if (c->has_content)
                return 0;
        if (is_answer) /* without content: the prompt is blocked */
                verdict_init(ret_verdict, VERDICT_REQUEST, 400, "Google has blocked the prompt.");
        else if (reason && streq(reason, "content_filter")) {
                (void) snprintf(message, sizeof(message), "Google has blocked the answer: %s%s%s", c->finish,
                                s->why[0] ? ", " : "", s->why);
                verdict_init(ret_verdict, VERDICT_REQUEST, 400, message);
        }
        return DIALECT_E_VERDICT;
}

void single_reset(OpenaiSingle *s) {
        answer_reset(&s->answer);
        s->why[0] = 0;
        s->t.counts = (GeminiCounts){};
        s->t.settled = 0;
        s->t.finish_reason = NULL;
}
