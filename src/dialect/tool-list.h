/* SPDX-License-Identifier: MIT */
#pragma once

/* The tools of a request while it is read: the declarations in the client's order, and the choice. */

#include "dialect/api-error.h"
#include "dialect/tools.h"

/* Zeroed: empty. */
typedef struct ToolList {
        ToolDecl *decls;
        size_t n, n_allocated;
        ToolChoice choice;
} ToolList;

void tool_list_done(ToolList *l);

/* The client's 400 for too many tools. */
int tool_list_refuse_number(ApiError *e);

/* One more declaration, zeroed, valid until the next. -E2BIG: there are TOOLS_MAX; -ENOMEM. */
int tool_list_add(ToolList *l, ToolDecl **ret);

/* The JSON Schema of a function's parameters; none stays none. -EINVAL: it is not that of an object. */
int tool_read_schema(JsonView v, JsonView *ret);

/* A tool of Google's, once: tools_google_name(). `config`: an object, or anything else for none. */
int tool_list_add_google(ToolList *l, const char *name, JsonView config);

/* One more name of the choice. -E2BIG: there are too many, or it is too long; -ENOMEM. */
int tool_list_choose(ToolList *l, ToolNames *names, JsonView name);
int tool_list_choose_name(ToolList *l, ToolName *name);

/* Functions or custom tools, not only Google's. */
bool tool_list_has_functions(const ToolList *l);

/* For Translation.loss; NULL: nothing was left out. */
const char *tool_loss_to_string(ToolLoss lost);
