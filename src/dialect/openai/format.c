/* SPDX-License-Identifier: MIT */

/*
 * response_format. Gemini has a JSON mode, which some models do not have beside functions. There a schema
 * becomes the parameters of a further function, and one of the functions must be called: a call of this one
 * is the answer. Where that cannot be, the instructions ask for JSON.
 */

#include <errno.h>
#include <stdio.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/openai/config.h"
#include "dialect/schema.h"

#define FUNCTION "answer_in_json"

int chat_read_response_format(ChatRequest *q, JsonView v) {
        JsonView type = json_view_get(v, "type"), schema = json_view_get(v, "json_schema");
        int r;

        if (json_view_equals(type, "text"))
                return 0;
        if (json_view_equals(type, "json_schema")) {
                r = chat_check_type(q, schema, TYPE_OBJECT, "response_format.json_schema");
                if (r != 0)
                        return r;
                schema = json_view_get(schema, "schema");
        } else if (json_view_equals(type, "json_object"))
                schema = json_view_get(v, "schema"); /* an extension of several servers */
        else
                return chat_refuse(q, "must be text, json_object or json_schema", "response_format.type");
        q->format = FORMAT_JSON;
        switch (json_view_is_null(schema) ? SCHEMA_ABSENT : schema_root(schema)) {
        case SCHEMA_BROKEN:
                return chat_refuse(q, "must be a JSON Schema", "response_format.json_schema.schema");
        case SCHEMA_ABSENT:
                return 0;
        case SCHEMA_OBJECT:
        case SCHEMA_OTHER:
                q->schema = schema;
                return 0;
        }
        return 0;
}

/* Beside functions. */
static ChatFormat choose_with_functions(const ChatRequest *q) {
        if (q->tools.choice.mode == TOOL_REQUIRED)
                return FORMAT_TEXT; /* the answer is a call */
        if (q->tools.choice.n_names > 0)
                return FORMAT_INSTRUCTION;
        if (model_can(q->rules, MODEL_CAN_JSON_WITH_TOOLS))
                return FORMAT_JSON;
        return q->schema.p && schema_root(q->schema) == SCHEMA_OBJECT ? FORMAT_FUNCTION : FORMAT_INSTRUCTION;
}

static ChatFormat choose(ChatRequest *q) {
        if (!model_can(q->rules, MODEL_CAN_JSON))
                return FORMAT_INSTRUCTION;
        /* Functions that must not be called are not needed, and would need a mode beside JSON. */
        if (q->tools.choice.mode == TOOL_NONE)
                q->tools.n = 0;
        if (tool_list_has_functions(&q->tools))
                return choose_with_functions(q);
        if (q->tools.n > 0 && !model_can(q->rules, MODEL_CAN_JSON_WITH_TOOLS))
                return FORMAT_INSTRUCTION;
        return FORMAT_JSON;
}

/* A name that none of the client's functions has. */
static int name_function(ChatRequest *q, ToolName **ret) {
        char name[sizeof(FUNCTION) + 16] = FUNCTION;
        int r;

        for (unsigned i = 2;; i++) {
                size_t k = 0;

                r = tool_names_map(&q->chat->names, name, strlen(name), ret);
                if (r < 0)
                        return r;
                while (k < q->tools.n && q->tools.decls[k].name != *ret)
                        k++;
                if (k == q->tools.n)
                        return 0;
                (void) snprintf(name, sizeof(name), FUNCTION "_%u", i);
        }
}

static int declare(ChatRequest *q) {
        static const char description[] = "\"Gives the final answer, when no other function is needed.\"";
        ToolDecl *d;
        ToolName *name;
        int r;

        r = name_function(q, &name);
        if (r < 0)
                return r;
        r = chat_add_tool(q, &d);
        if (r != 0)
                return r;
        d->kind = TOOL_FUNCTION;
        d->name = name;
        d->description = json_view(description, sizeof(description) - 1);
        d->schema = q->schema;
        q->tools.choice.mode = TOOL_REQUIRED;
        q->chat->json_function = name;
        return 0;
}

static void instruct(ChatRequest *q) {
        static const char plain[] = "\"Answer with JSON alone, without any other text.\"",
                          with[] = "\"Answer with JSON alone, without any other text. It must follow this "
                                   "JSON Schema:\"";

        turns_next_message(&q->turns);
        turns_text(&q->turns, TURN_SYSTEM,
                   q->schema.p ? json_view(with, sizeof(with) - 1) : json_view(plain, sizeof(plain) - 1));
        turns_text(&q->turns, TURN_SYSTEM, q->schema);
}

int chat_settle_format(ChatRequest *q) {
        if (q->format == FORMAT_TEXT)
                return 0;
        q->format = choose(q);
        if (q->format == FORMAT_INSTRUCTION)
                instruct(q);
        q->tools.choice.beside_json = q->format == FORMAT_JSON;
        return q->format == FORMAT_FUNCTION ? declare(q) : 0;
}

void chat_write_format(ChatRequest *q, JWriter *w) {
        if (q->format != FORMAT_JSON)
                return;
        jwrite_string(w, "responseMimeType", "application/json");
        if (q->schema.p)
                schema_write(q->schema, SCHEMA_RESPONSE, w, "responseJsonSchema");
}
