/* SPDX-License-Identifier: MIT */

/*
 * The tools of a chat request and the choice among them, in all the forms that OpenAI has had: `tools` with
 * functions and custom tools, the old `functions`, and web_search_options. Google's own tools come from
 * `google.tools`, or as entries of `tools` in Google's spelling, which some clients send.
 */

#include <errno.h>

#include "base/limits.h"
#include "base/text.h"
#include "dialect/openai/config.h"
#include "dialect/openai/declare.h"

int chat_add_tool(ChatRequest *q, ToolDecl **ret) {
        int r = tool_list_add(&q->tools, ret);

        return r == -E2BIG ? tool_list_refuse_number(q->error) : r;
}

static int map_name(ChatRequest *q, JsonView name, const ToolPlace *at, ToolName **ret) {
        int r;

        r = chat_check_type(q, name, TYPE_STRING, "%s[%zu].%sname", at->list, at->i, at->member);
        if (r != 0)
                return r;
        if (json_view_is_empty(name))
                return chat_refuse(q, "must not be empty", "%s[%zu].%sname", at->list, at->i, at->member);
        r = at->space.p ? tool_names_map_in(&q->chat->names, at->space, name, ret)
                        : tool_names_map_view(&q->chat->names, name, ret);
        if (r == -E2BIG)
                return chat_refuse(q, "is too long", "%s[%zu].%sname", at->list, at->i, at->member);
        if (r < 0)
                return r;
        (*ret)->flags |= TOOL_NAME_DECLARED;
        return 0;
}

static int read_description(ChatRequest *q, JsonView v, const ToolPlace *at, JsonView *ret) {
        *ret = json_view_is_null(v) ? (JsonView){} : v;
        if (!ret->p)
                return 0;
        return chat_check_type(q, v, TYPE_STRING, "%s[%zu].%sdescription", at->list, at->i, at->member);
}

/* Adds what a function and a custom tool have in common. */
static int add_named(ChatRequest *q, JsonView name, JsonView description, const ToolPlace *at,
                     ToolDecl **ret) {
        int r;

        r = chat_add_tool(q, ret);
        if (r == 0)
                r = map_name(q, name, at, &(*ret)->name);
        if (r == 0)
                r = read_description(q, description, at, &(*ret)->description);
        return r;
}

int chat_declare_function(ChatRequest *q, JsonView v, const ToolPlace *at) {
        JsonView name, description, parameters, json_schema, snake, strict;
        const JsonMember members[] = {
                JSON_MEMBER("name", &name),
                JSON_MEMBER("description", &description),
                JSON_MEMBER("parameters", &parameters),
                JSON_MEMBER("parametersJsonSchema", &json_schema), /* Google's names of them */
                JSON_MEMBER("parameters_json_schema", &snake),
                JSON_MEMBER("strict", &strict),
        };
        ToolDecl *d;
        int r;

        json_view_members(v, members, ELEMENTSOF(members));
        r = add_named(q, name, description, at, &d);
        if (json_schema.p)
                parameters = json_schema;
        else if (snake.p)
                parameters = snake;
        if (r == 0 && tool_read_schema(parameters, &d->schema) < 0)
                r = chat_refuse(q, "must be a JSON Schema of an object", "%s[%zu].%sparameters", at->list,
                                at->i, at->member);
        if (r == 0 && !json_view_is_null(strict))
                r = chat_check_type(q, strict, TYPE_BOOL, "%s[%zu].%sstrict", at->list, at->i, at->member);
        if (r != 0)
                return r;
        d->kind = TOOL_FUNCTION;
        d->strict = json_view_is(strict, 't');
        return 0;
}

static const char *syntax_of(JsonView v) {
        static const char *const known[] = { "lark", "regex" };

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (json_view_equals(v, known[i]))
                        return known[i];
        return NULL;
}

/* {format: {type: "grammar", grammar: {syntax, definition}}}; the Responses API has them beside the type. */
int chat_declare_custom(ChatRequest *q, JsonView v, const ToolPlace *at) {
        JsonView name, description, format, grammar;
        const JsonMember members[] = {
                JSON_MEMBER("name", &name),
                JSON_MEMBER("description", &description),
                JSON_MEMBER("format", &format),
        };
        ToolDecl *d;
        int r;

        json_view_members(v, members, ELEMENTSOF(members));
        r = add_named(q, name, description, at, &d);
        if (r != 0)
                return r;
        d->kind = TOOL_CUSTOM;
        d->name->flags |= TOOL_NAME_CUSTOM;
        grammar = json_view_get(format, "grammar");
        if (!json_view_is(grammar, '{'))
                grammar = format;
        d->syntax = syntax_of(json_view_get(grammar, "syntax"));
        d->grammar = json_view_get(grammar, "definition");
        if (!json_view_is(d->grammar, '"'))
                d->grammar = (JsonView){};
        return 0;
}

int chat_declare_google(ChatRequest *q, const char *name, JsonView config) {
        int r = tool_list_add_google(&q->tools, name, config);

        q->chat->may_cite = true;
        return r == -E2BIG ? tool_list_refuse_number(q->error) : r;
}

int chat_declare_client(ChatRequest *q, const ClientTool *tool, ToolDecl **ret) {
        JsonView empty = json_view("\"\"", 2), name = json_view(tool->name, strlen(tool->name));
        int r;

        r = chat_add_tool(q, ret);
        if (r == 0)
                r = tool_names_map_in(&q->chat->names, empty, name, &(*ret)->name);
        if (r != 0)
                return r;
        (*ret)->kind = TOOL_FUNCTION;
        (*ret)->name->flags |= TOOL_NAME_DECLARED | tool->flag;
        (*ret)->description = json_view(tool->description, strlen(tool->description));
        (*ret)->schema = json_view(tool->schema, strlen(tool->schema));
        return 0;
}

static const char google_search[] = "\"googleSearch\"";

static const char *search_name(void) {
        return tools_google_name(json_view(google_search, sizeof(google_search) - 1));
}

bool chat_is_search(JsonView type) {
        static const char *const searches[] = {
                "web_search",            "web_search_preview", "web_search_preview_2025_03_11",
                "web_search_2025_08_26", "google_search",      "googleSearch",
        };

        for (size_t i = 0; i < ELEMENTSOF(searches); i++)
                if (json_view_equals(type, searches[i]))
                        return true;
        return false;
}

int chat_declare_search(ChatRequest *q) {
        return chat_declare_google(q, search_name(), (JsonView){});
}

/* An entry whose members are Google's tools: {"googleSearch": {}}. *ret_any: it has one. */
int chat_declare_entry(ChatRequest *q, JsonView v, const ToolPlace *at, bool *ret_any) {
        JsonCursor c = json_enter(v), list;
        JsonView name, config, function;
        const char *google;
        int r = 0;

        *ret_any = false;
        while (r == 0 && json_next(&c, &name, &config)) {
                google = tools_google_name(name);
                if (google) {
                        *ret_any = true;
                        r = chat_declare_google(q, google, config);
                        continue;
                }
                if (!json_view_equals(name, "functionDeclarations") &&
                    !json_view_equals(name, "function_declarations"))
                        continue;
                *ret_any = true;
                list = json_enter_array(config);
                while (r == 0 && json_next(&list, NULL, &function))
                        r = chat_declare_function(q, function, at);
        }
        return r;
}

static int read_tool(ChatRequest *q, JsonView v, size_t i) {
        ToolPlace at = { .list = "tools", .i = i, .member = "function." };
        JsonView type, function, custom;
        const JsonMember members[] = {
                JSON_MEMBER("type", &type),
                JSON_MEMBER("function", &function),
                JSON_MEMBER("custom", &custom),
        };
        bool any;
        int r;

        r = chat_check_type(q, v, TYPE_OBJECT, "tools[%zu]", i);
        if (r != 0)
                return r;
        json_view_members(v, members, ELEMENTSOF(members));
        if (json_view_equals(type, "custom")) {
                at.member = custom.p ? "custom." : "";
                return chat_declare_custom(q, custom.p ? custom : v, &at);
        }
        if (json_view_equals(type, "function") || (json_view_is_null(type) && json_view_is(function, '{'))) {
                if (json_view_is_null(function)) { /* the flat form of the Responses API */
                        at.member = "";
                        function = v;
                }
                r = chat_check_type(q, function, TYPE_OBJECT, "tools[%zu].function", i);
                return r != 0 ? r : chat_declare_function(q, function, &at);
        }
        if (chat_is_search(type))
                return chat_declare_search(q);
        if (json_view_is_null(type)) {
                at.member = "";
                r = chat_declare_entry(q, v, &at, &any);
                if (r != 0 || any)
                        return r;
        }
        return chat_refuse(q, "must be function or custom", "tools[%zu].type", i);
}

int chat_read_tools(ChatRequest *q, JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView tool;
        int r = 0;

        for (size_t i = 0; r == 0 && json_next(&c, NULL, &tool); i++)
                r = read_tool(q, tool, i);
        return r;
}

int chat_read_functions(ChatRequest *q, JsonView v) {
        JsonCursor c = json_enter(v);
        ToolPlace at = { .list = "functions", .member = "" };
        JsonView function;
        int r = 0;

        for (size_t i = 0; r == 0 && json_next(&c, NULL, &function); i++) {
                at.i = i;
                q->chat->has_functions = true;
                r = chat_check_type(q, function, TYPE_OBJECT, "functions[%zu]", i);
                if (r == 0)
                        r = chat_declare_function(q, function, &at);
        }
        return r;
}

int chat_read_google_tools(ChatRequest *q, JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView tool;
        ToolPlace at = { .list = "google.tools", .member = "" };
        bool any;
        int r = 0;

        for (size_t i = 0; r == 0 && json_next(&c, NULL, &tool); i++) {
                at.i = i;
                r = chat_check_type(q, tool, TYPE_OBJECT, "google.tools[%zu]", i);
                if (r == 0)
                        r = chat_declare_entry(q, tool, &at, &any);
                if (r == 0 && !any)
                        r = chat_refuse(q, "must be a tool of Google's, such as {\"googleSearch\": {}}",
                                        "google.tools[%zu]", i);
        }
        return r;
}

/* Its members (the user's place, how much context) have no counterpart. */
int chat_read_web_search(ChatRequest *q, JsonView v _unused_) {
        return chat_declare_search(q);
}

/* --- the choice --- */

/* "any" and others are what other protocols have for the same. */
static const struct {
        const char *name;
        ToolMode mode;
} modes[] = {
        { "auto", TOOL_AUTO },
        { "none", TOOL_NONE },
        { "required", TOOL_REQUIRED },
        { "any", TOOL_REQUIRED },
};

bool chat_read_mode(JsonView v, ToolMode *ret) {
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (json_view_equals(v, modes[i].name)) {
                        *ret = modes[i].mode;
                        return true;
                }
        return false;
}

static int add_chosen(ChatRequest *q, JsonView name, const char *param) {
        int r;

        r = chat_check_type(q, name, TYPE_STRING, "%s", param);
        if (r == 0)
                r = tool_list_choose(&q->tools, &q->chat->names, name);
        return r == -E2BIG ? chat_refuse(q, "must be the name of a function of tools", "%s", param) : r;
}

/* {type: "function", function: {name}}, or the name beside the type. */
static JsonView chosen_name(JsonView v) {
        JsonView function = json_view_get(v, "function"), custom = json_view_get(v, "custom");

        if (json_view_is(function, '{'))
                return json_view_get(function, "name");
        if (json_view_is(custom, '{'))
                return json_view_get(custom, "name");
        return json_view_get(v, "name");
}

static int read_allowed(ChatRequest *q, JsonView v) {
        JsonView allowed = json_view_get(v, "allowed_tools"), tools, tool;
        JsonCursor c;
        int r;

        if (!json_view_is(allowed, '{')) /* the flat form of the Responses API */
                allowed = v;
        if (!chat_read_mode(json_view_get(allowed, "mode"), &q->tools.choice.mode) ||
            q->tools.choice.mode == TOOL_NONE)
                return chat_refuse(q, "must be auto or required", "tool_choice.allowed_tools.mode");
        tools = json_view_get(allowed, "tools");
        r = chat_check_type(q, tools, TYPE_ARRAY, "tool_choice.allowed_tools.tools");
        if (r != 0)
                return r;
        c = json_enter(tools);
        while (r == 0 && json_next(&c, NULL, &tool))
                r = add_chosen(q, chosen_name(tool), "tool_choice.allowed_tools.tools");
        if (r == 0 && q->tools.choice.n_names == 0) /* nothing is allowed */
                q->tools.choice.mode = TOOL_NONE;
        return r;
}

int chat_read_tool_choice(ChatRequest *q, JsonView v) {
        JsonView type;

        q->tools.choice.mode = TOOL_AUTO;
        q->tools.choice.n_names = 0;
        if (json_view_is(v, '"'))
                return chat_read_mode(v, &q->tools.choice.mode)
                               ? 0
                               : chat_refuse(q, "must be none, auto, required, or an object", "tool_choice");
        type = json_view_get(v, "type");
        if (json_view_equals(type, "allowed_tools"))
                return read_allowed(q, v);
        if (chat_read_mode(type, &q->tools.choice.mode))
                return 0;
        if (!json_view_equals(type, "function") && !json_view_equals(type, "custom") &&
            !json_view_equals(type, "tool") && !json_view_is_null(type))
                return chat_refuse(q, "must be function, custom or allowed_tools", "tool_choice.type");
        q->tools.choice.mode = TOOL_REQUIRED;
        return add_chosen(q, chosen_name(v),
                          json_view_equals(type, "custom") ? "tool_choice.custom.name"
                                                           : "tool_choice.function.name");
}

int chat_read_function_call(ChatRequest *q, JsonView v) {
        if (json_view_is(v, '"'))
                return chat_read_mode(v, &q->tools.choice.mode)
                               ? 0
                               : chat_refuse(q, "must be none, auto, or an object", "function_call");
        q->tools.choice.mode = TOOL_REQUIRED;
        return add_chosen(q, json_view_get(v, "name"), "function_call.name");
}

int chat_settle_tools(ChatRequest *q) {
        const char *param = q->fields[CHAT_TOOL_CHOICE].p ? "tool_choice" : "function_call";
        const ToolName *unknown;

        if (tool_list_has_functions(&q->tools) && !model_can(q->rules, MODEL_CAN_TOOLS))
                return dialect_refuse(q->error, q->fields[CHAT_TOOLS].p ? "tools" : "functions",
                                      "tools: the model %s takes no functions", q->model);
        unknown = tools_find_undeclared(q->tools.decls, q->tools.n, &q->tools.choice);
        if (unknown)
                return dialect_refuse(q->error, param, "%s must name a function of tools", param);
        if (q->fields[CHAT_TOOLS].p && tool_list_has_functions(&q->tools))
                q->chat->has_functions = false; /* both were sent: the newer form is answered */
        return 0;
}
