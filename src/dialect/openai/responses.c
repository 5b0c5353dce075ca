/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/responses: translates the request to Gemini's generateContent.
 *
 * The table has all fields that OpenAI has, and Google's extension; request.c has how it is read.
 */

#include <errno.h>

#include "dialect/json.h"
#include "dialect/openai/config.h"
#include "dialect/openai/responses-request.h"

int responses_read_reasoning(ChatRequest *q, JsonView v) {
        JsonView effort = json_view_get(v, "effort"), summary = json_view_get(v, "summary");

        if (json_view_is_null(summary))
                summary = json_view_get(v, "generate_summary"); /* its older name */
        if (!json_view_is_null(effort) && thinking_effort_parse(effort, &q->thinking.effort) < 0)
                return chat_refuse(q, "must be one of none, minimal, low, medium, high, xhigh, max",
                                   "reasoning.effort");
        if (json_view_is_null(summary))
                return 0;
        q->thinking.is_shown = json_view_equals(summary, "auto") || json_view_equals(summary, "concise") ||
                               json_view_equals(summary, "detailed");
        if (!q->thinking.is_shown && !json_view_equals(summary, "none"))
                return chat_refuse(q, "must be auto, concise or detailed", "reasoning.summary");
        if (q->thinking.effort == EFFORT_NONE)
                q->thinking.is_shown = false;
        return 0;
}

/* OpenAI's default is to keep it. */
static int read_store(ChatRequest *q, JsonView v) {
        OpenaiResponse *r = openai_response(q->chat);

        r->is_stored = r->is_stored && json_view_is(v, 't');
        return 0;
}

static int read_include(ChatRequest *q, JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView name;
        int r = 0;

        while (r == 0 && json_next(&c, NULL, &name)) {
                r = chat_check_type(q, name, TYPE_STRING, "include");
                if (json_view_equals(name, "reasoning.encrypted_content"))
                        openai_response(q->chat)->wants_signatures = true;
                if (json_view_equals(name, "message.output_text.logprobs"))
                        q->chat->has_logprobs = true;
        }
        return r;
}

static int read_background(ChatRequest *q, JsonView v) {
        if (json_view_is(v, 'f'))
                return 0;
        return chat_refuse(q, "must be false: gemgate answers while the client waits", "background");
}

static int refuse_conversation(ChatRequest *q, JsonView v _unused_) {
        return chat_refuse(q, "is not kept by gemgate: send the whole input, or previous_response_id",
                           "conversation");
}

static int refuse_prompt(ChatRequest *q, JsonView v _unused_) {
        return chat_refuse(q, "is a template that OpenAI keeps: send instructions and input", "prompt");
}

/* It is read with the input, which may be absent beside it. */
static int read_previous(ChatRequest *q, JsonView v _unused_) {
        int r = responses_load_turns(q);

        if (r != 0 || q->fields[CHAT_MESSAGES].p)
                return r;
        q->required = CHAT_PREVIOUS;
        return responses_read_input(q, (JsonView){});
}

static int read_instructions(ChatRequest *q, JsonView v) {
        turns_text(&q->turns, TURN_SYSTEM, v);
        return 0;
}

static const ChatFieldRow fields[_CHAT_FIELD_MAX] = {
#define FIELD(id, name, types, read) [CHAT_##id] = { name, sizeof(name) - 1, types, read }
        FIELD(MODEL, "model", TYPE_STRING, chat_read_model),
        FIELD(STREAM, "stream", TYPE_BOOL, chat_read_stream),
        FIELD(STREAM_OPTIONS, "stream_options", TYPE_OBJECT, NULL), /* events are not padded */
        FIELD(STORE, "store", TYPE_BOOL, read_store),
        FIELD(SERVICE_TIER, "service_tier", TYPE_STRING, NULL),
        FIELD(TEMPERATURE, "temperature", TYPE_NUMBER, NULL), /* numbers: config.c checks all of them */
        FIELD(TOP_P, "top_p", TYPE_NUMBER, NULL),
        FIELD(MAX_COMPLETION_TOKENS, "max_output_tokens", TYPE_INTEGER, NULL),
        FIELD(TOP_LOGPROBS, "top_logprobs", TYPE_INTEGER, chat_read_logprobs),
        FIELD(REASONING, "reasoning", TYPE_OBJECT, responses_read_reasoning),
        FIELD(INCLUDE, "include", TYPE_ARRAY, read_include),
        FIELD(EXTRA_BODY, "extra_body", TYPE_OBJECT, chat_read_extra_body),
        FIELD(GOOGLE, "google", TYPE_OBJECT, chat_read_google),
        FIELD(TOOLS, "tools", TYPE_ARRAY, responses_read_tools),
        FIELD(TOOL_CHOICE, "tool_choice", TYPE_STRING | TYPE_OBJECT, NULL), /* read behind the input */
        FIELD(PARALLEL_TOOL_CALLS, "parallel_tool_calls", TYPE_BOOL, chat_read_parallel),
        FIELD(TEXT, "text", TYPE_OBJECT, chat_read_text),
        FIELD(BACKGROUND, "background", TYPE_BOOL, read_background),
        FIELD(CONVERSATION, "conversation", TYPE_STRING | TYPE_OBJECT, refuse_conversation),
        FIELD(PROMPT, "prompt", TYPE_OBJECT, refuse_prompt),
        FIELD(PREVIOUS, "previous_response_id", TYPE_STRING, read_previous),
        FIELD(INSTRUCTIONS, "instructions", TYPE_STRING, read_instructions),
        FIELD(MESSAGES, "input", TYPE_STRING | TYPE_ARRAY, responses_read_input),
        FIELD(PROMPT_CACHE_KEY, "prompt_cache_key", TYPE_STRING, chat_read_conversation),
        FIELD(USER, "user", TYPE_STRING, chat_read_conversation),
        /* Ignored: Gemini has nothing of the kind, and the answer does not depend on them. */
        FIELD(SAFETY_IDENTIFIER, "safety_identifier", TYPE_STRING, NULL),
        FIELD(METADATA, "metadata", TYPE_OBJECT, NULL), /* it is repeated */
        FIELD(PROMPT_CACHE_RETENTION, "prompt_cache_retention", TYPE_STRING, NULL),
        FIELD(PROMPT_CACHE_OPTIONS, "prompt_cache_options", TYPE_OBJECT, NULL),
        FIELD(MODERATION, "moderation", TYPE_OBJECT, NULL),
        /* Ignored: Gemini refuses an input that is too long, and limits the calls of Google's tools. */
        FIELD(TRUNCATION, "truncation", TYPE_STRING, NULL),
        FIELD(MAX_TOOL_CALLS, "max_tool_calls", TYPE_INTEGER, NULL),
        FIELD(CONTEXT_MANAGEMENT, "context_management", TYPE_ARRAY, NULL),
#undef FIELD
};

/* --- the translation --- */

static Buf *const *bufs_of(OpenaiResponse *r, Buf *ret[static 9]) {
        Buf *bufs[9] = { &r->output, &r->text, &r->probs, &r->signature, &r->hop_text, &r->hop_probs,
                         &r->hop_signature, &r->echo, &r->input };

        memcpy(ret, bufs, sizeof(bufs));
        return ret;
}

static OpenaiResponse *response_free(OpenaiResponse *r) {
        Buf *bufs[9];

        if (!r)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(bufs); i++)
                buf_done(bufs_of(r, bufs)[i]);
        openai_chat_done(&r->chat);
        free(r);
        return NULL;
}
DEFINE_CLEANUP(OpenaiResponse *, response_free);

static OpenaiResponse *response_new(const DialectContext *c, size_t body_size, ResponsesPurpose purpose) {
        static const Dialect *const dialects[] = {
                [RESPONSES_ANSWER] = &dialect_openai_responses,
                [RESPONSES_COUNT] = &dialect_openai_input_tokens,
                [RESPONSES_COMPACT] = &dialect_openai_compact,
        };
        OpenaiResponse *r = malloc(sizeof(OpenaiResponse));
        Buf *bufs[9];

        if (!r)
                return NULL;
        memset(r, 0, offsetof(OpenaiResponse, chat));
        for (size_t i = 0; i < ELEMENTSOF(bufs); i++)
                *bufs_of(r, bufs)[i] = BUF_INIT(UPSTREAM_ANSWER_MAX);
        openai_chat_init(&r->chat, dialects[purpose], c, body_size);
        r->chat.writer = &openai_response_writer;
        r->chat.is_response = true;
        r->store = c->responses;
        r->client = c->client;
        r->is_stored = c->responses && purpose == RESPONSES_ANSWER;
        return r;
}

int openai_response_request(const DialectContext *c, const char *body, size_t n, ResponsesPurpose purpose,
                            Translation **ret, ApiError *ret_error) {
        _cleanup_(response_freep) OpenaiResponse *response = NULL;
        _cleanup_(json_index_done) JsonIndex index = {};
        _cleanup_(responses_request_done) ResponsesRequest request = {
                .q = { .context = c, .table = fields, .required = CHAT_MESSAGES, .error = ret_error },
                .compacts = purpose == RESPONSES_COMPACT,
        };
        JsonView root;
        int r;

        r = json_index_body(body, n, &index, &root, ret_error);
        if (r != 0)
                return r;
        response = response_new(c, n, purpose);
        if (!response)
                return -ENOMEM;
        request.q.chat = &response->chat;
        request.q.counts = purpose == RESPONSES_COUNT;
        if (request.q.counts)
                response->chat.t.method = GEMINI_COUNT_TOKENS;
        r = chat_translate(&request.q, root, n);
        if (r != 0)
                return r;
        if (request.compacts)
                response->chat.t.method = GEMINI_GENERATE; /* there is no stream of it */
        responses_echo(&request.q);
        if (response->echo.error < 0)
                return response->echo.error;
        *ret = &TAKE_PTR(response)->chat.t;
        return 0;
}

Translation *openai_response_free(Translation *t) {
        (void) response_free(openai_response(CONTAINER_OF(t, OpenaiChat, t)));
        return NULL;
}

static int responses_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                             ApiError *ret_error) {
        return openai_response_request(c, body, n, RESPONSES_ANSWER, ret, ret_error);
}

const Dialect dialect_openai_responses = {
        .name = "openai-responses",
        .is_chat = true,
        .names_responses = true,
        .ends_failed = true,
        .ping = ": ping\n\n",
        .request = responses_request,
        .event = openai_chat_event,
        .finish = openai_response_finish,
        .stream_error = openai_response_stream_error,
        .reset = openai_response_reset,
        .drop_signatures = signatures_drop,
        .free = openai_response_free,
};
