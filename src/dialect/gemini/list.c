/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "core/model.h"
#include "dialect/dialect.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/list.h"
#include "dialect/json.h"

static int add_name(GeminiList *l, JsonView name) {
        char s[sizeof("models/") + MODEL_NAME_MAX];
        ModelName parsed;

        json_view_copy(name, s, sizeof(s));
        if (!json_view_equals(name, s) || !startswith(s, "models/") ||
            model_name_parse(s, strlen(s), &parsed) < 0)
                return 0;
        l->names[l->n] = strdup(parsed.name);
        if (!l->names[l->n])
                return -ENOMEM;
        l->n++;
        return 0;
}

static int add_names(GeminiList *l, JsonView models) {
        JsonCursor c = json_enter_array(models);
        JsonView model, name;
        int r;

        while (l->n < MODEL_LIST_MAX && json_next(&c, &name, &model)) {
                if (l->n == l->n_allocated) {
                        size_t n = MAX(2 * l->n_allocated, (size_t) 64);
                        char **names = reallocarray(l->names, n, sizeof(char *));

                        if (!names)
                                return -ENOMEM;
                        l->names = names;
                        l->n_allocated = n;
                }
                r = add_name(l, json_view_get(model, "name"));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Members, but none of a list. */
static bool is_foreign(JsonView root, JsonView models) {
        JsonCursor c = json_enter(root);
        JsonView any;

        return !models.p && !json_view_get(root, "nextPageToken").p && json_next(&c, NULL, &any);
}

static int add_page(GeminiList *l, JsonIndex *index, const char *json, size_t n, Verdict *ret_verdict) {
        _cleanup_buf_ Buf token = BUF_INIT(MODEL_LIST_TOKEN_MAX);
        JsonView root = {}, models, next;
        int r;

        r = json_index(json, n, index, &root);
        if (r < 0 && r != -EBADMSG)
                return r;
        models = json_view_get(root, "models"); /* proto3 JSON leaves an empty list out, of a last page */
        if (r < 0 || !json_view_is(root, '{') || !json_view_is_null(json_view_get(root, "error")) ||
            (!json_view_is_null(models) && !json_view_is(models, '[')) || is_foreign(root, models)) {
                gemini_error_classify(200, json, n, NULL, ret_verdict);
                return DIALECT_E_VERDICT;
        }
        next = json_view_get(root, "nextPageToken");
        if (json_view_is(next, '"')) {
                r = json_view_append(next, &token);
                if (r == -E2BIG) /* no token of Google's: the list ends here */
                        buf_clear(&token);
                else if (r < 0)
                        return r;
        }
        r = add_names(l, models);
        if (r < 0)
                return r;
        free(l->next_page);
        l->next_page = NULL;
        return token.n > 0 && l->n < MODEL_LIST_MAX ? buf_steal(&token, &l->next_page, NULL) : 0;
}

int gemini_list_add(GeminiList *l, const char *json, size_t n, Verdict *ret_verdict) {
        JsonIndex index = {};
        int r;

        r = add_page(l, &index, json, n, ret_verdict);
        json_index_done(&index);
        return r;
}

bool gemini_list_has(const GeminiList *l, const char *name) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->names[i], name))
                        return true;
        return false;
}

void gemini_list_done(GeminiList *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->names[i]);
        free(l->names);
        free(l->next_page);
        *l = (GeminiList){};
}
