/* SPDX-License-Identifier: MIT */

/*
 * `tools` and `tool_choice`. A tool of the client's is a function; one whose loading is deferred is
 * declared, too, because Gemini has no search for tools. Some types have a schema that only Anthropic's
 * models know (client-tools.c). Of the tools that Anthropic's servers run, Gemini has a few. Others are left
 * out, and the log has the loss: clients send new ones to every server.
 */

#include <errno.h>

#include "base/text.h"
#include "dialect/anthropic/client-tools.h"
#include "dialect/anthropic/request.h"

static int map_name(AnthropicRequest *q, JsonView name, size_t i, ToolName **ret) {
        int r;

        r = check_type(q->error, name, TYPE_STRING, "tools[%zu].name", i);
        if (r != 0)
                return r;
        if (json_view_is_empty(name))
                return check_refuse(q->error, "must not be empty", "tools[%zu].name", i);
        r = tool_names_map_view(&q->message->names, name, ret);
        if (r == -E2BIG)
                return check_refuse(q->error, "is too long", "tools[%zu].name", i);
        if (r == 0)
                (*ret)->flags |= TOOL_NAME_DECLARED;
        return r;
}

static int add_function(AnthropicRequest *q, JsonView name, size_t i, ToolDecl **ret) {
        int r = tool_list_add(&q->tools, ret);

        if (r == -E2BIG)
                return tool_list_refuse_number(q->error);
        if (r < 0)
                return r;
        (*ret)->kind = TOOL_FUNCTION;
        return map_name(q, name, i, &(*ret)->name);
}

static int read_function(AnthropicRequest *q, JsonView tool, JsonView name, size_t i) {
        JsonView description, schema, strict;
        const JsonMember members[] = {
                JSON_MEMBER("description", &description),
                JSON_MEMBER("input_schema", &schema),
                JSON_MEMBER("strict", &strict),
        };
        ToolDecl *d;
        int r;

        json_view_members(tool, members, ELEMENTSOF(members));
        r = add_function(q, name, i, &d);
        if (r == 0 && !json_view_is_null(description)) {
                r = check_type(q->error, description, TYPE_STRING, "tools[%zu].description", i);
                d->description = description;
        }
        if (r == 0 && tool_read_schema(schema, &d->schema) < 0)
                r = check_refuse(q->error, "must be a JSON Schema of an object", "tools[%zu].input_schema",
                                 i);
        if (r == 0 && !json_view_is_null(strict))
                r = check_type(q->error, strict, TYPE_BOOL, "tools[%zu].strict", i);
        if (r == 0)
                d->strict = json_view_is(strict, 't');
        return r;
}

static int read_client_tool(AnthropicRequest *q, const AnthropicClientTool *tool, JsonView name, size_t i) {
        ToolDecl *d;
        int r;

        if (json_view_is_null(name))
                name = json_view(tool->name, strlen(tool->name));
        r = add_function(q, name, i, &d);
        if (r == 0) {
                d->description = json_view(tool->description, strlen(tool->description));
                d->schema = json_view(tool->schema, strlen(tool->schema));
        }
        return r;
}

/* Types have a date behind them: web_search_20250305. */
static bool has_kind(JsonView type, const char *kind) {
        char start[64];
        size_t n = strlen(kind);

        json_view_copy(type, start, sizeof(start));
        return strncmp(start, kind, n) == 0 && (!start[n] || (start[n] == '_' && start[n + 1] >= '0' &&
                                                              start[n + 1] <= '9'));
}

static const struct {
        const char *kind, *google;
} server_tools[] = {
        { "web_search", "\"googleSearch\"" },
        { "web_fetch", "\"urlContext\"" },
        { "code_execution", "\"codeExecution\"" },
        /* Needless: all tools are declared. */
        { "tool_search_tool_regex", NULL },
        { "tool_search_tool_bm25", NULL },
        { "tool_search_tool", NULL },
};

static int add_google(AnthropicRequest *q, const char *name) {
        const char *google = tools_google_name(json_view(name, strlen(name)));
        int r = tool_list_add_google(&q->tools, google, (JsonView){});

        if (streq(google, "googleSearch"))
                q->message->has_search = true;
        return r == -E2BIG ? tool_list_refuse_number(q->error) : r;
}

static int read_tool(AnthropicRequest *q, JsonView v, size_t i) {
        JsonView type, name, schema;
        const JsonMember members[] = {
                JSON_MEMBER("type", &type),
                JSON_MEMBER("name", &name),
                JSON_MEMBER("input_schema", &schema),
        };
        const AnthropicClientTool *client;
        int r;

        r = check_type(q->error, v, TYPE_OBJECT, "tools[%zu]", i);
        if (r != 0)
                return r;
        json_view_members(v, members, ELEMENTSOF(members));
        if (json_view_is_null(type) || json_view_equals(type, "custom") || json_view_is(schema, '{'))
                return read_function(q, v, name, i);
        r = check_type(q->error, type, TYPE_STRING, "tools[%zu].type", i);
        if (r != 0)
                return r;
        for (size_t k = 0; k < ELEMENTSOF(server_tools); k++)
                if (has_kind(type, server_tools[k].kind))
                        return server_tools[k].google ? add_google(q, server_tools[k].google) : 0;
        for (size_t k = 0; (client = anthropic_client_tool(k)); k++)
                if (has_kind(type, client->kind))
                        return read_client_tool(q, client, name, i);
        q->message->t.loss = q->message->t.loss ?: "tools of Anthropic's that Gemini does not have";
        return 0;
}

int anthropic_read_tools(AnthropicRequest *q, JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView tool;
        int r = 0;

        for (size_t i = 0; r == 0 && json_next(&c, NULL, &tool); i++)
                r = read_tool(q, tool, i);
        return r;
}

/* --- the choice --- */

static const struct {
        const char *name;
        ToolMode mode;
} modes[] = {
        { "auto", TOOL_AUTO },
        { "any", TOOL_REQUIRED },
        { "tool", TOOL_REQUIRED },
        { "none", TOOL_NONE },
};

/* The name of a server's tool is no function's: Gemini cannot be made to search. */
static bool names_server_tool(const AnthropicRequest *q, JsonView name) {
        JsonCursor c = json_enter_array(q->fields[ANTHROPIC_TOOLS]);
        JsonView tool, mine, type;

        while (json_next(&c, NULL, &tool)) {
                mine = json_view_get(tool, "name");
                type = json_view_get(tool, "type");
                if (mine.p && mine.end - mine.p == name.end - name.p &&
                    memcmp(mine.p, name.p, (size_t) (name.end - name.p)) == 0)
                        for (size_t k = 0; k < ELEMENTSOF(server_tools); k++)
                                if (has_kind(type, server_tools[k].kind))
                                        return true;
        }
        return false;
}

static int read_chosen(AnthropicRequest *q, JsonView name) {
        int r;

        r = check_type(q->error, name, TYPE_STRING, "tool_choice.name");
        if (r != 0)
                return r;
        if (names_server_tool(q, name)) {
                q->tools.choice.mode = TOOL_AUTO;
                return 0;
        }
        r = tool_list_choose(&q->tools, &q->message->names, name);
        return r == -E2BIG ? check_refuse(q->error, "must be the name of a tool of tools",
                                          "tool_choice.name")
                           : r;
}

int anthropic_read_tool_choice(AnthropicRequest *q, JsonView v) {
        JsonView type, name, one;
        const JsonMember members[] = {
                JSON_MEMBER("type", &type),
                JSON_MEMBER("name", &name),
                JSON_MEMBER("disable_parallel_tool_use", &one),
        };
        int r;

        json_view_members(v, members, ELEMENTSOF(members));
        if (!json_view_is_null(one)) {
                r = check_type(q->error, one, TYPE_BOOL, "tool_choice.disable_parallel_tool_use");
                if (r != 0)
                        return r;
                q->message->is_one_call = json_view_is(one, 't');
        }
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (json_view_equals(type, modes[i].name)) {
                        q->tools.choice.mode = modes[i].mode;
                        return json_view_equals(type, "tool") ? read_chosen(q, name) : 0;
                }
        return check_refuse(q->error, "must be auto, any, tool or none", "tool_choice.type");
}

int anthropic_settle_tools(AnthropicRequest *q) {
        if (tool_list_has_functions(&q->tools) && !model_can(q->rules, MODEL_CAN_TOOLS))
                return dialect_refuse(q->error, "tools", "tools: the model %s takes no functions", q->model);
        if (tools_find_undeclared(q->tools.decls, q->tools.n, &q->tools.choice))
                return dialect_refuse(q->error, "tool_choice.name",
                                      "tool_choice.name must be the name of a tool of tools");
        return 0;
}
