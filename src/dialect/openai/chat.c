/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/chat/completions: translates the request to Gemini's generateContent.
 *
 * The table has all fields that OpenAI has, and Google's extension; request.c has how it is read.
 */

#include <errno.h>

#include "dialect/json.h"
#include "dialect/openai/config.h"
#include "dialect/openai/request.h"

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

static const ChatFieldRow fields[_CHAT_FIELD_MAX] = {
#define FIELD(id, name, types, read) [CHAT_##id] = { name, sizeof(name) - 1, types, read }
        FIELD(MODEL, "model", TYPE_STRING, chat_read_model),
        FIELD(STREAM, "stream", TYPE_BOOL, chat_read_stream),
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
        FIELD(PARALLEL_TOOL_CALLS, "parallel_tool_calls", TYPE_BOOL, chat_read_parallel),
        FIELD(MODALITIES, "modalities", TYPE_ARRAY, chat_read_modalities),
        FIELD(AUDIO, "audio", TYPE_OBJECT, chat_read_audio),
        FIELD(RESPONSE_FORMAT, "response_format", TYPE_OBJECT, chat_read_response_format),
        FIELD(MESSAGES, "messages", TYPE_ARRAY, chat_read_messages),
        FIELD(PROMPT_CACHE_KEY, "prompt_cache_key", TYPE_STRING, chat_read_conversation),
        FIELD(USER, "user", TYPE_STRING, chat_read_conversation),
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

static OpenaiChat *chat_free(OpenaiChat *chat) {
        if (chat)
                openai_chat_done(chat);
        free(chat);
        return NULL;
}
DEFINE_CLEANUP(OpenaiChat *, chat_free);

static int openai_chat_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                               ApiError *ret_error) {
        _cleanup_(chat_freep) OpenaiChat *chat = NULL;
        _cleanup_(json_index_done) JsonIndex index = {};
        _cleanup_(chat_request_done) ChatRequest q = {
                .context = c, .table = fields, .required = CHAT_MESSAGES, .error = ret_error,
        };
        JsonView root;
        int r;

        r = json_index_body(body, n, &index, &root, ret_error);
        if (r != 0)
                return r;
        chat = q.chat = malloc(sizeof(OpenaiChat));
        if (!chat)
                return -ENOMEM;
        openai_chat_init(chat, &dialect_openai_chat, c, n);
        r = chat_translate(&q, root, n);
        if (r != 0)
                return r;
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
