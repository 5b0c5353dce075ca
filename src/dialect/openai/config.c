/* SPDX-License-Identifier: MIT */

/* Gemini's generationConfig: the numbers of a chat request, its stop strings, and what other files have
 * read. A number that the model refuses or ignores is left out. */

#include <errno.h>
#include <stdio.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/openai/config.h"

#define TOP_LOGPROBS_MAX 20.0

/* In the order in which they are written. */
static const struct {
        ChatField field;
        const char *gemini;
        double min, max;
        bool is_whole;
        ModelCan needs;
} numbers[] = {
        { CHAT_TEMPERATURE, "temperature", 0, 2, false, MODEL_CAN_SAMPLE },
        { CHAT_TOP_P, "topP", 0, 1, false, MODEL_CAN_SAMPLE },
        { CHAT_N, "candidateCount", 1, CANDIDATES_MAX, true, 0 },
        { CHAT_MAX_COMPLETION_TOKENS, "maxOutputTokens", -1, INT32_MAX, true, 0 },
        { CHAT_MAX_TOKENS, "maxOutputTokens", -1, INT32_MAX, true, 0 },
        { CHAT_SEED, "seed", (double) INT64_MIN, (double) INT64_MAX, true, 0 },
        { CHAT_FREQUENCY_PENALTY, "frequencyPenalty", -2, 2, false, MODEL_CAN_PENALTIES },
        { CHAT_PRESENCE_PENALTY, "presencePenalty", -2, 2, false, MODEL_CAN_PENALTIES },
        { CHAT_TOP_LOGPROBS, "logprobs", 0, TOP_LOGPROBS_MAX, true, 0 },
};

/* Some clients send 0 or -1 for "no limit". */
static bool is_limit(JsonView v) {
        double d;

        return json_view_is_double(v, &d) && d > 0;
}

int chat_check_numbers(ChatRequest *q) {
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                JsonView v = q->fields[numbers[i].field];
                const char *name = q->table[numbers[i].field].name;
                double d;

                if (!v.p)
                        continue;
                if (!json_view_is_double(v, &d) || !(d >= numbers[i].min && d <= numbers[i].max))
                        return dialect_refuse(q->error, name, "%s must be between %.0f and %.0f", name,
                                              numbers[i].min, numbers[i].max);
                if (numbers[i].field == CHAT_N && d > 1 && !model_can(q->rules, MODEL_CAN_CANDIDATES))
                        return dialect_refuse(q->error, name, "n must be 1 with this model");
        }
        if (!is_limit(q->fields[CHAT_MAX_COMPLETION_TOKENS]))
                q->fields[CHAT_MAX_COMPLETION_TOKENS] = (JsonView){};
        else
                q->fields[CHAT_MAX_TOKENS] = (JsonView){};
        if (!is_limit(q->fields[CHAT_MAX_TOKENS]))
                q->fields[CHAT_MAX_TOKENS] = (JsonView){};
        return 0;
}

/* A stop is one string or an array of them; more than Gemini takes are left out, and so are empty ones. */
int chat_read_stop(ChatRequest *q, JsonView v) {
        JsonCursor c = json_enter_array(v);
        JsonView s;
        unsigned n = 0;

        if (json_view_is(v, '"'))
                n = !json_view_is_empty(v);
        while (json_next(&c, NULL, &s)) {
                if (!json_view_is(s, '"'))
                        return dialect_refuse(q->error, "stop",
                                              "stop must be a string or an array of strings");
                n += !json_view_is_empty(s);
        }
        if (n > STOP_SEQUENCES_MAX)
                q->chat->t.loss = "stop strings beyond the first five";
        q->n_stop = MIN(n, STOP_SEQUENCES_MAX);
        q->chat->has_stop = n > 0;
        return 0;
}

int chat_read_logprobs(ChatRequest *q, JsonView v) {
        double d;

        if (json_view_is(v, 't') || (json_view_is_double(v, &d) && d > 0))
                q->chat->has_logprobs = true;
        return 0;
}

/* OpenAI's seed has 64 bits, Gemini's 32: folding keeps equal seeds equal. */
static int32_t fold_seed(JsonView v) {
        char text[32];
        int64_t seed;
        double d;

        (void) json_view_is_double(v, &d);
        seed = (int64_t) d;
        if ((size_t) (v.end - v.p) < sizeof(text) && json_view_is_digits(v)) {
                memcpy(text, v.p, (size_t) (v.end - v.p));
                text[v.end - v.p] = 0;
                seed = strtoll(text, NULL, 10);
        }
        return seed >= INT32_MIN && seed <= INT32_MAX ? (int32_t) seed
                                                      : (int32_t) ((uint64_t) seed ^ (uint64_t) seed >> 32);
}

static void write_numbers(const ChatRequest *q, JWriter *w) {
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                ChatField field = numbers[i].field;
                JsonView v = q->fields[field];

                if (!v.p || !model_can(q->rules, numbers[i].needs))
                        continue;
                if (field == CHAT_TOP_LOGPROBS && !q->chat->has_logprobs)
                        continue;
                if (field == CHAT_SEED)
                        jwrite_int(w, numbers[i].gemini, fold_seed(v));
                else if (numbers[i].is_whole) /* also 1024.0 */
                        jwrite_uint(w, numbers[i].gemini, json_view_count(v));
                else
                        json_copy_value(w, numbers[i].gemini, v);
        }
}

static void write_stop(const ChatRequest *q, JWriter *w) {
        JsonView v = q->fields[CHAT_STOP], s = v;
        JsonCursor c = json_enter_array(v);
        unsigned n = q->n_stop;

        if (n == 0)
                return;
        jwrite_array(w, "stopSequences");
        if (json_view_is(v, '"'))
                json_copy_value(w, NULL, v);
        while (n > 0 && json_next(&c, NULL, &s))
                if (!json_view_is_empty(s)) {
                        json_copy_value(w, NULL, s);
                        n--;
                }
        jwrite_end(w);
}

void chat_write_config(ChatRequest *q, JWriter *w) {
        JWriter before = *w;
        size_t n = w->buf->n;

        jwrite_object(w, "generationConfig");
        write_numbers(q, w);
        write_stop(q, w);
        if (q->chat->has_logprobs)
                jwrite_bool(w, "responseLogprobs", true);
        format_write(&q->format, w);
        chat_write_modalities(q, w);
        if (q->google[GOOGLE_IMAGE_CONFIG].p)
                json_copy_value(w, "imageConfig", q->google[GOOGLE_IMAGE_CONFIG]);
        if (q->google[GOOGLE_MEDIA_RESOLUTION].p)
                json_copy_value(w, "mediaResolution", q->google[GOOGLE_MEDIA_RESOLUTION]);
        thinking_write(&q->thinking, q->rules, w);
        q->chat->has_thoughts = q->thinking.is_shown;
        jwrite_end_unless_empty(w, &before, n);
}
