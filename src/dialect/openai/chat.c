/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/chat/completions: translates the request to Gemini's generateContent.
 *
 * Two tables describe the fields: `numbers` are checked and copied under another name; `fields` has all
 * other known fields, each with its types and its function. Fields in neither table are ignored, because
 * clients send extensions of other vendors. Fields that would change the answer in an unsupported way are
 * refused by name, unless their value is the default. A JSON null counts as absent everywhere.
 */

#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "core/model.h"
#include "dialect/json.h"
#include "dialect/openai/chat.h"
#include "dialect/request-model.h"
#include "dialect/store-member.h"

typedef enum Type {
        TYPE_BOOL = 1 << json_type_boolean,
        TYPE_DOUBLE = 1 << json_type_double,
        TYPE_INT = 1 << json_type_int,
        TYPE_OBJECT = 1 << json_type_object,
        TYPE_ARRAY = 1 << json_type_array,
        TYPE_STRING = 1 << json_type_string,
} Type;

/* Numbers of generationConfig, in the order in which they are written. */
typedef enum Number {
        NUMBER_TEMPERATURE,
        NUMBER_TOP_P,
        NUMBER_N,
        NUMBER_MAX_COMPLETION_TOKENS,
        NUMBER_MAX_TOKENS,
        NUMBER_SEED,
        NUMBER_FREQUENCY_PENALTY,
        NUMBER_PRESENCE_PENALTY,
        _NUMBER_MAX,
} Number;

static const struct {
        const char *name, *gemini;
        bool integer;
        double min, max;
        GeminiTraits dropped; /* for models with one of these */
} numbers[_NUMBER_MAX] = {
        [NUMBER_TEMPERATURE] = { "temperature", "temperature", false, 0, 2, GEMINI_NO_SAMPLING },
        [NUMBER_TOP_P] = { "top_p", "topP", false, 0, 1, GEMINI_NO_SAMPLING },
        [NUMBER_N] = { "n", "candidateCount", true, 1, CANDIDATES_MAX, 0 },
        [NUMBER_MAX_COMPLETION_TOKENS] = { "max_completion_tokens", "maxOutputTokens", true, 1, INT32_MAX,
                                           0 },
        [NUMBER_MAX_TOKENS] = { "max_tokens", "maxOutputTokens", true, 1, INT32_MAX, 0 },
        [NUMBER_SEED] = { "seed", "seed", true, (double) INT64_MIN, (double) INT64_MAX, 0 },
        [NUMBER_FREQUENCY_PENALTY] = { "frequency_penalty", "frequencyPenalty", false, -2, 2,
                                       GEMINI_NO_PENALTIES },
        [NUMBER_PRESENCE_PENALTY] = { "presence_penalty", "presencePenalty", false, -2, 2,
                                      GEMINI_NO_PENALTIES },
};

static bool is_empty(struct json_object *o) {
        return json_object_is_type(o, json_type_array) && json_array_length(o) == 0;
}

static bool is_false(struct json_object *o) {
        return json_object_is_type(o, json_type_boolean) && !json_object_get_boolean(o);
}

static bool is_zero(struct json_object *o) {
        return json_object_is_type(o, json_type_int) && json_object_get_int64(o) == 0;
}

/* A choice of tools without tools. */
static bool is_no_choice(struct json_object *o) {
        const char *s = json_object_is_type(o, json_type_string) ? json_object_get_string(o) : "";

        return streq(s, "none") || streq(s, "auto");
}

static bool is_plain_format(struct json_object *o) {
        return streq(strempty(json_get_string(o, "type")), "text");
}

static bool is_text_only(struct json_object *o) {
        for (size_t i = 0; i < json_array_length(o); i++) {
                struct json_object *m = json_object_array_get_idx(o, i);

                if (!json_object_is_type(m, json_type_string) || !streq(json_object_get_string(m), "text"))
                        return false;
        }
        return true;
}

static bool is_without_google(struct json_object *o) {
        return !json_get(o, "google");
}

static const struct {
        const char *name;
        Type types;
        bool later;                           /* refused… */
        bool (*usual)(struct json_object *o); /* …unless this is true; NULL: always */
        const char *param;                    /* named in the refusal, if it isn't the field itself */
} fields[] = {
        { "model", TYPE_STRING },
        { "messages", TYPE_ARRAY },
        { "stream", TYPE_BOOL },
        { "stream_options", TYPE_OBJECT },
        { "stop", TYPE_STRING | TYPE_ARRAY },
        { "service_tier", TYPE_STRING },
        { "store", TYPE_BOOL },
        /* known and ignored */
        { "user", TYPE_STRING },
        { "safety_identifier", TYPE_STRING },
        { "metadata", TYPE_OBJECT },
        { "parallel_tool_calls", TYPE_BOOL },
        { "prompt_cache_key", TYPE_STRING },
        { "prediction", TYPE_OBJECT },
        { "verbosity", TYPE_STRING },
        { "logit_bias", TYPE_OBJECT },
        /* not yet */
        { "tools", TYPE_ARRAY, true, is_empty },
        { "functions", TYPE_ARRAY, true, is_empty },
        { "tool_choice", TYPE_STRING | TYPE_OBJECT, true, is_no_choice },
        { "function_call", TYPE_STRING | TYPE_OBJECT, true, is_no_choice },
        { "response_format", TYPE_OBJECT, true, is_plain_format },
        { "modalities", TYPE_ARRAY, true, is_text_only },
        { "audio", TYPE_OBJECT, true, NULL },
        { "logprobs", TYPE_BOOL, true, is_false },
        { "top_logprobs", TYPE_INT, true, is_zero },
        { "reasoning_effort", TYPE_STRING, true, NULL },
        { "web_search_options", TYPE_OBJECT, true, NULL },
        { "extra_body", TYPE_OBJECT, true, is_without_google, "extra_body.google" },
};

static const struct {
        Type type;
        const char *name;
} type_names[] = {
        { TYPE_BOOL, "a boolean" },  { TYPE_INT, "an integer" },   { TYPE_DOUBLE, "a number" },
        { TYPE_STRING, "a string" }, { TYPE_OBJECT, "an object" }, { TYPE_ARRAY, "an array" },
};

static int refuse_type(ApiError *ret_error, const char *param, Type types) {
        char list[64] = "";
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(type_names); i++)
                if (types & type_names[i].type)
                        n += (size_t) snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? " or " : "",
                                               type_names[i].name);
        return openai_refuse(ret_error, param, "%s must be %s", param, list);
}

static int check_field(size_t i, struct json_object *o, ApiError *ret_error) {
        const char *param = fields[i].param ?: fields[i].name;

        if (!(fields[i].types & 1U << json_object_get_type(o)))
                return refuse_type(ret_error, fields[i].name, fields[i].types);
        if (fields[i].later && !(fields[i].usual && fields[i].usual(o)))
                return openai_refuse(ret_error, param, "%s is not supported yet", param);
        return 0;
}

/* One walk over the fields that the client sent, instead of a search for each known field. */
static int read_members(struct json_object *root, struct json_object *ret_numbers[static _NUMBER_MAX],
                        ApiError *ret_error) {
        int r;

        json_object_object_foreach(root, name, o) {
                if (!o)
                        continue;
                for (Number i = 0; i < _NUMBER_MAX; i++)
                        if (streq(name, numbers[i].name))
                                ret_numbers[i] = o;
                for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                        if (streq(name, fields[i].name)) {
                                r = check_field(i, o, ret_error);
                                if (r != 0)
                                        return r;
                                break;
                        }
        }
        return 0;
}

/* 1024.0 is an integer: JSON has one kind of number, and some clients write all of them this way. */
static bool is_integral(struct json_object *o) {
        double d = json_object_get_double(o);

        return json_object_is_type(o, json_type_int) ||
               (d > -0x1p53 && d < 0x1p53 && (double) (int64_t) d == d);
}

static int check_numbers(struct json_object *const found[static _NUMBER_MAX], GeminiTraits traits,
                         ApiError *ret_error) {
        for (Number i = 0; i < _NUMBER_MAX; i++) {
                struct json_object *o = found[i];
                const char *name = numbers[i].name;
                double d;

                if (!o)
                        continue;
                if (!((TYPE_INT | TYPE_DOUBLE) & 1U << json_object_get_type(o)))
                        return refuse_type(ret_error, name, numbers[i].integer ? TYPE_INT : TYPE_DOUBLE);
                if (numbers[i].integer && !is_integral(o))
                        return refuse_type(ret_error, name, TYPE_INT);
                d = json_object_get_double(o);
                if (!(d >= numbers[i].min && d <= numbers[i].max))
                        return openai_refuse(ret_error, name, "%s must be between %.0f and %.0f", name,
                                             numbers[i].min, numbers[i].max);
                if (i == NUMBER_N && d > 1 && traits & GEMINI_ONE_CANDIDATE)
                        return openai_refuse(ret_error, name, "n must be 1 with this model");
        }
        return 0;
}

/* A stop is one string or an array of them; others are ignored. */
static struct json_object *stop_at(struct json_object *stop, size_t i) {
        if (json_object_is_type(stop, json_type_array))
                return i < json_array_length(stop) ? json_object_array_get_idx(stop, i) : NULL;
        return i == 0 ? stop : NULL;
}

static int check_stop(struct json_object *stop, unsigned *ret_n, ApiError *ret_error) {
        size_t entries = json_object_is_type(stop, json_type_array) ? json_array_length(stop) : 1;
        unsigned n = 0;

        for (size_t i = 0; stop && i < entries; i++) {
                struct json_object *s = stop_at(stop, i);

                if (!json_object_is_type(s, json_type_string))
                        return openai_refuse(ret_error, "stop",
                                             "stop must be a string or an array of strings");
                if (json_object_get_string_len(s) > 0 && ++n > STOP_SEQUENCES_MAX)
                        return openai_refuse(ret_error, "stop", "stop must not have more than %u strings",
                                             STOP_SEQUENCES_MAX);
        }
        *ret_n = n;
        return 0;
}

static int check_stream(struct json_object *root, OpenaiChat *chat, ApiError *ret_error) {
        struct json_object *o = json_get(json_get(root, "stream_options"), "include_usage");

        if (o && !json_object_is_type(o, json_type_boolean))
                return refuse_type(ret_error, "stream_options.include_usage", TYPE_BOOL);
        chat->include_usage = json_object_get_boolean(o);
        chat->t.method = json_object_get_boolean(json_get(root, "stream")) ? GEMINI_STREAM : GEMINI_GENERATE;
        return 0;
}

/* The shortest form that reads back as the same number; never the client's spelling, which may be valid
 * only for a lenient reader. */
static void write_double(JWriter *w, const char *key, double d) {
        char s[32];

        for (int precision = 15; precision <= 17; precision++) {
                (void) snprintf(s, sizeof(s), "%.*g", precision, d);
                if (strtod(s, NULL) == d)
                        break;
        }
        jwrite_raw(w, key, s);
}

/* OpenAI's seed has 64 bits, Gemini's 32: folding keeps equal seeds equal. */
static int32_t fold_seed(int64_t v) {
        return v >= INT32_MIN && v <= INT32_MAX ? (int32_t) v
                                                : (int32_t) ((uint64_t) v ^ (uint64_t) v >> 32);
}

/* The number as it is sent, or NULL. */
static struct json_object *get_number(struct json_object *const found[static _NUMBER_MAX],
                                      GeminiTraits traits, Number i) {
        if (traits & numbers[i].dropped)
                return NULL;
        if (i == NUMBER_MAX_TOKENS && found[NUMBER_MAX_COMPLETION_TOKENS])
                return NULL;
        return found[i];
}

static void write_number(JWriter *w, Number i, struct json_object *o) {
        if (!numbers[i].integer)
                write_double(w, numbers[i].gemini, json_object_get_double(o));
        else if (i == NUMBER_SEED)
                jwrite_int(w, numbers[i].gemini, fold_seed(json_object_get_int64(o)));
        else
                jwrite_int(w, numbers[i].gemini, json_object_get_int64(o));
}

static void write_config(struct json_object *root, struct json_object *const found[static _NUMBER_MAX],
                         GeminiTraits traits, unsigned n_stop, JWriter *w) {
        struct json_object *stop = json_get(root, "stop"), *s;
        bool any = n_stop > 0;

        for (Number i = 0; i < _NUMBER_MAX; i++)
                any = any || get_number(found, traits, i);
        if (!any)
                return;

        jwrite_object(w, "generationConfig");
        for (Number i = 0; i < _NUMBER_MAX; i++) {
                struct json_object *o = get_number(found, traits, i);

                if (o)
                        write_number(w, i, o);
        }
        if (n_stop > 0) {
                jwrite_array(w, "stopSequences");
                for (size_t i = 0; (s = stop_at(stop, i)); i++)
                        if (json_object_get_string_len(s) > 0)
                                jwrite_string_n(w, NULL, json_object_get_string(s),
                                                (size_t) json_object_get_string_len(s));
                jwrite_end(w);
        }
        jwrite_end(w);
}

static void write_request(const DialectContext *c, struct json_object *root,
                          struct json_object *const found[static _NUMBER_MAX], GeminiTraits traits,
                          unsigned n_stop, Buf *out) {
        const char *tier = strempty(json_get_string(root, "service_tier"));
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        openai_messages_write(json_get(root, "messages"), traits, &w);
        write_config(root, found, traits, n_stop, &w);
        if (streq(tier, "flex") || streq(tier, "priority"))
                jwrite_string(&w, "serviceTier", tier);
        store_member_write(c, json_get(root, "store"), &w);
        jwrite_end(&w);
}

static OpenaiChat *chat_free(OpenaiChat *chat) {
        if (!chat)
                return NULL;
        buf_done(&chat->t.gemini);
        buf_done(&chat->head);
        buf_done(&chat->text);
        for (size_t i = 0; i < ELEMENTSOF(chat->choices); i++)
                buf_done(&chat->choices[i].text);
        free(chat);
        return NULL;
}
DEFINE_CLEANUP(OpenaiChat *, chat_free);

static OpenaiChat *chat_new(const DialectContext *c, size_t body_size) {
        OpenaiChat *chat = calloc(1, sizeof(OpenaiChat));

        if (!chat)
                return NULL;
        chat->t.dialect = &dialect_openai_chat;
        chat->created = c->created;
        chat->service_tier = "default";
        text_copy(chat->request_id, sizeof(chat->request_id), strempty(c->request_id));

        /* A control character is written as six bytes, and a message of few characters grows by its
         * parts' names; nothing else makes the request longer than the client's. */
        chat->t.gemini = BUF_INIT(6 * body_size + 1024);
        chat->head = BUF_INIT(4096);
        chat->text = BUF_INIT(UPSTREAM_ANSWER_MAX);
        for (size_t i = 0; i < ELEMENTSOF(chat->choices); i++)
                chat->choices[i].text = BUF_INIT(UPSTREAM_ANSWER_MAX);
        return chat;
}

/* The client's name for the conversation: its cache key or its user. */
static uint64_t conversation(struct json_object *root) {
        static const char *const names[] = { "prompt_cache_key", "user" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *s = json_get_string(root, names[i]);

                if (!strnull(s))
                        return hash_stable(s, strlen(s));
        }
        return 0;
}

static int openai_chat_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                               ApiError *ret_error) {
        _cleanup_(chat_freep) OpenaiChat *chat = NULL;
        _cleanup_json_ struct json_object *root = NULL;
        struct json_object *found[_NUMBER_MAX] = {};
        const char *model;
        GeminiTraits traits;
        unsigned n_stop = 0;
        int r;

        r = json_parse_body(body, n, &root, ret_error);
        if (r != 0)
                return r;
        chat = chat_new(c, n);
        if (!chat)
                return -ENOMEM;

        r = read_members(root, found, ret_error);
        if (r != 0)
                return r;
        if (request_model(c, json_get(root, "model"), &chat->t) < 0)
                return openai_refuse(ret_error, "model", "model must be the name of a model");
        model = c->resolve_model ? c->resolve_model(chat->t.model, c->userdata) : chat->t.model;
        traits = gemini_model_traits(model);
        r = check_numbers(found, traits, ret_error);
        if (r != 0)
                return r;
        r = check_stop(json_get(root, "stop"), &n_stop, ret_error);
        if (r != 0)
                return r;
        r = check_stream(root, chat, ret_error);
        if (r != 0)
                return r;
        r = openai_messages_check(json_get(root, "messages"), ret_error);
        if (r != 0)
                return r;

        chat->has_stop = n_stop > 0;
        chat->t.conversation = conversation(root);
        write_request(c, root, found, traits, n_stop, &chat->t.gemini);
        if (chat->t.gemini.error < 0)
                return chat->t.gemini.error;
        *ret = &TAKE_PTR(chat)->t;
        return 0;
}

static Translation *openai_chat_free(Translation *t) {
        (void) chat_free(CONTAINER_OF(t, OpenaiChat, t));
        return NULL;
}

const Dialect dialect_openai_chat = {
        .name = "openai-chat",
        .is_chat = true,
        .ping = ": ping\n\n",
        .request = openai_chat_request,
        .event = openai_chat_event,
        .finish = openai_chat_finish,
        .stream_error = openai_chat_stream_error,
        .reset = openai_chat_reset,
        .free = openai_chat_free,
};
