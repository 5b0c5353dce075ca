/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "core/model.h"
#include "dialect/dialect.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/list.h"
#include "dialect/json.h"

static int add_model(GeminiList *l, JsonView model) {
        JsonView name = json_view_get(model, "name");
        char s[sizeof("models/") + MODEL_NAME_MAX];
        GeminiModel m = { .n_json = (size_t) (model.end - model.p) };
        ModelName parsed;

        json_view_copy(name, s, sizeof(s));
        if (!json_view_equals(name, s) || !startswith(s, "models/") ||
            model_name_parse(s, strlen(s), &parsed) < 0)
                return 0;
        m.name = strdup(parsed.name);
        if (m.name && m.n_json <= MODEL_TEXT_MAX)
                m.json = strndup(model.p, m.n_json); /* checked JSON has no NUL */
        if (!m.name || (m.n_json <= MODEL_TEXT_MAX && !m.json)) {
                free(m.name);
                return -ENOMEM;
        }
        l->by_name[l->n] = (uint16_t) l->n;
        l->all[l->n++] = m;
        return 0;
}

static int grow(GeminiList *l) {
        size_t n = MAX(2 * l->n_allocated, (size_t) 64);
        GeminiModel *all = reallocarray(l->all, n, sizeof(GeminiModel));
        uint16_t *by_name;

        if (!all)
                return -ENOMEM;
        l->all = all;
        by_name = reallocarray(l->by_name, n, sizeof(uint16_t));
        if (!by_name)
                return -ENOMEM;
        l->by_name = by_name;
        l->n_allocated = n;
        return 0;
}

static int add_models(GeminiList *l, JsonView models) {
        JsonCursor c = json_enter_array(models);
        JsonView model, name;
        int r;

        while (l->n < MODEL_LIST_MAX && json_next(&c, &name, &model)) {
                r = l->n == l->n_allocated ? grow(l) : 0;
                if (r >= 0)
                        r = add_model(l, model);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of two with one name the first counts. */
static int compare(const void *a, const void *b, void *list) {
        const uint16_t *x = a, *y = b;
        const GeminiList *l = list;
        int r = strcmp(l->all[*x].name, l->all[*y].name);

        return r != 0 ? r : (*x > *y) - (*x < *y);
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
        r = add_models(l, models);
        if (l->n > 0)
                qsort_r(l->by_name, l->n, sizeof(uint16_t), compare, l);
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

const GeminiModel *gemini_list_find(const GeminiList *l, const char *name) {
        size_t from = 0, to = l->n;

        while (from < to) {
                size_t mid = (from + to) / 2;

                if (strcmp(l->all[l->by_name[mid]].name, name) < 0)
                        from = mid + 1;
                else
                        to = mid;
        }
        return from < l->n && streq(l->all[l->by_name[from]].name, name) ? &l->all[l->by_name[from]] : NULL;
}

void gemini_list_done(GeminiList *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->all[i].name);
                free(l->all[i].json);
        }
        free(l->all);
        free(l->by_name);
        free(l->next_page);
        *l = (GeminiList){};
}
