/* SPDX-License-Identifier: MIT */

/*
 * Gemini's function calls as items. What kind of item a call is depends on how the client has declared the
 * tool: a function, also of a namespace, a custom tool, or one of the tools that the protocol knows by name.
 * The arguments of the latter are members of the item.
 */

#include <stdio.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/openai/responses.h"

typedef struct Kind Kind;
struct Kind {
        ToolNameFlags flag; /* 0: any other */
        const char *type, *prefix;
        const char *events, *member; /* of its text: the events' names, and the item's member; or NULL */
        void (*write)(const OpenaiCall *c, JWriter *w); /* its own members, if it has no such text */
};

static void write_search(const OpenaiCall *c, JWriter *w) {
        _cleanup_buf_ Buf loose = BUF_INIT(UPSTREAM_EVENT_MAX);
        JWriter inner = JWRITER_INIT(&loose);

        json_copy_value(&inner, NULL, call_arguments(c->part));
        jwrite_string(w, "execution", "client");
        jwrite_raw(w, "arguments", "");
        if (loose.n > 0)
                json_append_compact(json_view(buf_data(&loose), loose.n), w->buf);
}

/* A command that is one text is one for the shell. */
static void write_command(JsonView v, JWriter *w) {
        JsonCursor c = json_enter_array(v);
        JsonView word;

        jwrite_array(w, "command");
        if (json_view_is(v, '"')) {
                jwrite_string(w, NULL, "bash");
                jwrite_string(w, NULL, "-lc");
                json_copy_value(w, NULL, v);
        }
        while (json_next(&c, NULL, &word))
                if (json_view_is(word, '"'))
                        json_copy_value(w, NULL, word);
        jwrite_end(w);
}

static void write_number(JsonView action, const char *name, JWriter *w) {
        JsonView v = json_view_get(action, name);

        if (json_view_is_number(v) && json_view_is_digits(v))
                json_copy_value(w, name, v);
        else
                jwrite_null(w, name);
}

static void write_local_shell(const OpenaiCall *c, JWriter *w) {
        static const char *const texts[] = { "working_directory", "user" };
        JsonView action = c->part->value, v;
        JsonCursor env = json_enter(json_view_get(action, "env"));
        JsonView name;

        jwrite_object(w, "action");
        jwrite_string(w, "type", "exec");
        write_command(json_view_get(action, "command"), w);
        write_number(action, "timeout_ms", w);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                v = json_view_get(action, texts[i]);
                if (json_view_is(v, '"'))
                        json_copy_value(w, texts[i], v);
                else
                        jwrite_null(w, texts[i]);
        }
        jwrite_object(w, "env");
        while (json_next(&env, &name, &v))
                if (name.p && json_view_is(v, '"')) {
                        json_copy_name(w, name);
                        json_copy_value(w, NULL, v);
                }
        jwrite_end(w);
        jwrite_end(w);
}

static void write_shell(const OpenaiCall *c, JWriter *w) {
        JsonView action = c->part->value, commands = json_view_get(action, "commands"), v;
        JsonCursor list = json_enter_array(commands);

        jwrite_object(w, "action");
        jwrite_array(w, "commands");
        if (json_view_is(commands, '"'))
                json_copy_value(w, NULL, commands);
        while (json_next(&list, NULL, &v))
                if (json_view_is(v, '"'))
                        json_copy_value(w, NULL, v);
        jwrite_end(w);
        write_number(action, "timeout_ms", w);
        write_number(action, "max_output_length", w);
        jwrite_end(w);
        jwrite_null(w, "environment");
}

static void write_patch(const OpenaiCall *c, JWriter *w) {
        static const char *const types[] = { "create_file", "update_file", "delete_file" };
        JsonView type = json_view_get(c->part->value, "type"), path = json_view_get(c->part->value, "path"),
                 diff = json_view_get(c->part->value, "diff");
        size_t i = 0;

        while (i < ELEMENTSOF(types) - 1 && !json_view_equals(type, types[i]))
                i++;
        if (!json_view_equals(type, types[i]))
                i = 1;
        jwrite_object(w, "operation");
        jwrite_string(w, "type", types[i]);
        if (json_view_is(path, '"'))
                json_copy_value(w, "path", path);
        else
                jwrite_string(w, "path", "");
        if (i < 2 && json_view_is(diff, '"'))
                json_copy_value(w, "diff", diff);
        else if (i < 2)
                jwrite_string(w, "diff", "");
        jwrite_end(w);
}

/* The last row is that of all others. */
static const Kind kinds[] = {
        { TOOL_NAME_CUSTOM, "custom_tool_call", "ctc", "response.custom_tool_call_input", "input", NULL },
        { TOOL_NAME_SEARCH, "tool_search_call", "tsc", NULL, NULL, write_search },
        { TOOL_NAME_LOCAL_SHELL, "local_shell_call", "lsh", NULL, NULL, write_local_shell },
        { TOOL_NAME_SHELL, "shell_call", "sh", NULL, NULL, write_shell },
        { TOOL_NAME_PATCH, "apply_patch_call", "apc", NULL, NULL, write_patch },
        { 0, "function_call", "fc", "response.function_call_arguments", "arguments", NULL },
};

static const Kind *kind_of(const OpenaiCall *c) {
        size_t i = 0;

        while (kinds[i].flag != 0 && !(c->tool && c->tool->flags & kinds[i].flag))
                i++;
        return &kinds[i];
}

static void write_text(const OpenaiCall *c, const Kind *k, const char *key, JWriter *w) {
        if (k->flag == TOOL_NAME_CUSTOM)
                openai_call_write_input(c, key, w);
        else
                openai_call_write_arguments(c, key, w);
}

static void write_call(const OpenaiCall *c, const Kind *k, const char *id, bool whole, const char *key,
                       JWriter *w) {
        jwrite_object(w, key);
        jwrite_string(w, "id", id);
        jwrite_string(w, "type", k->type);
        jwrite_string(w, "status", whole ? "completed" : "in_progress");
        jwrite_string(w, "call_id", c->id);
        if (k->member) {
                if (c->tool && tool_name_space(c->tool) > 0)
                        jwrite_string_n(w, "namespace", c->tool->original, tool_name_space(c->tool));
                openai_call_write_name(c, w);
                if (whole)
                        write_text(c, k, k->member, w);
                else
                        jwrite_string(w, k->member, "");
        } else
                k->write(c, w);
        jwrite_end(w);
}

static void stream_call(OpenaiResponse *r, const OpenaiCall *c, const Kind *k, const char *id, Buf *out) {
        JWriter w = response_event(r, "response.output_item.added", out);
        char type[64];

        jwrite_uint(&w, "output_index", r->at.n_items);
        write_call(c, k, id, false, "item", &w);
        response_event_end(&w);
        if (!k->member)
                return;
        (void) snprintf(type, sizeof(type), "%s.delta", k->events);
        w = response_item_event(r, type, id, out);
        write_text(c, k, "delta", &w);
        response_event_end(&w);
        (void) snprintf(type, sizeof(type), "%s.done", k->events);
        w = response_item_event(r, type, id, out);
        if (k->flag == 0)
                openai_call_write_name(c, &w);
        write_text(c, k, k->member, &w);
        response_event_end(&w);
}

/* Nothing is open. */
void response_call(OpenaiResponse *r, const GeminiPart *p, Buf *out) {
        char id[RESPONSE_ID_MAX + 8];
        const Kind *k;
        OpenaiCall c;
        size_t from;
        JWriter w;

        if (!openai_call_begin(&r->chat, 0, p, &c))
                return;
        k = kind_of(&c);
        response_item_id(r, k->prefix, id);
        response_begin(r, out);
        if (response_streams(r))
                stream_call(r, &c, k, id, out);
        w = response_item_begin(r);
        from = r->output.n;
        write_call(&c, k, id, true, NULL, &w);
        response_item_done(r, from, out);
        r->chat.choices[0].n_calls++;
}
