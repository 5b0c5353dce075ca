/* SPDX-License-Identifier: MIT */

/* What the request wants of the answer: numbers, stop_sequences, thinking, output_config. Gemini has them
 * in generationConfig. A number that the model refuses or ignores is left out. */

#include <errno.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/anthropic/request.h"

/* In the order in which they are written. The range of the temperature is Gemini's. */
static const struct {
        AnthropicField field;
        const char *name, *gemini;
        double min, max;
        bool is_whole;
        ModelCan needs;
} numbers[] = {
        { ANTHROPIC_TEMPERATURE, "temperature", "temperature", 0, 2, false, MODEL_CAN_SAMPLE },
        { ANTHROPIC_TOP_P, "top_p", "topP", -1, 1, false, MODEL_CAN_SAMPLE },
        { ANTHROPIC_TOP_K, "top_k", "topK", -1, INT32_MAX, true, MODEL_CAN_SAMPLE },
        { ANTHROPIC_MAX_TOKENS, "max_tokens", "maxOutputTokens", 1, INT32_MAX, true, 0 },
};

/* Some clients send -1, or a top_k of 0, for "not set". */
static bool is_set(AnthropicField field, double d) {
        return d > 0 || (d == 0 && field != ANTHROPIC_TOP_K);
}

int anthropic_check_numbers(AnthropicRequest *q) {
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                JsonView *v = &q->fields[numbers[i].field];
                const char *name = numbers[i].name;
                double d;

                if (!v->p)
                        continue;
                if (!json_view_is_double(*v, &d) || !(d >= numbers[i].min && d <= numbers[i].max))
                        return dialect_refuse(q->error, name, "%s must be between %.0f and %.0f", name,
                                              MAX(numbers[i].min, 0.0), numbers[i].max);
                if (!is_set(numbers[i].field, d))
                        *v = (JsonView){};
        }
        return 0;
}

int anthropic_read_stop(AnthropicRequest *q, JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView s;
        unsigned n = 0;

        while (json_next(&c, NULL, &s)) {
                if (!json_view_is(s, '"'))
                        return dialect_refuse(q->error, "stop_sequences",
                                              "stop_sequences must be an array of strings");
                n += !json_view_is_empty(s);
        }
        if (n > STOP_SEQUENCES_MAX)
                q->message->t.loss = "stop_sequences beyond the first five";
        q->message->has_stop = n > 0;
        return 0;
}

static void write_stop(const AnthropicRequest *q, JWriter *w) {
        JsonCursor c = json_enter_array(q->fields[ANTHROPIC_STOP_SEQUENCES]);
        unsigned n = 0;
        JsonView s;

        if (!q->message->has_stop)
                return;
        jwrite_array(w, "stopSequences");
        while (n < STOP_SEQUENCES_MAX && json_next(&c, NULL, &s))
                if (!json_view_is_empty(s)) {
                        json_copy_value(w, NULL, s);
                        n++;
                }
        jwrite_end(w);
}

/* --- thinking --- */

static int read_budget(AnthropicRequest *q, JsonView v) {
        double d;
        int r;

        if (json_view_is_null(v))
                return 0;
        r = check_type(q->error, v, TYPE_INTEGER, "thinking.budget_tokens");
        if (r != 0)
                return r;
        (void) json_view_is_double(v, &d);
        if (!(d >= -1 && d <= INT32_MAX))
                return check_refuse(q->error, "must be a number of tokens, or -1", "thinking.budget_tokens");
        q->thinking.has_budget = true;
        q->thinking.budget = (int) d;
        return 0;
}

/* `adaptive` is how Gemini thinks without an amount; `between_tools` it always does. */
int anthropic_read_thinking(AnthropicRequest *q, JsonView v) {
        static const char *const on[] = { "enabled", "adaptive", "between_tools" };
        JsonView type = json_view_get(v, "type"), display = json_view_get(v, "display");

        if (json_view_equals(type, "disabled")) {
                q->thinking.effort = EFFORT_NONE;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(on); i++) {
                if (!json_view_equals(type, on[i]))
                        continue;
                q->message->has_thinking = true;
                q->message->has_thoughts = q->thinking.is_shown = !json_view_equals(display, "omitted");
                return i == 0 ? read_budget(q, json_view_get(v, "budget_tokens")) : 0;
        }
        return check_refuse(q->error, "must be enabled, adaptive, between_tools or disabled",
                            "thinking.type");
}

/* --- output_config --- */

static int read_format(AnthropicRequest *q, JsonView v, const char *param) {
        JsonView type = json_view_get(v, "type"), schema = json_view_get(v, "schema");

        if (json_view_equals(type, "text"))
                return 0;
        if (!json_view_equals(type, "json_schema"))
                return check_refuse(q->error, "must be json_schema", "%s.type", param);
        q->format.kind = FORMAT_JSON;
        if (json_view_is_null(schema) || format_read_schema(&q->format, schema) < 0)
                return check_refuse(q->error, "must be a JSON Schema", "%s.schema", param);
        return 0;
}

/* Its name before output_config. */
int anthropic_read_output_format(AnthropicRequest *q, JsonView v) {
        return read_format(q, v, "output_format");
}

/* An effort without thinking is none of thoughts, but Gemini has one amount for both. `disabled` wins. */
static int read_effort(AnthropicRequest *q, JsonView v) {
        ThinkingEffort effort;

        if (thinking_effort_parse(v, &effort) < 0 || effort < EFFORT_LOW)
                return check_refuse(q->error, "must be low, medium, high, xhigh or max",
                                    "output_config.effort");
        if (q->thinking.effort == EFFORT_UNSET)
                q->thinking.effort = effort;
        return 0;
}

int anthropic_read_output_config(AnthropicRequest *q, JsonView v) {
        JsonView effort, format;
        const JsonMember members[] = {
                JSON_MEMBER("effort", &effort),
                JSON_MEMBER("format", &format),
        };
        int r = 0;

        json_view_members(v, members, ELEMENTSOF(members));
        if (!json_view_is_null(effort)) {
                r = check_type(q->error, effort, TYPE_STRING, "output_config.effort");
                if (r == 0)
                        r = read_effort(q, effort);
        }
        if (r == 0 && !json_view_is_null(format)) {
                r = check_type(q->error, format, TYPE_OBJECT, "output_config.format");
                if (r == 0)
                        r = read_format(q, format, "output_config.format");
        }
        return r;
}

/* --- generationConfig --- */

static void write_numbers(const AnthropicRequest *q, JWriter *w) {
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                JsonView v = q->fields[numbers[i].field];

                if (!v.p || !model_can(q->rules, numbers[i].needs))
                        continue;
                if (numbers[i].is_whole) /* also 1024.0 */
                        jwrite_uint(w, numbers[i].gemini, json_view_count(v));
                else
                        json_copy_value(w, numbers[i].gemini, v);
        }
}

void anthropic_write_config(AnthropicRequest *q, JWriter *w) {
        JWriter before = *w;
        size_t n = w->buf->n;

        jwrite_object(w, "generationConfig");
        write_numbers(q, w);
        write_stop(q, w);
        format_write(&q->format, w);
        thinking_write(&q->thinking, q->rules, w);
        jwrite_end_unless_empty(w, &before, n);
}
