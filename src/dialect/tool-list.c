/* SPDX-License-Identifier: MIT */
#include "dialect/tool-list.h"

#include <errno.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/schema.h"

void tool_list_done(ToolList *l) {
        free(l->decls);
        free(l->choice.names);
        *l = (ToolList){};
}

int tool_list_refuse_number(ApiError *e) {
        return dialect_refuse(e, "tools", "tools must not have more than %u entries", TOOLS_MAX);
}

int tool_list_add(ToolList *l, ToolDecl **ret) {
        if (l->n == TOOLS_MAX)
                return -E2BIG;
        if (l->n == l->n_allocated) {
                size_t n = l->n_allocated > 0 ? 2 * l->n_allocated : 8;
                ToolDecl *decls = reallocarray(l->decls, n, sizeof(ToolDecl));

                if (!decls)
                        return -ENOMEM;
                l->decls = decls;
                l->n_allocated = n;
        }
        *ret = &l->decls[l->n++];
        **ret = (ToolDecl){};
        return 0;
}

int tool_read_schema(JsonView v, JsonView *ret) {
        if (json_view_is_null(v))
                return 0;
        switch (schema_root(v)) {
        case SCHEMA_ABSENT:
                return 0;
        case SCHEMA_OBJECT:
                *ret = v;
                return 0;
        case SCHEMA_OTHER:
        case SCHEMA_BROKEN:
                break;
        }
        return -EINVAL;
}

int tool_list_add_google(ToolList *l, const char *name, JsonView config) {
        ToolDecl *d;
        int r;

        for (size_t i = 0; i < l->n; i++)
                if (l->decls[i].kind == TOOL_GOOGLE && streq(l->decls[i].google, name))
                        return 0;
        r = tool_list_add(l, &d);
        if (r < 0)
                return r;
        d->kind = TOOL_GOOGLE;
        d->google = name;
        d->config = json_view_is(config, '{') ? config : (JsonView){};
        return 0;
}

int tool_list_choose(ToolList *l, ToolNames *names, JsonView name) {
        ToolName *chosen;
        int r;

        r = tool_names_map_view(names, name, &chosen);
        return r == 0 ? tool_list_choose_name(l, chosen) : r;
}

int tool_list_choose_name(ToolList *l, ToolName *name) {
        ToolChoice *c = &l->choice;
        ToolName **chosen;

        if (c->n_names == TOOLS_MAX)
                return -E2BIG;
        chosen = reallocarray(c->names, c->n_names + 1, sizeof(ToolName *));
        if (!chosen)
                return -ENOMEM;
        c->names = chosen;
        chosen[c->n_names++] = name;
        return 0;
}

bool tool_list_has_functions(const ToolList *l) {
        for (size_t i = 0; i < l->n; i++)
                if (l->decls[i].kind != TOOL_GOOGLE)
                        return true;
        return false;
}

const char *tool_loss_to_string(ToolLoss lost) {
        static const struct {
                ToolLoss loss;
                const char *text;
        } losses[] = {
                { TOOL_LOST_FUNCTIONS, "functions: the model takes none" },
                { TOOL_LOST_GOOGLE, "Google's tools: the model takes none, or none beside functions" },
                { TOOL_LOST_REQUIRED, "tool_choice: there are no functions" },
                { TOOL_LOST_DOUBLE, "functions whose name another one has" },
        };

        for (size_t i = 0; i < ELEMENTSOF(losses); i++)
                if (lost & losses[i].loss)
                        return losses[i].text;
        return NULL;
}
