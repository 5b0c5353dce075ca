/* SPDX-License-Identifier: MIT */
#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/schema.h"
#include "dialect/tools.h"

static const struct {
        const char *name, *member;
} google_tools[] = {
        { "googleSearch", "googleSearch" },
        { "google_search", "googleSearch" },
        { "googleSearchRetrieval", "googleSearchRetrieval" },
        { "google_search_retrieval", "googleSearchRetrieval" },
        { "urlContext", "urlContext" },
        { "url_context", "urlContext" },
        { "codeExecution", "codeExecution" },
        { "code_execution", "codeExecution" },
        { "googleMaps", "googleMaps" },
        { "google_maps", "googleMaps" },
        { "fileSearch", "fileSearch" },
        { "file_search", "fileSearch" },
        { "computerUse", "computerUse" },
        { "computer_use", "computerUse" },
};

const char *tools_google_name(JsonView name) {
        for (size_t i = 0; i < ELEMENTSOF(google_tools); i++)
                if (json_view_equals(name, google_tools[i].name))
                        return google_tools[i].member;
        return NULL;
}

static bool is_function(const ToolDecl *d) {
        return d->kind != TOOL_GOOGLE;
}

static bool is_chosen(const ToolChoice *choice, const ToolName *name) {
        for (size_t i = 0; i < choice->n_names; i++)
                if (choice->names[i] == name)
                        return true;
        return choice->n_names == 0;
}

const ToolName *tools_find_undeclared(const ToolDecl *decls, size_t n, const ToolChoice *choice) {
        for (size_t i = 0; i < choice->n_names; i++) {
                bool found = false;

                for (size_t j = 0; j < n && !found; j++)
                        found = is_function(&decls[j]) && decls[j].name == choice->names[i];
                if (!found)
                        return choice->names[i];
        }
        return NULL;
}

/* --- what is sent --- */

typedef struct Plan {
        bool functions, google;
        const char *mode; /* NULL: none is sent, which is AUTO */
        bool allowed;     /* allowedFunctionNames */
        bool only_chosen; /* the others are not declared */
        ToolLoss loss;
} Plan;

static Plan make_plan(const ToolDecl *decls, size_t n, const ToolChoice *choice, const ModelRules *rules) {
        bool can_both = model_can(rules, MODEL_CAN_BUILT_IN_WITH_TOOLS) && !choice->beside_json;
        bool functions = false, google = false, strict = false;
        Plan p = {};

        for (size_t i = 0; i < n; i++) {
                functions = functions || is_function(&decls[i]);
                google = google || !is_function(&decls[i]);
                strict = strict || decls[i].strict;
        }
        p.functions = functions && model_can(rules, MODEL_CAN_TOOLS);
        p.google = google && choice->mode != TOOL_NONE && model_can(rules, MODEL_CAN_BUILT_IN) &&
                   (can_both || !p.functions);
        p.loss |= functions && !p.functions ? TOOL_LOST_FUNCTIONS : 0;
        p.loss |= google && !p.google && choice->mode != TOOL_NONE ? TOOL_LOST_GOOGLE : 0;
        if (!p.functions) {
                p.loss |= choice->mode == TOOL_REQUIRED ? TOOL_LOST_REQUIRED : 0;
                return p;
        }

        if (choice->mode == TOOL_NONE)
                p.mode = "NONE";
        else if (choice->mode == TOOL_REQUIRED)
                p.mode = "ANY";
        else if (can_both && (p.google || strict || choice->n_names > 0))
                p.mode = "VALIDATED";
        p.allowed = choice->n_names > 0 && p.mode && choice->mode != TOOL_NONE;
        p.only_chosen = choice->n_names > 0 && !p.mode;
        return p;
}

/* --- declarations --- */

/* The client's description, and the grammar of a custom tool. */
static void write_description(const ToolDecl *d, JWriter *w) {
        bool has_text = json_view_is(d->description, '"') && !json_view_is_empty(d->description);
        bool has_grammar = d->kind == TOOL_CUSTOM && json_view_is(d->grammar, '"');

        if (!has_text && !has_grammar)
                return;
        jwrite_raw_n(w, "description", "\"", 1);
        json_copy_escaped(w->buf, d->description);
        if (has_grammar) {
                (void) buf_printf(w->buf, "%sThe input must follow this %s%sgrammar:\\n",
                                  has_text ? "\\n\\n" : "", strempty(d->syntax), d->syntax ? " " : "");
                json_copy_escaped(w->buf, d->grammar);
        }
        (void) buf_putc(w->buf, '"');
}

static void write_custom_parameters(JWriter *w) {
        jwrite_object(w, "parametersJsonSchema");
        jwrite_string(w, "type", "object");
        jwrite_object(w, "properties");
        jwrite_object(w, "input");
        jwrite_string(w, "type", "string");
        jwrite_string(w, "description", "The whole input of the tool, as plain text");
        jwrite_end(w);
        jwrite_end(w);
        jwrite_array(w, "required");
        jwrite_string(w, NULL, "input");
        jwrite_end(w);
        jwrite_end(w);
}

static void write_function(const ToolDecl *d, JWriter *w) {
        jwrite_object(w, NULL);
        jwrite_string(w, "name", d->name->mapped);
        write_description(d, w);
        if (d->kind == TOOL_CUSTOM)
                write_custom_parameters(w);
        else if (!schema_is_empty(d->schema))
                schema_write(d->schema, SCHEMA_PARAMETERS, w, "parametersJsonSchema");
        jwrite_end(w);
}

/* Writes the functions; of those with the same name, the first one. */
static void write_functions(const ToolDecl *decls, size_t n, const ToolChoice *choice, Plan *p, JWriter *w) {
        bool any = false;

        for (size_t i = 0; i < n; i++)
                if (is_function(&decls[i]))
                        decls[i].name->flags &= ~TOOL_NAME_DECLARED;
        for (size_t i = 0; i < n; i++) {
                if (!is_function(&decls[i]) || (p->only_chosen && !is_chosen(choice, decls[i].name)))
                        continue;
                if (decls[i].name->flags & TOOL_NAME_DECLARED) {
                        p->loss |= TOOL_LOST_DOUBLE;
                        continue;
                }
                decls[i].name->flags |= TOOL_NAME_DECLARED;
                if (!any) {
                        jwrite_object(w, NULL);
                        jwrite_array(w, "functionDeclarations");
                        any = true;
                }
                write_function(&decls[i], w);
        }
        if (any) {
                jwrite_end(w);
                jwrite_end(w);
        }
}

static void write_google(const ToolDecl *d, JWriter *w) {
        jwrite_object(w, NULL);
        if (json_view_is(d->config, '{'))
                jwrite_raw_n(w, d->google, d->config.p, (size_t) (d->config.end - d->config.p));
        else
                jwrite_raw(w, d->google, "{}");
        jwrite_end(w);
}

/* One of Google's tools that is in the list twice is sent once. */
static bool is_repeated(const ToolDecl *decls, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (!is_function(&decls[j]) && streq(decls[j].google, decls[i].google))
                        return true;
        return false;
}

/* --- the choice --- */

static void write_config(const ToolChoice *choice, const Plan *p, JWriter *w) {
        if (!p->mode && !json_view_is(choice->retrieval, '{'))
                return;
        jwrite_object(w, "toolConfig");
        if (p->mode) {
                jwrite_object(w, "functionCallingConfig");
                jwrite_string(w, "mode", p->mode);
                if (p->allowed) {
                        jwrite_array(w, "allowedFunctionNames");
                        for (size_t i = 0; i < choice->n_names; i++)
                                if (choice->names[i]->flags & TOOL_NAME_DECLARED)
                                        jwrite_string(w, NULL, choice->names[i]->mapped);
                        jwrite_end(w);
                }
                jwrite_end(w);
        }
        if (json_view_is(choice->retrieval, '{'))
                jwrite_raw_n(w, "retrievalConfig", choice->retrieval.p,
                             (size_t) (choice->retrieval.end - choice->retrieval.p));
        if (p->functions && p->google)
                jwrite_bool(w, "includeServerSideToolInvocations", true);
        jwrite_end(w);
}

ToolLoss tools_write(const ToolDecl *decls, size_t n, const ToolChoice *choice, const ModelRules *rules,
                     JWriter *w) {
        Plan p;

        assert(n <= TOOLS_MAX);
        p = make_plan(decls, n, choice, rules);
        if (p.functions || p.google) {
                jwrite_array(w, "tools");
                if (p.functions)
                        write_functions(decls, n, choice, &p, w);
                for (size_t i = 0; p.google && i < n; i++)
                        if (!is_function(&decls[i]) && !is_repeated(decls, i))
                                write_google(&decls[i], w);
                jwrite_end(w);
        }
        write_config(choice, &p, w);
        return p.loss;
}
