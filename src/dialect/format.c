/* SPDX-License-Identifier: MIT */
#include "dialect/format.h"

#include <errno.h>
#include <stdio.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/schema.h"

#define FUNCTION "answer_in_json"

int format_read_schema(Format *f, JsonView schema) {
        switch (json_view_is_null(schema) ? SCHEMA_ABSENT : schema_root(schema)) {
        case SCHEMA_BROKEN:
                return -EINVAL;
        case SCHEMA_ABSENT:
                return 0;
        case SCHEMA_OBJECT:
        case SCHEMA_OTHER:
                f->schema = schema;
                return 0;
        }
        return 0;
}

/* Beside functions. */
static FormatKind choose_with_functions(const Format *f, const ToolChoice *choice,
                                        const ModelRules *rules) {
        if (choice->mode == TOOL_REQUIRED)
                return FORMAT_TEXT; /* the answer is a call */
        if (choice->n_names > 0)
                return FORMAT_INSTRUCTION;
        if (model_can(rules, MODEL_CAN_JSON_WITH_TOOLS))
                return FORMAT_JSON;
        return f->schema.p && schema_root(f->schema) == SCHEMA_OBJECT ? FORMAT_FUNCTION : FORMAT_INSTRUCTION;
}

static FormatKind choose(const Format *f, ToolList *tools, const ModelRules *rules) {
        if (!model_can(rules, MODEL_CAN_JSON))
                return FORMAT_INSTRUCTION;
        /* Functions that must not be called are not needed, and would need a mode beside JSON. */
        if (tools->choice.mode == TOOL_NONE)
                tools->n = 0;
        if (tool_list_has_functions(tools))
                return choose_with_functions(f, &tools->choice, rules);
        if (tools->n > 0 && !model_can(rules, MODEL_CAN_JSON_WITH_TOOLS))
                return FORMAT_INSTRUCTION;
        return FORMAT_JSON;
}

/* A name that none of the client's functions has. */
static int name_function(const ToolList *tools, ToolNames *names, ToolName **ret) {
        char name[sizeof(FUNCTION) + 16] = FUNCTION;
        int r;

        for (unsigned i = 2;; i++) {
                size_t k = 0;

                r = tool_names_map(names, name, strlen(name), ret);
                if (r < 0)
                        return r;
                while (k < tools->n && tools->decls[k].name != *ret)
                        k++;
                if (k == tools->n)
                        return 0;
                (void) snprintf(name, sizeof(name), FUNCTION "_%u", i);
        }
}

static int declare(Format *f, ToolList *tools, ToolNames *names) {
        static const char description[] = "\"Gives the final answer, when no other function is needed.\"";
        ToolDecl *d;
        ToolName *name;
        int r;

        r = name_function(tools, names, &name);
        if (r < 0)
                return r;
        r = tool_list_add(tools, &d);
        if (r < 0)
                return r;
        d->kind = TOOL_FUNCTION;
        d->name = name;
        d->description = json_view(description, sizeof(description) - 1);
        d->schema = f->schema;
        tools->choice.mode = TOOL_REQUIRED;
        f->function = name;
        return 0;
}

static void instruct(const Format *f, Turns *turns) {
        static const char plain[] = "\"Answer with JSON alone, without any other text.\"",
                          with[] = "\"Answer with JSON alone, without any other text. It must follow this "
                                   "JSON Schema:\"";

        turns_next_message(turns);
        turns_text(turns, TURN_SYSTEM,
                   f->schema.p ? json_view(with, sizeof(with) - 1) : json_view(plain, sizeof(plain) - 1));
        turns_text(turns, TURN_SYSTEM, f->schema);
}

int format_settle(Format *f, ToolList *tools, Turns *turns) {
        if (f->kind == FORMAT_TEXT)
                return 0;
        f->kind = choose(f, tools, turns->rules);
        if (f->kind == FORMAT_INSTRUCTION)
                instruct(f, turns);
        tools->choice.beside_json = f->kind == FORMAT_JSON;
        return f->kind == FORMAT_FUNCTION ? declare(f, tools, turns->names) : 0;
}

void format_write(const Format *f, JWriter *w) {
        if (f->kind != FORMAT_JSON)
                return;
        jwrite_string(w, "responseMimeType", "application/json");
        if (f->schema.p)
                schema_write(f->schema, SCHEMA_RESPONSE, w, "responseJsonSchema");
}
