/* SPDX-License-Identifier: MIT */

/*
 * How a request of OpenAI's chat protocols is read: by the table of its protocol, whose rows are the fields
 * in the order in which they are read. A field without a function has its type checked, and is then
 * ignored, for the reason that is beside it. Fields that are not in the table are ignored, because clients
 * send extensions of other vendors. A JSON null counts as absent everywhere; of a repeated member the last
 * one counts.
 */

#include <errno.h>

#include "base/hash.h"
#include "base/text.h"
#include "core/model.h"
#include "dialect/json.h"
#include "dialect/openai/config.h"
#include "dialect/openai/request.h"
#include "dialect/request-model.h"
#include "dialect/store-member.h"

/* --- fields that the protocols share --- */

int chat_read_model(ChatRequest *q, JsonView v) {
        if (request_model_view(q->context, v, &q->chat->t) < 0)
                return dialect_refuse(q->error, "model", "model must be the name of a model");
        return 0;
}

int chat_read_stream(ChatRequest *q, JsonView v) {
        if (!q->counts)
                q->chat->t.method = json_view_is(v, 't') ? GEMINI_STREAM : GEMINI_GENERATE;
        return 0;
}

int chat_read_parallel(ChatRequest *q, JsonView v) {
        q->chat->is_one_call = json_view_is(v, 'f');
        return 0;
}

/* Its name, so that a conversation keeps the project that served it last. */
int chat_read_conversation(ChatRequest *q, JsonView v) {
        char name[256];

        json_view_copy(v, name, sizeof(name));
        if (q->chat->t.conversation == 0 && name[0])
                q->chat->t.conversation = hash_stable(name, strlen(name));
        return 0;
}

/* --- the fields --- */

static size_t find_field(const ChatFieldRow *table, JsonView name) {
        size_t n = (size_t) (name.end - name.p) - 2;

        for (size_t i = 0; i < _CHAT_FIELD_MAX; i++)
                if (table[i].n_name == n && table[i].name && memcmp(name.p + 1, table[i].name, n) == 0)
                        return i;
        if (memchr(name.p, '\\', n + 2))
                for (size_t i = 0; i < _CHAT_FIELD_MAX; i++)
                        if (table[i].name && json_view_equals(name, table[i].name))
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
                i = find_field(q->table, name);
                if (i < _CHAT_FIELD_MAX)
                        q->fields[i] = json_view_is_null(v) ? (JsonView){} : v;
        }
        for (i = 0; i < _CHAT_FIELD_MAX; i++) {
                if (!q->fields[i].p)
                        continue;
                r = chat_check_type(q, q->fields[i], q->table[i].types, "%s", q->table[i].name);
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
                if (q->fields[i].p && q->table[i].read) {
                        r = q->table[i].read(q, q->fields[i]);
                        if (r != 0)
                                return r;
                }
                if (i != CHAT_MODEL)
                        continue;
                q->model = q->turns.model = dialect_model(q->context, chat->t.model);
                q->rules = q->turns.rules = dialect_rules(q->context, q->model);
        }
        if (q->fields[q->required].p)
                return 0;
        return chat_refuse(q, "is required", "%s", q->table[q->required].name);
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

static int write_prompt(ChatRequest *q, JWriter *w) {
        const char *name = q->table[q->required].name;
        ToolLoss lost;
        int r;

        r = turns_write(&q->turns, w);
        if (r == -E2BIG)
                return dialect_refuse(q->error, name,
                                      "%s must not have more than %u parts and %u names of functions, "
                                      "each of at most %u bytes",
                                      name, TURN_STEPS_MAX, TOOL_NAMES_MAX, TOOL_NAME_MAX);
        if (r < 0)
                return r;
        lost = tools_write(q->tools.decls, q->tools.n, &q->tools.choice, q->rules, w);
        q->chat->t.loss = q->chat->t.loss ?: tool_loss_to_string(lost);
        return 0;
}

/* What is counted is the prompt: the limits of an answer are left out. */
static int write_count(ChatRequest *q, JWriter *w) {
        int r;

        request_model_open_counted(q->model, w);
        r = write_prompt(q, w);
        jwrite_end(w);
        return r;
}

static int write_request(ChatRequest *q, Buf *out) {
        JWriter w = JWRITER_INIT(out);
        int r;

        jwrite_object(&w, NULL);
        r = q->counts ? write_count(q, &w) : write_prompt(q, &w);
        if (r != 0)
                return r;
        if (!q->counts) {
                chat_write_config(q, &w);
                chat_write_google(q, &w);
                write_tier(q, &w);
                store_member_write(q->context, q->fields[CHAT_STORE], &w);
        }
        jwrite_end(&w);
        return out->error;
}

void openai_chat_init(OpenaiChat *chat, const Dialect *dialect, const DialectContext *c, size_t body_size) {
        memset(chat, 0, offsetof(OpenaiChat, choices)); /* most answers need one of them */
        chat->t.dialect = dialect;
        chat->writer = &openai_chat_writer;
        chat->created = c->created;
        chat->nonce = c->nonce;
        chat->service_tier = "default";
        chat->vault = c->vault;
        chat->images = c->chat_images;
        text_copy(chat->request_id, sizeof(chat->request_id), strempty(c->request_id));

        chat->t.gemini = BUF_INIT(TURNS_GROWTH_MAX * body_size + TURNS_FRAME_MAX);
        chat->t.signatures = BUF_INIT(TURN_STEPS_MAX * sizeof(size_t));
        openai_answer_init(chat);
}

void chat_allow(ChatRequest *q, size_t n) {
        q->chat->t.gemini.max += TURNS_GROWTH_MAX * n;
}

void openai_chat_done(OpenaiChat *chat) {
        buf_done(&chat->t.gemini);
        buf_done(&chat->t.former);
        buf_done(&chat->t.signatures);
        openai_answer_done(chat);
        tool_names_done(&chat->names);
}

void chat_request_done(ChatRequest *q) {
        turns_done(&q->turns);
        tool_list_done(&q->tools);
}

int chat_translate(ChatRequest *q, JsonView root, size_t body_size) {
        OpenaiChat *chat = q->chat;
        int r;

        q->turns.names = &chat->names;
        q->turns.vault = q->context->vault;
        q->turns.signatures = &chat->t.signatures;
        /* Most requests become about as long as they are. */
        r = buf_reserve(&chat->t.gemini, body_size + body_size / 8 + 256);
        if (r < 0)
                return r;

        r = find_fields(q, root);
        if (r == 0)
                r = read_fields(q);
        if (r == 0)
                r = settle(q);
        if (r == 0)
                r = write_request(q, &chat->t.gemini);
        chat->t.opaque = q->turns.has_media;
        return r;
}
