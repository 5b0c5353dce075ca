/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/chat/completions: translates the request to Gemini's generateContent.
 *
 * One table has all fields that OpenAI has, and Google's extension: each with its types and the function
 * that reads it. A field without a function has its type checked, and is then ignored, for the reason that
 * is beside it. Fields that are not in the table are ignored, because clients send extensions of other
 * vendors. A JSON null counts as absent everywhere; of a repeated member the last one counts.
 */

#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "core/model.h"
#include "dialect/json.h"
#include "dialect/openai/config.h"
#include "dialect/openai/request.h"
#include "dialect/request-model.h"
#include "dialect/store-member.h"

/* A JSON value's bytes become at most six (a control character); parts, missing results, signatures and
 * schemas add further names, a multiple of the client's shortest form of them. */
#define GROWTH_MAX 16U
#define FRAME_MAX  ((64U << 10) + (TOOLS_MAX + 1) * SCHEMA_GROWTH_BASE)

static int read_model(ChatRequest *q, JsonView v) {
        if (request_model_view(q->context, v, &q->chat->t) < 0)
                return dialect_refuse(q->error, "model", "model must be the name of a model");
        return 0;
}

static int read_stream(ChatRequest *q, JsonView v) {
        q->chat->t.method = json_view_is(v, 't') ? GEMINI_STREAM : GEMINI_GENERATE;
        return 0;
}

static int read_stream_options(ChatRequest *q, JsonView v) {
        JsonView usage = json_view_get(v, "include_usage");

        q->chat->include_usage = json_view_is(usage, 't');
        if (json_view_is_null(usage))
                return 0;
        return chat_check_type(q, usage, TYPE_BOOL, "stream_options.include_usage");
}

static int read_effort(ChatRequest *q, JsonView v) {
        if (thinking_effort_parse(v, &q->thinking.effort) < 0)
                return dialect_refuse(
                                      q->error, "reasoning_effort",
                                      "reasoning_effort must be one of none, minimal, low, medium, high, "
                                      "xhigh, max");
        q->thinking.is_shown = q->thinking.effort > EFFORT_MINIMAL;
        return 0;
}

static int read_parallel(ChatRequest *q, JsonView v) {
        q->chat->is_one_call = json_view_is(v, 'f');
        return 0;
}

/* Its name, so that a conversation keeps the project that served it last. */
static int read_conversation(ChatRequest *q, JsonView v) {
        char name[256];

        json_view_copy(v, name, sizeof(name));
        if (q->chat->t.conversation == 0 && name[0])
                q->chat->t.conversation = hash_stable(name, strlen(name));
        return 0;
}

/* In the order of ChatField. */
static const struct {
        const char *name;
        JsonTypes types;
        int (*read)(ChatRequest *q, JsonView v);
} fields[_CHAT_FIELD_MAX] = {
#define FIELD(id, name, types, read) [CHAT_##id] = { name, types, read }
        FIELD(MODEL, "model", TYPE_STRING, read_model),
        FIELD(STREAM, "stream", TYPE_BOOL, read_stream),
        FIELD(STREAM_OPTIONS, "stream_options", TYPE_OBJECT, read_stream_options),
        FIELD(STORE, "store", TYPE_BOOL, NULL),                 /* read when it is written */
        FIELD(SERVICE_TIER, "service_tier", TYPE_STRING, NULL), /* likewise */
        FIELD(STOP, "stop", TYPE_STRING | TYPE_ARRAY, chat_read_stop),
        FIELD(TEMPERATURE, "temperature", TYPE_NUMBER, NULL), /* numbers: config.c checks all of them */
        FIELD(TOP_P, "top_p", TYPE_NUMBER, NULL),
        FIELD(N, "n", TYPE_INTEGER, NULL),
        FIELD(MAX_COMPLETION_TOKENS, "max_completion_tokens", TYPE_INTEGER, NULL),
        FIELD(MAX_TOKENS, "max_tokens", TYPE_INTEGER, NULL),
        FIELD(SEED, "seed", TYPE_INTEGER, NULL),
        FIELD(FREQUENCY_PENALTY, "frequency_penalty", TYPE_NUMBER, NULL),
        FIELD(PRESENCE_PENALTY, "presence_penalty", TYPE_NUMBER, NULL),
        FIELD(LOGPROBS, "logprobs", TYPE_BOOL, chat_read_logprobs),
        FIELD(TOP_LOGPROBS, "top_logprobs", TYPE_INTEGER, chat_read_logprobs),
        FIELD(REASONING_EFFORT, "reasoning_effort", TYPE_STRING, read_effort),
        FIELD(EXTRA_BODY, "extra_body", TYPE_OBJECT, chat_read_extra_body),
        FIELD(GOOGLE, "google", TYPE_OBJECT, chat_read_google),
        FIELD(FUNCTIONS, "functions", TYPE_ARRAY, chat_read_functions),
        FIELD(TOOLS, "tools", TYPE_ARRAY, chat_read_tools),
        FIELD(WEB_SEARCH_OPTIONS, "web_search_options", TYPE_OBJECT, chat_read_web_search),
        FIELD(FUNCTION_CALL, "function_call", TYPE_STRING | TYPE_OBJECT, chat_read_function_call),
        FIELD(TOOL_CHOICE, "tool_choice", TYPE_STRING | TYPE_OBJECT, chat_read_tool_choice),
        FIELD(PARALLEL_TOOL_CALLS, "parallel_tool_calls", TYPE_BOOL, read_parallel),
        FIELD(MODALITIES, "modalities", TYPE_ARRAY, chat_read_modalities),
        FIELD(AUDIO, "audio", TYPE_OBJECT, chat_read_audio),
        FIELD(RESPONSE_FORMAT, "response_format", TYPE_OBJECT, chat_read_response_format),
        FIELD(MESSAGES, "messages", TYPE_ARRAY, chat_read_messages),
        FIELD(PROMPT_CACHE_KEY, "prompt_cache_key", TYPE_STRING, read_conversation),
        FIELD(USER, "user", TYPE_STRING, read_conversation),
        /* Ignored: Gemini has nothing of the kind, and the answer does not depend on them. */
        FIELD(SAFETY_IDENTIFIER, "safety_identifier", TYPE_STRING, NULL),
        FIELD(METADATA, "metadata", TYPE_OBJECT, NULL),
        FIELD(PROMPT_CACHE_RETENTION, "prompt_cache_retention", TYPE_STRING, NULL),
        FIELD(PROMPT_CACHE_OPTIONS, "prompt_cache_options", TYPE_OBJECT, NULL),
        FIELD(PREDICTION, "prediction", TYPE_OBJECT, NULL),
        FIELD(MODERATION, "moderation", TYPE_OBJECT, NULL),
        /* Ignored: a preference that Gemini does not know. */
        FIELD(VERBOSITY, "verbosity", TYPE_STRING, NULL),
        /* Ignored: its keys are OpenAI's tokens. */
        FIELD(LOGIT_BIAS, "logit_bias", TYPE_OBJECT, NULL),
#undef FIELD
};

/* --- the fields --- */

static size_t find_field(JsonView name) {
        size_t n = (size_t) (name.end - name.p) - 2;

        for (size_t i = 0; i < _CHAT_FIELD_MAX; i++)
                if (name.p[1] == fields[i].name[0] && strlen(fields[i].name) == n &&
                    memcmp(name.p + 1, fields[i].name, n) == 0)
                        return i;
        if (memchr(name.p, '\\', n + 2))
                for (size_t i = 0; i < _CHAT_FIELD_MAX; i++)
                        if (json_view_equals(name, fields[i].name))
                                return i;
        return _CHAT_FIELD_MAX;
}

/* One walk over the members that the client sent. */
static int find_fields(ChatRequest *q, JsonView root) {
        JsonCursor c = json_enter(root);
        JsonView name, v;
        size_t i;
        int r;

        while (json_next(&c, &name, &v)) {
                i = find_field(name);
                if (i < _CHAT_FIELD_MAX)
                        q->fields[i] = json_view_is_null(v) ? (JsonView){} : v;
        }
        for (i = 0; i < _CHAT_FIELD_MAX; i++) {
                if (!q->fields[i].p)
                        continue;
                r = chat_check_type(q, q->fields[i], fields[i].types, "%s", fields[i].name);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int read_fields(ChatRequest *q) {
        OpenaiChat *chat = q->chat;
        int r;

        if (!q->fields[CHAT_MODEL].p && request_model_view(q->context, (JsonView){}, &chat->t) < 0)
                return dialect_refuse(q->error, "model", "model must be the name of a model");
        for (size_t i = 0; i < _CHAT_FIELD_MAX; i++) {
                if (q->fields[i].p && fields[i].read) {
                        r = fields[i].read(q, q->fields[i]);
                        if (r != 0)
                                return r;
                }
                if (i != CHAT_MODEL)
                        continue;
                q->model = q->turns.model = dialect_model(q->context, chat->t.model);
                q->rules = q->turns.rules = dialect_rules(q->context, q->model);
        }
        if (!q->fields[CHAT_MESSAGES].p)
                return dialect_refuse(q->error, "messages", "messages is required");
        return 0;
}

/* Some things depend on several fields. */
static int settle(ChatRequest *q) {
        int r;

        r = chat_check_numbers(q);
        if (r == 0)
                r = chat_settle_tools(q);
        if (r == 0)
                r = chat_settle_modalities(q);
        if (r == 0)
                r = chat_settle_format(q);
        return r;
}

/* --- the request that goes upstream --- */

static const struct {
        const char *openai, *gemini;
} tiers[] = {
        { "flex", "flex" },          { "priority", "priority" }, { "fast", "priority" },
        { "ultrafast", "priority" }, { "scale", "standard" },
};

static void write_tier(ChatRequest *q, JWriter *w) {
        for (size_t i = 0; q->fields[CHAT_SERVICE_TIER].p && i < ELEMENTSOF(tiers); i++)
                if (json_view_equals(q->fields[CHAT_SERVICE_TIER], tiers[i].openai))
                        jwrite_string(w, "serviceTier", tiers[i].gemini);
}

static int write_request(ChatRequest *q, Buf *out) {
        JWriter w = JWRITER_INIT(out);
        ToolLoss lost;
        int r;

        jwrite_object(&w, NULL);
        r = turns_write(&q->turns, &w);
        if (r == -E2BIG)
                return dialect_refuse(q->error, "messages",
                                      "messages must not have more than %u parts and %u names of functions, "
                                      "each of at most %u bytes",
                                      TURN_STEPS_MAX, TOOL_NAMES_MAX, TOOL_NAME_MAX);
        if (r < 0)
                return r;
        lost = tools_write(q->tools.decls, q->tools.n, &q->tools.choice, q->rules, &w);
        q->chat->t.loss = q->chat->t.loss ?: tool_loss_to_string(lost);
        chat_write_config(q, &w);
        chat_write_google(q, &w);
        write_tier(q, &w);
        store_member_write(q->context, q->fields[CHAT_STORE], &w);
        jwrite_end(&w);
        return out->error;
}

static OpenaiChat *chat_free(OpenaiChat *chat) {
        if (!chat)
                return NULL;
        buf_done(&chat->t.gemini);
        buf_done(&chat->t.former);
        buf_done(&chat->t.signatures);
        openai_answer_done(chat);
        tool_names_done(&chat->names);
        free(chat);
        return NULL;
}
DEFINE_CLEANUP(OpenaiChat *, chat_free);

static OpenaiChat *chat_new(const DialectContext *c, size_t body_size) {
        OpenaiChat *chat = malloc(sizeof(OpenaiChat));

        if (!chat)
                return NULL;
        memset(chat, 0, offsetof(OpenaiChat, choices)); /* most answers need one of them */
        chat->t.dialect = &dialect_openai_chat;
        chat->created = c->created;
        chat->service_tier = "default";
        chat->vault = c->vault;
        chat->images = c->chat_images;
        text_copy(chat->request_id, sizeof(chat->request_id), strempty(c->request_id));

        chat->t.gemini = BUF_INIT(GROWTH_MAX * body_size + FRAME_MAX);
        chat->t.signatures = BUF_INIT(TURN_STEPS_MAX * sizeof(size_t));
        openai_answer_init(chat);
        return chat;
}

static void request_done(ChatRequest *q) {
        turns_done(&q->turns);
        tool_list_done(&q->tools);
}

static int translate(ChatRequest *q, JsonView root) {
        int r;

        r = find_fields(q, root);
        if (r == 0)
                r = read_fields(q);
        if (r == 0)
                r = settle(q);
        return r != 0 ? r : write_request(q, &q->chat->t.gemini);
}

static int openai_chat_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                               ApiError *ret_error) {
        _cleanup_(chat_freep) OpenaiChat *chat = NULL;
        _cleanup_(json_index_done) JsonIndex index = {};
        _cleanup_(request_done) ChatRequest q = { .context = c, .error = ret_error };
        JsonView root;
        int r;

        r = json_index_body(body, n, &index, &root, ret_error);
        if (r != 0)
                return r;
        chat = q.chat = chat_new(c, n);
        if (!chat)
                return -ENOMEM;
        q.turns.names = &chat->names;
        q.turns.vault = c->vault;
        q.turns.signatures = &chat->t.signatures;
        /* Most requests become about as long as they are. */
        r = buf_reserve(&chat->t.gemini, n + n / 8 + 256);
        if (r < 0)
                return r;
        r = translate(&q, root);
        if (r != 0)
                return r;
        chat->t.opaque = q.turns.has_media;
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
        .drop_signatures = signatures_drop,
        .free = openai_chat_free,
};
