/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "core/model.h"
#include "dialect/dialect.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/list.h"
#include "dialect/json.h"

static int add_name(GeminiList *l, struct json_object *name) {
        ModelName parsed;
        const char *s;
        size_t n;

        s = json_string(name, &n);
        if (!s || !startswith(s, "models/") || model_name_parse(s, n, &parsed) < 0)
                return 0;
        l->names[l->n] = strdup(parsed.name);
        if (!l->names[l->n])
                return -ENOMEM;
        l->n++;
        return 0;
}

/* Allocates for a whole page at once: pages are few and large. */
static int add_names(GeminiList *l, struct json_object *models) {
        size_t n = MIN(json_array_length(models), MODEL_LIST_MAX - l->n);
        char **names;
        int r;

        if (n == 0)
                return 0;
        names = reallocarray(l->names, l->n + n, sizeof(char *));
        if (!names)
                return -ENOMEM;
        l->names = names;
        for (size_t i = 0; i < n; i++) {
                r = add_name(l, json_get(json_object_array_get_idx(models, i), "name"));
                if (r < 0)
                        return r;
        }
        return 0;
}

int gemini_list_add(GeminiList *l, const char *json, size_t n, Verdict *ret_verdict) {
        _cleanup_json_ struct json_object *root = NULL;
        _cleanup_free_ char *next = NULL;
        struct json_object *models;
        const char *token;
        int r;

        r = json_parse(json, n, &root, NULL);
        if (r < 0 && r != -EBADMSG)
                return r;
        models = json_get(root, "models"); /* proto3 JSON leaves an empty list out */
        if (r < 0 || !json_object_is_type(root, json_type_object) || json_get(root, "error") ||
            (models && !json_object_is_type(models, json_type_array))) {
                gemini_error_classify(200, json, n, NULL, ret_verdict);
                return DIALECT_E_VERDICT;
        }

        token = json_get_string(root, "nextPageToken");
        if (!strnull(token)) {
                next = strdup(token);
                if (!next)
                        return -ENOMEM;
        }
        r = add_names(l, models);
        if (r < 0)
                return r;
        free(l->next_page);
        l->next_page = l->n < MODEL_LIST_MAX ? TAKE_PTR(next) : NULL;
        return 0;
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
