/* SPDX-License-Identifier: MIT */

/*
 * The tools of a request to /v1/responses. Functions and custom tools are those of chat; a namespace has
 * several of them, which Gemini gets with its name before theirs. Tools that Google has are Google's. Tools
 * that the client runs, and that OpenAI's models know by name, become functions. Others are ignored: clients
 * send them whether the model has them or not.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "dialect/openai/config.h"
#include "dialect/openai/declare.h"
#include "dialect/openai/responses-request.h"
#include "dialect/schema.h"

#define STRING "{\"type\":\"string\"}"
#define WHOLE  "{\"type\":\"integer\"}"

static const struct {
        const char *type, *item; /* of the tool, and of its calls */
        ClientTool tool;
} client_tools[] = {
        { "tool_search", "tool_search_call",
          { "\"tool_search\"",
            "\"Searches for further tools, which can be called after it. Use it if no other tool fits.\"",
            "{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\",\"description\":"
            "\"What the tool must do\"}},\"required\":[\"query\"]}",
            TOOL_NAME_SEARCH } },
        { "local_shell", "local_shell_call",
          { "\"local_shell\"", "\"Runs a command on the user's computer, and returns its output.\"",
            "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"array\",\"items\":" STRING
            ",\"description\":\"The program and its arguments\"},\"working_directory\":" STRING
            ",\"timeout_ms\":" WHOLE "},\"required\":[\"command\"]}",
            TOOL_NAME_LOCAL_SHELL } },
        { "shell", "shell_call",
          { "\"shell\"", "\"Runs commands in a shell, and returns their output.\"",
            "{\"type\":\"object\",\"properties\":{\"commands\":{\"type\":\"array\",\"items\":" STRING
            ",\"description\":\"Lines for the shell\"},\"timeout_ms\":" WHOLE ",\"max_output_length\":" WHOLE
            "},\"required\":[\"commands\"]}",
            TOOL_NAME_SHELL } },
        { "apply_patch", "apply_patch_call",
          { "\"apply_patch\"", "\"Creates, changes or deletes one file.\"",
            "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\",\"enum\":[\"create_file\","
            "\"update_file\",\"delete_file\"]},\"path\":" STRING
            ",\"diff\":{\"type\":\"string\",\"description\":\"In the V4A format: the lines of the file that "
            "stay begin with a space, those that go with -, those that are new with +. A new file has only "
            "lines with +. Without it for delete_file.\"}},\"required\":[\"type\",\"path\"]}",
            TOOL_NAME_PATCH } },
};

JsonView responses_client_tool(JsonView item) {
        for (size_t i = 0; i < ELEMENTSOF(client_tools); i++)
                if (json_view_equals(item, client_tools[i].item)) {
                        const char *name = client_tools[i].tool.name;

                        return json_view(name, strlen(name));
                }
        return (JsonView){};
}

/* Types of OpenAI's that may be repeated to the client. */
bool responses_knows_tool(JsonView type) {
        static const char *const types[] = {
                "function",         "file_search",      "computer",    "computer_use_preview",
                "web_search",       "mcp",              "code_interpreter", "web_search_2025_08_26",
                "image_generation", "local_shell",      "shell",       "custom",
                "namespace",        "tool_search",      "apply_patch", "web_search_preview",
                "web_search_preview_2025_03_11",
        };

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (json_view_equals(type, types[i]))
                        return true;
        return false;
}

static int read_tool(ChatRequest *q, JsonView v, const ToolPlace *at);

static int read_namespace(ChatRequest *q, JsonView v, const ToolPlace *at) {
        JsonView name = json_view_get(v, "name"), tools = json_view_get(v, "tools"), tool;
        char list[64];
        ToolPlace inner = { .list = list, .member = "", .space = name };
        JsonCursor c;
        int r;

        (void) snprintf(list, sizeof(list), "%s[%zu].tools", at->list, at->i);
        r = chat_check_type(q, name, TYPE_STRING, "%s[%zu].name", at->list, at->i);
        if (r == 0 && json_view_is_empty(name))
                return chat_refuse(q, "must not be empty", "%s[%zu].name", at->list, at->i);
        if (r == 0)
                r = chat_check_type(q, tools, TYPE_ARRAY, "%s", list);
        c = json_enter_array(tools);
        for (; r == 0 && json_next(&c, NULL, &tool); inner.i++) {
                r = chat_check_type(q, tool, TYPE_OBJECT, "%s[%zu]", list, inner.i);
                if (r == 0)
                        r = read_tool(q, tool, &inner);
        }
        return r;
}

/* The client may describe its search. A search by OpenAI has nothing to find: all tools are declared. */
static int read_search(ChatRequest *q, JsonView v, const ClientTool *tool, const ToolPlace *at) {
        JsonView execution = json_view_get(v, "execution"), description = json_view_get(v, "description"),
                 parameters = json_view_get(v, "parameters");
        ToolDecl *d;
        int r;

        if (!json_view_equals(execution, "client"))
                return 0;
        if (!json_view_is_null(description)) {
                r = chat_check_type(q, description, TYPE_STRING, "%s[%zu].description", at->list, at->i);
                if (r != 0)
                        return r;
        }
        r = chat_declare_client(q, tool, &d);
        if (r != 0)
                return r;
        if (json_view_is(description, '"'))
                d->description = description;
        if (json_view_is(parameters, '{') && schema_root(parameters) == SCHEMA_OBJECT)
                d->schema = parameters;
        return 0;
}

static int read_image(ChatRequest *q) {
        if (!model_can(q->rules, MODEL_CAN_IMAGE)) {
                q->chat->t.loss = "image_generation: the model makes no images";
                return 0;
        }
        q->modalities |= MODALITY_TEXT | MODALITY_IMAGE;
        return 0;
}

static int read_code(ChatRequest *q) {
        static const char code[] = "\"codeExecution\"";

        openai_response(q->chat)->runs_code = true;
        return chat_declare_google(q, tools_google_name(json_view(code, sizeof(code) - 1)), (JsonView){});
}

static int read_tool(ChatRequest *q, JsonView v, const ToolPlace *at) {
        JsonView type = json_view_get(v, "type"), function = json_view_get(v, "function");
        ToolDecl *d;
        bool any;
        int r;

        if (json_view_equals(type, "function"))
                return chat_declare_function(q, json_view_is(function, '{') ? function : v, at);
        if (json_view_equals(type, "custom"))
                return chat_declare_custom(q, v, at);
        if (at->space.p)
                return 0; /* a namespace has nothing else */
        if (json_view_equals(type, "namespace"))
                return read_namespace(q, v, at);
        if (chat_is_search(type))
                return chat_declare_search(q);
        if (json_view_equals(type, "image_generation"))
                return read_image(q);
        if (json_view_equals(type, "code_interpreter"))
                return read_code(q);
        for (size_t i = 0; i < ELEMENTSOF(client_tools); i++) {
                if (!json_view_equals(type, client_tools[i].type))
                        continue;
                if (client_tools[i].tool.flag == TOOL_NAME_SEARCH)
                        return read_search(q, v, &client_tools[i].tool, at);
                return chat_declare_client(q, &client_tools[i].tool, &d);
        }
        if (json_view_is_null(type)) {
                r = chat_declare_entry(q, v, at, &any);
                if (r != 0 || any)
                        return r;
                return chat_check_type(q, type, TYPE_STRING, "%s[%zu].type", at->list, at->i);
        }
        if (!json_view_is(type, '"'))
                return chat_check_type(q, type, TYPE_STRING, "%s[%zu].type", at->list, at->i);
        q->chat->t.loss = "tools of a type that Gemini does not have";
        return 0;
}

int responses_declare(ChatRequest *q, JsonView tools, const char *list) {
        ToolPlace at = { .list = list, .member = "" };
        JsonCursor c = json_enter_array(tools);
        JsonView tool;
        int r = 0;

        for (; r == 0 && json_next(&c, NULL, &tool); at.i++) {
                r = chat_check_type(q, tool, TYPE_OBJECT, "%s[%zu]", list, at.i);
                if (r == 0)
                        r = read_tool(q, tool, &at);
        }
        return r;
}

int responses_read_tools(ChatRequest *q, JsonView v) {
        return responses_declare(q, v, "tools");
}

/* --- the choice --- */

/* The declared tool of this name: a function, or else one of a namespace. */
static ToolName *find_declared(const ChatRequest *q, JsonView name, JsonView space) {
        ToolName *found = NULL;

        for (size_t i = 0; i < q->tools.n; i++) {
                ToolName *e = q->tools.decls[i].name;
                const char *bare;
                size_t n;

                if (q->tools.decls[i].kind == TOOL_GOOGLE)
                        continue;
                bare = tool_name_bare(e, &n);
                if (!json_view_equals_n(name, bare, n))
                        continue;
                if (space.p ? json_view_equals_n(space, e->original, tool_name_space(e))
                            : tool_name_space(e) == 0)
                        return e;
                if (!space.p)
                        found = found ?: e;
        }
        return found;
}

/* False: it is no choice of a function, but of a tool that Google or OpenAI runs. */
static bool names_function(JsonView v, JsonView *ret_name) {
        JsonView type = json_view_get(v, "type"), function = json_view_get(v, "function");

        *ret_name = json_view_get(json_view_is(function, '{') ? function : v, "name");
        if (json_view_equals(type, "function") || json_view_equals(type, "custom") ||
            json_view_is_null(type))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(client_tools); i++)
                if (json_view_equals(type, client_tools[i].type)) {
                        const char *name = client_tools[i].tool.name;

                        *ret_name = json_view(name, strlen(name));
                        return true;
                }
        return false;
}

static int choose(ChatRequest *q, JsonView v, JsonView name, const char *param) {
        JsonView space = json_view_get(v, "namespace");
        ToolName *e;
        int r;

        r = chat_check_type(q, name, TYPE_STRING, "%s", param);
        if (r != 0)
                return r;
        e = find_declared(q, name, json_view_is(space, '"') ? space : (JsonView){});
        if (!e)
                return chat_refuse(q, "must be the name of a tool of tools", "%s", param);
        r = tool_list_choose_name(&q->tools, e);
        return r == -E2BIG ? chat_refuse(q, "has too many names", "%s", param) : r;
}

static int read_allowed(ChatRequest *q, JsonView v) {
        JsonView nested = json_view_get(v, "allowed_tools"), tools, tool, name;
        bool has_others = false;
        size_t n = 0;
        JsonCursor c;
        int r;

        if (json_view_is(nested, '{'))
                v = nested;
        if (!chat_read_mode(json_view_get(v, "mode"), &q->tools.choice.mode) ||
            q->tools.choice.mode == TOOL_NONE)
                return chat_refuse(q, "must be auto or required", "tool_choice.mode");
        tools = json_view_get(v, "tools");
        r = chat_check_type(q, tools, TYPE_ARRAY, "tool_choice.tools");
        c = json_enter_array(tools);
        while (r == 0 && json_next(&c, NULL, &tool))
                if (names_function(tool, &name))
                        r = choose(q, tool, name, "tool_choice.tools");
                else
                        has_others = true;
        if (r != 0 || q->tools.choice.n_names > 0)
                return r;
        if (!has_others) { /* nothing is allowed */
                q->tools.choice.mode = TOOL_NONE;
                return 0;
        }
        for (size_t i = 0; i < q->tools.n; i++)
                if (q->tools.decls[i].kind == TOOL_GOOGLE)
                        q->tools.decls[n++] = q->tools.decls[i];
        q->tools.n = n;
        q->tools.choice.mode = TOOL_AUTO;
        return 0;
}

/* A tool that Google runs cannot be required: the model may use it. */
int responses_read_tool_choice(ChatRequest *q, JsonView v) {
        JsonView type, name;

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
        if (!json_view_is_null(type) && !json_view_is(type, '"'))
                return chat_check_type(q, type, TYPE_STRING, "tool_choice.type");
        if (!names_function(v, &name)) {
                q->chat->t.loss = "tool_choice of a tool that the model chooses itself";
                return 0;
        }
        q->tools.choice.mode = TOOL_REQUIRED;
        return choose(q, v, name, "tool_choice.name");
}
