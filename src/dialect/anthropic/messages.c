/* SPDX-License-Identifier: MIT */

/*
 * POST /v1/messages and /v1/messages/count_tokens: translates the request to Gemini's generateContent, or to
 * its countTokens.
 *
 * One table has all fields that matter, each with its types and the function that reads it. All others are
 * ignored, whatever they are: clients send fields of betas to every server (context_management,
 * cache_control, container, betas), and expect that a server without the beta goes on. A JSON null counts as
 * absent everywhere; of a repeated member the last one counts.
 *
 * `thread` is the exception. With it the server has the conversation, and the next request has no more than
 * the new message. So it is refused in the form at which the SDKs send the whole conversation.
 */

#include <errno.h>

#include "base/text.h"
#include "dialect/anthropic/request.h"
#include "dialect/json.h"
#include "dialect/request-model.h"
#include "dialect/signature.h"
#include "dialect/store-member.h"

static int read_model(AnthropicRequest *q, JsonView v) {
        if (request_model_view(q->context, v, &q->message->t) < 0)
                return dialect_refuse(q->error, "model", "model must be the name of a model");
        return 0;
}

static int read_thread(AnthropicRequest *q, JsonView v _unused_) {
        api_error_set(q->error, 400, "thread",
                      "thread is not served here: send the whole conversation in messages");
        q->error->code = API_ERROR_THREAD;
        return DIALECT_E_REFUSED;
}

static int read_stream(AnthropicRequest *q, JsonView v) {
        if (json_view_is(v, 't') && q->message->t.method == GEMINI_GENERATE)
                q->message->t.method = GEMINI_STREAM;
        return 0;
}

/* Servers that Anthropic itself asks for their tools. */
static int read_mcp_servers(AnthropicRequest *q, JsonView v) {
        JsonCursor c = json_enter_array(v);
        JsonView first;

        if (json_next(&c, NULL, &first))
                q->message->t.loss = "mcp_servers: gemgate calls none";
        return 0;
}

#define ANY (TYPE_BOOL | TYPE_INTEGER | TYPE_NUMBER | TYPE_STRING | TYPE_OBJECT | TYPE_ARRAY)

static const struct {
        const char *name;
        size_t n_name;
        JsonTypes types;
        int (*read)(AnthropicRequest *q, JsonView v);
} fields[_ANTHROPIC_FIELD_MAX] = {
#define FIELD(id, name, types, read) [ANTHROPIC_##id] = { name, sizeof(name) - 1, types, read }
        FIELD(MODEL, "model", TYPE_STRING, read_model),
        FIELD(THREAD, "thread", ANY, read_thread),
        FIELD(STREAM, "stream", TYPE_BOOL, read_stream),
        FIELD(MAX_TOKENS, "max_tokens", TYPE_INTEGER, NULL), /* numbers: config.c checks all of them */
        FIELD(TEMPERATURE, "temperature", TYPE_NUMBER, NULL),
        FIELD(TOP_P, "top_p", TYPE_NUMBER, NULL),
        FIELD(TOP_K, "top_k", TYPE_INTEGER, NULL),
        FIELD(STOP_SEQUENCES, "stop_sequences", TYPE_ARRAY, anthropic_read_stop),
        FIELD(THINKING_FIELD, "thinking", TYPE_OBJECT, anthropic_read_thinking),
        FIELD(OUTPUT_FORMAT, "output_format", TYPE_OBJECT, anthropic_read_output_format),
        FIELD(OUTPUT_CONFIG, "output_config", TYPE_OBJECT, anthropic_read_output_config),
        FIELD(TOOLS, "tools", TYPE_ARRAY, anthropic_read_tools),
        FIELD(TOOL_CHOICE, "tool_choice", TYPE_OBJECT, anthropic_read_tool_choice),
        FIELD(MCP_SERVERS, "mcp_servers", ANY, read_mcp_servers),
        FIELD(SYSTEM, "system", TYPE_STRING | TYPE_ARRAY, anthropic_read_system),
        FIELD(MESSAGES, "messages", TYPE_ARRAY, anthropic_read_messages),
#undef FIELD
};

static int find_fields(AnthropicRequest *q, JsonView root) {
        JsonMember members[_ANTHROPIC_FIELD_MAX];
        int r;

        for (size_t i = 0; i < _ANTHROPIC_FIELD_MAX; i++)
                members[i] = (JsonMember){ fields[i].name, fields[i].n_name, &q->fields[i] };
        json_view_members(root, members, _ANTHROPIC_FIELD_MAX);
        for (size_t i = 0; i < _ANTHROPIC_FIELD_MAX; i++) {
                if (json_view_is_null(q->fields[i])) {
                        q->fields[i] = (JsonView){};
                        continue;
                }
                r = check_type(q->error, q->fields[i], fields[i].types, "%s", fields[i].name);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int read_fields(AnthropicRequest *q) {
        int r;

        if (!q->fields[ANTHROPIC_MODEL].p && read_model(q, (JsonView){}) != 0)
                return DIALECT_E_REFUSED;
        for (size_t i = 0; i < _ANTHROPIC_FIELD_MAX; i++) {
                if (q->fields[i].p && fields[i].read) {
                        r = fields[i].read(q, q->fields[i]);
                        if (r != 0)
                                return r;
                }
                if (i != ANTHROPIC_MODEL)
                        continue;
                q->model = q->turns.model = dialect_model(q->context, q->message->t.model);
                q->rules = q->turns.rules = dialect_rules(q->context, q->model);
        }
        if (!q->fields[ANTHROPIC_MESSAGES].p)
                return dialect_refuse(q->error, "messages", "messages is required");
        return 0;
}

static int settle(AnthropicRequest *q) {
        int r;

        r = anthropic_check_numbers(q);
        if (r == 0)
                r = anthropic_settle_tools(q);
        if (r != 0)
                return r;
        r = format_settle(&q->format, &q->tools, &q->turns);
        q->message->json_function = q->format.function;
        return r == -E2BIG ? tool_list_refuse_number(q->error) : r;
}

/* --- the request that goes upstream --- */

static int write_members(AnthropicRequest *q, JWriter *w) {
        ToolLoss lost;
        int r;

        r = turns_write(&q->turns, w);
        if (r == -E2BIG)
                return dialect_refuse(q->error, "messages",
                                      "messages must not have more than %u blocks and %u names of tools, "
                                      "each of at most %u bytes",
                                      TURN_STEPS_MAX, TOOL_NAMES_MAX, TOOL_NAME_MAX);
        if (r < 0)
                return r;
        lost = tools_write(q->tools.decls, q->tools.n, &q->tools.choice, q->rules, w);
        q->message->t.loss = q->message->t.loss ?: tool_loss_to_string(lost);
        return 0;
}

/* What is counted is the prompt, so the limits of the answer are left out. */
static int write_count(AnthropicRequest *q, JWriter *w) {
        int r;

        request_model_open_counted(q->model, w);
        r = write_members(q, w);
        jwrite_end(w);
        return r;
}

static int write_request(AnthropicRequest *q, Buf *out) {
        JWriter w = JWRITER_INIT(out);
        int r;

        jwrite_object(&w, NULL);
        if (!translation_generates(&q->message->t))
                r = write_count(q, &w);
        else
                r = write_members(q, &w);
        if (r != 0)
                return r;
        if (translation_generates(&q->message->t)) {
                anthropic_write_config(q, &w);
                store_member_write(q->context, (JsonView){}, &w);
        }
        jwrite_end(&w);
        return out->error;
}

static AnthropicMessage *message_free(AnthropicMessage *m) {
        if (!m)
                return NULL;
        buf_done(&m->t.gemini);
        buf_done(&m->t.former);
        buf_done(&m->t.signatures);
        anthropic_answer_done(m);
        tool_names_done(&m->names);
        free(m);
        return NULL;
}
DEFINE_CLEANUP(AnthropicMessage *, message_free);

static AnthropicMessage *message_new(const DialectContext *c, size_t body_size, bool counts) {
        AnthropicMessage *m = calloc(1, sizeof(AnthropicMessage));

        if (!m)
                return NULL;
        m->t.dialect = counts ? &dialect_anthropic_count_tokens : &dialect_anthropic_messages;
        m->t.method = counts ? GEMINI_COUNT_TOKENS : GEMINI_GENERATE;
        m->created = c->created;
        m->vault = c->vault;
        text_copy(m->request_id, sizeof(m->request_id), strempty(c->request_id));
        m->t.gemini = BUF_INIT(TURNS_GROWTH_MAX * body_size + TURNS_FRAME_MAX);
        m->t.signatures = BUF_INIT(TURN_STEPS_MAX * sizeof(size_t));
        anthropic_answer_init(m);
        return m;
}

static void request_done(AnthropicRequest *q) {
        turns_done(&q->turns);
        tool_list_done(&q->tools);
        buf_done(&q->instructions);
}

static int translate(AnthropicRequest *q, JsonView root) {
        int r;

        r = find_fields(q, root);
        if (r == 0)
                r = read_fields(q);
        if (r == 0)
                r = settle(q);
        return r != 0 ? r : write_request(q, &q->message->t.gemini);
}

int anthropic_request(const DialectContext *c, const char *body, size_t n, bool counts, Translation **ret,
                      ApiError *ret_error) {
        _cleanup_(message_freep) AnthropicMessage *m = NULL;
        _cleanup_(json_index_done) JsonIndex index = {};
        _cleanup_(request_done) AnthropicRequest q = { .context = c, .error = ret_error };
        JsonView root;
        int r;

        r = json_index_body(body, n, &index, &root, ret_error);
        if (r != 0)
                return r;
        m = q.message = message_new(c, n, counts);
        if (!m)
                return -ENOMEM;
        q.turns.names = &m->names;
        q.turns.vault = c->vault;
        q.turns.signatures = &m->t.signatures;
        q.instructions = BUF_INIT(n);
        r = buf_reserve(&m->t.gemini, n + n / 8 + 256);
        if (r < 0)
                return r;
        r = translate(&q, root);
        if (r != 0)
                return r;
        m->t.opaque = q.turns.has_media;
        *ret = &TAKE_PTR(m)->t;
        return 0;
}

static int messages_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                            ApiError *ret_error) {
        return anthropic_request(c, body, n, false, ret, ret_error);
}

Translation *anthropic_free(Translation *t) {
        (void) message_free(CONTAINER_OF(t, AnthropicMessage, t));
        return NULL;
}

const Dialect dialect_anthropic_messages = {
        .name = "anthropic-messages",
        .is_chat = true,
        .ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        .request = messages_request,
        .event = anthropic_event,
        .finish = anthropic_finish,
        .stream_error = anthropic_stream_error,
        .reset = anthropic_reset,
        .drop_signatures = signatures_drop,
        .free = anthropic_free,
};
