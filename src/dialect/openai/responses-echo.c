/* SPDX-License-Identifier: MIT */

/*
 * The response object. Most of its members repeat the request: they are written once, when it is read, and
 * copied whenever the object is written; a stream has it three times.
 */

#include <stdio.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/openai/responses-request.h"

/* Bytes of one member that is repeated. Real instructions and tools have some dozen KiB; of more, a client
 * knows what it sent. */
#define ECHO_MAX (256U << 10)

static bool is_short(JsonView v) {
        return v.p && (size_t) (v.end - v.p) <= ECHO_MAX;
}

static JsonView field(const ChatRequest *q, ChatField f) {
        return is_short(q->fields[f]) ? q->fields[f] : (JsonView){};
}

/* --- tools --- */

/* Members that OpenAI requires are there, whatever the client has sent. */
static void write_function(JsonView v, JWriter *w) {
        static const char *const required[] = { "parameters", "strict" };
        JsonView function = json_view_get(v, "function"), m;
        JsonCursor c = json_enter(json_view_is(function, '{') ? function : v);
        JsonView name;

        jwrite_object(w, NULL);
        jwrite_string(w, "type", "function");
        while (json_next(&c, &name, &m))
                if (!json_view_equals(name, "type") && !json_view_equals(name, "parameters") &&
                    !json_view_equals(name, "strict")) {
                        json_copy_name(w, name);
                        json_copy_value(w, NULL, m);
                }
        for (size_t i = 0; i < ELEMENTSOF(required); i++) {
                m = json_view_get(json_view_is(function, '{') ? function : v, required[i]);
                if (json_view_is(m, i == 0 ? '{' : 't') || (i == 1 && json_view_is(m, 'f')))
                        json_copy_value(w, required[i], m);
                else
                        jwrite_null(w, required[i]);
        }
        jwrite_end(w);
}

/* OpenAI's types that must have this member, and what it is if the client has none; NULL: such a tool is
 * left out. */
static const struct {
        const char *type, *member, *absent;
        char kind;
} needed[] = {
        { "namespace", "description", "\"\"", '"' },
        { "code_interpreter", "container", "{\"type\":\"auto\"}", '{' },
        { "file_search", "vector_store_ids", NULL, '[' },
        { "mcp", "server_label", NULL, '"' },
        { "computer_use_preview", "environment", NULL, '"' },
};

static void write_tools_of(JsonView tools, JWriter *w);

/* A null counts as absent. */
static void write_tool(JsonView tool, JsonView type, JWriter *w) {
        const char *extra = NULL, *absent = NULL;
        JsonView name, m;
        JsonCursor c;

        for (size_t i = 0; i < ELEMENTSOF(needed); i++)
                if (json_view_equals(type, needed[i].type) &&
                    !json_view_is(json_view_get(tool, needed[i].member), needed[i].kind)) {
                        extra = needed[i].member;
                        absent = needed[i].absent;
                        if (!absent)
                                return;
                }
        jwrite_object(w, NULL);
        c = json_enter(tool);
        while (json_next(&c, &name, &m)) {
                if (json_view_is_null(m) || (extra && json_view_equals(name, extra)))
                        continue;
                json_copy_name(w, name);
                if (json_view_equals(type, "namespace") && json_view_equals(name, "tools")) {
                        jwrite_array(w, NULL);
                        write_tools_of(m, w);
                        jwrite_end(w);
                } else
                        json_copy_value(w, NULL, m);
        }
        if (extra)
                jwrite_raw(w, extra, absent);
        jwrite_end(w);
}

/* A namespace has no other namespaces, so this does not go deeper. */
static void write_tools_of(JsonView tools, JWriter *w) {
        JsonCursor c = json_enter_array(tools);
        JsonView tool, type;

        while (json_next(&c, NULL, &tool)) {
                type = json_view_get(tool, "type");
                if (json_view_equals(type, "function"))
                        write_function(tool, w);
                else if (json_view_equals(type, "custom"))
                        write_tool(tool, type, w);
        }
}

static void write_tools(const ChatRequest *q, JWriter *w) {
        JsonCursor c = json_enter_array(field(q, CHAT_TOOLS));
        JsonView tool, type;

        jwrite_array(w, "tools");
        while (json_next(&c, NULL, &tool)) {
                type = json_view_get(tool, "type");
                if (json_view_equals(type, "function"))
                        write_function(tool, w);
                else if (responses_knows_tool(type))
                        write_tool(tool, type, w);
        }
        jwrite_end(w);
}

/* A choice that OpenAI's description of the API does not have is what it means here. */
static void write_choice(const ChatRequest *q, JWriter *w) {
        static const struct {
                const char *type, *member; /* which it must have; NULL: none */
                char kind;
        } known[] = {
                { "function", "name", '"' },        { "custom", "name", '"' },
                { "allowed_tools", "tools", '[' },  { "mcp", "server_label", '"' },
                { "file_search", NULL, 0 },         { "web_search_preview", NULL, 0 },
                { "image_generation", NULL, 0 },    { "web_search_preview_2025_03_11", NULL, 0 },
                { "code_interpreter", NULL, 0 },    { "computer_use_preview", NULL, 0 },
                { "computer", NULL, 0 },            { "apply_patch", NULL, 0 },
                { "shell", NULL, 0 },
        };
        static const char *const modes[] = {
                [TOOL_AUTO] = "auto", [TOOL_REQUIRED] = "required", [TOOL_NONE] = "none",
        };
        JsonView v = field(q, CHAT_TOOL_CHOICE), type = json_view_get(v, "type");
        bool is_known = json_view_is(v, '"');

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                is_known = is_known || (json_view_equals(type, known[i].type) &&
                                        (!known[i].member ||
                                         json_view_is(json_view_get(v, known[i].member), known[i].kind)));
        if (is_known)
                json_copy_value(w, "tool_choice", v);
        else
                jwrite_string(w, "tool_choice", modes[q->tools.choice.mode]);
}

/* --- other members --- */

static bool is_one_of(JsonView v, const char *const values[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (json_view_equals(v, values[i]))
                        return true;
        return false;
}

static void write_format(JsonView format, JWriter *w) {
        JsonView name = json_view_get(format, "name"), strict = json_view_get(format, "strict"),
                 description = json_view_get(format, "description");

        if (!json_view_equals(json_view_get(format, "type"), "json_schema")) {
                jwrite_raw(w, "format", json_view_equals(json_view_get(format, "type"), "json_object")
                                                ? "{\"type\":\"json_object\"}"
                                                : "{\"type\":\"text\"}");
                return;
        }
        jwrite_object(w, "format");
        jwrite_string(w, "type", "json_schema");
        if (json_view_is(description, '"'))
                json_copy_value(w, "description", description);
        if (json_view_is(name, '"'))
                json_copy_value(w, "name", name);
        else
                jwrite_string(w, "name", "response");
        json_copy_value(w, "schema", json_view_get(format, "schema"));
        if (json_view_is(strict, 't') || json_view_is(strict, 'f'))
                json_copy_value(w, "strict", strict);
        jwrite_end(w);
}

static void write_text(const ChatRequest *q, JWriter *w) {
        static const char *const values[] = { "low", "medium", "high" };
        JsonView text = field(q, CHAT_TEXT), verbosity = json_view_get(text, "verbosity");

        jwrite_object(w, "text");
        write_format(json_view_get(text, "format"), w);
        if (is_one_of(verbosity, values, ELEMENTSOF(values)))
                json_copy_value(w, "verbosity", verbosity);
        jwrite_end(w);
}

static void write_metadata(const ChatRequest *q, JWriter *w) {
        JsonCursor c = json_enter(field(q, CHAT_METADATA));
        JsonView name, v;

        jwrite_object(w, "metadata");
        while (json_next(&c, &name, &v))
                if (json_view_is(v, '"')) {
                        json_copy_name(w, name);
                        json_copy_value(w, NULL, v);
                }
        jwrite_end(w);
}

static void write_truncation(const ChatRequest *q, JWriter *w) {
        jwrite_string(w, "truncation",
                      json_view_equals(field(q, CHAT_TRUNCATION), "auto") ? "auto" : "disabled");
}

static void write_reasoning(const ChatRequest *q, JWriter *w) {
        static const char *const names[] = { "effort", "summary" };

        jwrite_object(w, "reasoning");
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                JsonView v = json_view_get(q->fields[CHAT_REASONING], names[i]);

                if (json_view_is(v, '"') && !json_view_equals(v, i == 0 ? "" : "none"))
                        json_copy_value(w, names[i], v);
                else
                        jwrite_null(w, names[i]);
        }
        jwrite_end(w);
}

/* In the order in which they are written; the value of a member that is absent, NULL: it is left out. */
static const struct {
        ChatField field;
        const char *absent;
        void (*write)(const ChatRequest *q, JWriter *w); /* if it may be what OpenAI would refuse */
} copied[] = {
        { CHAT_INSTRUCTIONS, "null", NULL },
        { CHAT_MAX_COMPLETION_TOKENS, "null", NULL },
        { CHAT_MAX_TOOL_CALLS, "null", NULL },
        { CHAT_METADATA, "{}", write_metadata },
        { CHAT_PARALLEL_TOOL_CALLS, "true", NULL },
        { CHAT_PREVIOUS, "null", NULL },
        { CHAT_PROMPT_CACHE_KEY, NULL, NULL },
        { CHAT_SAFETY_IDENTIFIER, NULL, NULL },
        { CHAT_TEMPERATURE, "1", NULL },
        { CHAT_TOOL_CHOICE, "\"auto\"", write_choice },
        { CHAT_TOP_LOGPROBS, "0", NULL },
        { CHAT_TOP_P, "1", NULL },
        { CHAT_TRUNCATION, "\"disabled\"", write_truncation },
        { CHAT_USER, NULL, NULL },
};

void responses_echo(const ChatRequest *q) {
        OpenaiResponse *r = openai_response(q->chat);
        _cleanup_buf_ Buf loose = BUF_INIT(r->echo.max); /* with the client's line ends */
        JWriter w = JWRITER_INIT(&loose);

        jwrite_object(&w, NULL);
        jwrite_bool(&w, "background", false);
        for (size_t i = 0; i < ELEMENTSOF(copied); i++) {
                const char *name = q->table[copied[i].field].name;
                JsonView v = field(q, copied[i].field);

                if (v.p && copied[i].write)
                        copied[i].write(q, &w);
                else if (v.p)
                        json_copy_value(&w, name, v);
                else if (copied[i].absent)
                        jwrite_raw(&w, name, copied[i].absent);
        }
        write_reasoning(q, &w);
        write_text(q, &w);
        write_tools(q, &w);
        jwrite_end(&w);
        if (loose.error < 0)
                r->echo.error = loose.error;
        else
                json_append_compact(json_view(buf_data(&loose), loose.n), &r->echo);
}

/* --- the object --- */

/* The codes that clients act on: Codex makes its history shorter, waits, or gives up. OpenAI's list of codes
 * has only some of them. With server_error Codex asks again, with server_is_overloaded it does not: the
 * latter is never sent, because another key can often serve the next request. */
static const char *code_of(const ApiError *e) {
        static const char *const passed[] = { "context_length_exceeded", "insufficient_quota",
                                              "rate_limit_exceeded", "invalid_prompt" };

        for (size_t i = 0; e->code && i < ELEMENTSOF(passed); i++)
                if (streq(e->code, passed[i]))
                        return passed[i];
        return e->status < 500 ? "invalid_prompt" : "server_error";
}

static void write_error(const ApiError *e, JWriter *w) {
        char message[API_ERROR_MESSAGE_MAX + 64], when[48] = "";

        if (e->status == 429 && e->retry_after > 0 && !e->daily)
                (void) snprintf(when, sizeof(when), " Please try again in %llus.",
                                (unsigned long long) (e->retry_after / USEC_PER_SEC));
        (void) snprintf(message, sizeof(message), "%s%s", e->message, when);
        jwrite_object(w, "error");
        jwrite_string(w, "code", code_of(e));
        jwrite_string(w, "message", message);
        jwrite_end(w);
}

void response_write_usage(const OpenaiChat *chat, JWriter *w) {
        Usage u = chat->t.usage;

        if (chat->hops)
                usage_add(&u, &chat->hops->sum.usage);
        jwrite_object(w, "usage");
        jwrite_uint(w, "input_tokens", u.prompt);
        jwrite_object(w, "input_tokens_details");
        jwrite_uint(w, "cached_tokens", u.cached);
        jwrite_uint(w, "cache_write_tokens", 0);
        jwrite_end(w);
        jwrite_uint(w, "output_tokens", u.completion);
        jwrite_object(w, "output_tokens_details");
        jwrite_uint(w, "reasoning_tokens", u.thoughts);
        jwrite_end(w);
        jwrite_uint(w, "total_tokens", u.total);
        jwrite_end(w);
}

void response_write(OpenaiResponse *r, const char *status, const ApiError *error, const char *key,
                    JWriter *w) {
        const OpenaiChat *chat = &r->chat;
        const char *finish = strempty(chat->t.finish_reason);
        bool is_over = !streq(status, "in_progress");

        jwrite_object(w, key);
        jwrite_string(w, "id", chat->id);
        jwrite_string(w, "object", "response");
        jwrite_uint(w, "created_at", chat->created);
        jwrite_string(w, "status", status);
        if (error)
                write_error(error, w);
        else
                jwrite_null(w, "error");
        if (streq(status, "incomplete")) {
                jwrite_object(w, "incomplete_details");
                jwrite_string(w, "reason", streq(finish, "length") ? "max_output_tokens" : "content_filter");
                jwrite_end(w);
        } else
                jwrite_null(w, "incomplete_details");
        jwrite_string(w, "model", chat->t.served[0] ? chat->t.served : chat->t.model);
        if (r->echo.n > 2) {
                (void) buf_putc(w->buf, ',');
                (void) buf_append(w->buf, buf_data(&r->echo) + 1, r->echo.n - 2);
        }
        jwrite_bool(w, "store", r->is_stored);
        jwrite_array(w, "output");
        if (is_over && r->output.n > 0)
                (void) buf_append(w->buf, buf_data(&r->output), r->output.n);
        jwrite_end(w);
        jwrite_string(w, "service_tier", is_over ? chat->service_tier : "auto");
        if (is_over)
                response_write_usage(chat, w);
        jwrite_end(w);
}
