/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The members `tools` and `toolConfig` of Gemini's request, from declarations and a choice that all dialects
 * have in common. The declarations are in the client's order, at most TOOLS_MAX.
 *
 * - A custom tool (a text with a grammar) becomes a function with the one string `input`; the grammar goes
 *   into the description, since Gemini has none.
 * - Google's own tools beside functions: a model that can do both gets mode VALIDATED and
 *   includeServerSideToolInvocations. With other models the functions win, and Google's tools are dropped.
 * - The choice `none`: mode NONE, and no tools of Google's, which NONE does not switch off. The functions
 *   stay declared, because the history calls them.
 * - A choice of a few functions is allowedFunctionNames, with ANY or VALIDATED. A model without VALIDATED
 *   gets only these functions' declarations, and mode AUTO.
 */

#include "base/json/write.h"
#include "core/rules.h"
#include "dialect/tool-names.h"

typedef enum ToolKind {
        TOOL_FUNCTION,
        TOOL_CUSTOM,
        TOOL_GOOGLE,
} ToolKind;

typedef struct ToolDecl {
        ToolKind kind;
        ToolName *name;       /* of function and custom */
        JsonView description; /* a string, or none */
        JsonView schema;      /* of function: JSON Schema of its parameters; none: it has none */
        JsonView grammar;     /* of custom: a string, or none */
        const char *syntax;   /* of the grammar: "lark", "regex"; or NULL */
        bool strict;          /* arguments must follow the schema */
        const char *google;   /* of Google's: tools_google_name() */
        JsonView config;      /* of Google's: its object, or none */
} ToolDecl;

typedef enum ToolMode {
        TOOL_AUTO,     /* also if the client has no choice */
        TOOL_NONE,
        TOOL_REQUIRED, /* with one name: this function */
} ToolMode;

typedef struct ToolChoice {
        ToolMode mode;
        ToolName **names; /* the only ones that may be called */
        size_t n_names;   /* 0: all */
        bool beside_json; /* the answer is JSON: beside functions, Gemini takes that with mode AUTO alone */
        JsonView retrieval; /* toolConfig.retrievalConfig, or none */
} ToolChoice;

typedef enum ToolLoss {
        TOOL_LOST_FUNCTIONS = 1 << 0, /* the model takes no functions */
        TOOL_LOST_GOOGLE = 1 << 1,    /* the model takes no tools of Google's, or none beside functions */
        TOOL_LOST_REQUIRED = 1 << 2,  /* a call was required, but there are no functions */
        TOOL_LOST_DOUBLE = 1 << 3,    /* functions of the same name: the first one counts */
} ToolLoss;

/* The name of Gemini's member for a tool of Google's (googleSearch, google_search, …), or NULL. */
const char *tools_google_name(JsonView name);

/* The first name of the choice that is no declared function, or NULL. */
const ToolName *tools_find_undeclared(const ToolDecl *decls, size_t n, const ToolChoice *choice);

/* Writes what there is to write; nothing if there are no tools. Sets and clears TOOL_NAME_DECLARED. Returns
 * what was left out, for the log. */
ToolLoss tools_write(const ToolDecl *decls, size_t n, const ToolChoice *choice, const ModelRules *rules,
                     JWriter *w);
