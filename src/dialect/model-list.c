/* SPDX-License-Identifier: MIT */

/*
 * Sources: OpenAI's, Anthropic's and Google's references of their lists of models, and the official SDKs.
 * Google gives no date for a model. OpenAI's form and Anthropic's require one, and have the beginning
 * of 1970 instead, which Anthropic's reference allows: it is the same after each fetch and restart, and no
 * client can mistake it for news.
 */

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/model-list.h"

#define GENERATE "generateContent"
#define PAGE_MAX 1000U /* entries: Anthropic's and Google's own limit */

/* --- OpenAI --- */

static void openai_one(JWriter *w, const ListedModel *m) {
        jwrite_object(w, NULL);
        jwrite_string(w, "id", m->id);
        jwrite_string(w, "object", "model");
        jwrite_int(w, "created", 0);
        jwrite_string(w, "owned_by", m->is_alias ? "gemgate" : "google");
        jwrite_end(w);
}

static void openai_list(JWriter *w, const ListedModel *models, size_t n, bool more _unused_) {
        jwrite_object(w, NULL);
        jwrite_string(w, "object", "list");
        jwrite_array(w, "data");
        for (size_t i = 0; i < n; i++)
                openai_one(w, &models[i]);
        jwrite_end(w);
        jwrite_end(w);
}

/* --- Anthropic --- */

static void write_limit(JWriter *w, const char *key, JsonView limit) {
        uint64_t n = json_view_count(limit);

        if (n > 0)
                jwrite_uint(w, key, n);
        else
                jwrite_null(w, key);
}

static void anthropic_one(JWriter *w, const ListedModel *m) {
        JsonView name = m->is_alias ? (JsonView){} : gemini_model_get(m->model, "displayName");

        jwrite_object(w, NULL);
        jwrite_string(w, "type", "model");
        jwrite_string(w, "id", m->id);
        if (json_view_is(name, '"') && !json_view_is_empty(name))
                json_copy_string(w, "display_name", name);
        else
                jwrite_string(w, "display_name", m->id);
        jwrite_string(w, "created_at", "1970-01-01T00:00:00Z");
        jwrite_string(w, "lifecycle", "active");
        jwrite_null(w, "deprecated_at");
        jwrite_null(w, "retires_at");
        jwrite_null(w, "line");
        write_limit(w, "max_input_tokens", gemini_model_get(m->model, "inputTokenLimit"));
        write_limit(w, "max_tokens", gemini_model_get(m->model, "outputTokenLimit"));
        jwrite_null(w, "capabilities");
        jwrite_end(w);
}

static void anthropic_list(JWriter *w, const ListedModel *models, size_t n, bool more) {
        jwrite_object(w, NULL);
        jwrite_array(w, "data");
        for (size_t i = 0; i < n; i++)
                anthropic_one(w, &models[i]);
        jwrite_end(w);
        jwrite_bool(w, "has_more", more);
        jwrite_string(w, "first_id", n > 0 ? models[0].id : NULL);
        jwrite_string(w, "last_id", n > 0 ? models[n - 1].id : NULL);
        jwrite_end(w);
}

/* --- Google --- */

/* What would name the target instead of the alias. */
static bool is_of_target(JsonView member) {
        static const char *const names[] = { "name", "displayName", "baseModelId", "description" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (json_view_equals(member, names[i]))
                        return true;
        return false;
}

static void google_one(JWriter *w, const ListedModel *m) {
        JsonView about = gemini_model_view(m->model);
        char name[sizeof("models/") + MODEL_NAME_MAX] = "models/";
        JsonCursor c;
        JsonView member, value;

        if (!m->is_alias && about.p)
                return json_copy_value(w, NULL, about);
        (void) text_append(name, sizeof(name), strlen(name), m->id);
        jwrite_object(w, NULL);
        jwrite_string(w, "name", name);
        jwrite_string(w, "displayName", m->id);
        c = json_enter(about);
        while (json_next(&c, &member, &value))
                if (!is_of_target(member)) {
                        json_copy_name(w, member);
                        json_copy_value(w, NULL, value);
                }
        jwrite_end(w);
}

static void google_list(JWriter *w, const ListedModel *models, size_t n, bool more) {
        jwrite_object(w, NULL);
        jwrite_array(w, "models");
        for (size_t i = 0; i < n; i++)
                google_one(w, &models[i]);
        jwrite_end(w);
        if (more)
                jwrite_string(w, "nextPageToken", models[n - 1].id);
        jwrite_end(w);
}

const ModelListForm *model_list_form(const ErrorShape *errors) {
        static const ModelListForm forms[] = {
                { &error_shape_anthropic, { "limit", "after_id", "before_id" }, { GENERATE }, false,
                  anthropic_list, anthropic_one },
                { &error_shape_google, { "pageSize", "pageToken", NULL }, {}, true, google_list,
                  google_one },
                { &error_shape_openai, {}, { GENERATE, "embedContent" }, false, openai_list, openai_one },
        };
        size_t i = 0;

        while (forms[i].errors != errors && i < ELEMENTSOF(forms) - 1)
                i++;
        return &forms[i];
}

bool model_list_takes(const ModelListForm *f, const GeminiModel *m) {
        JsonView methods = gemini_model_get(m, "supportedGenerationMethods"), name, method;
        JsonCursor c = json_enter_array(methods);

        if (!f->methods[0] || !json_view_is(methods, '['))
                return true;
        while (json_next(&c, &name, &method))
                for (size_t i = 0; i < ELEMENTSOF(f->methods) && f->methods[i]; i++)
                        if (json_view_equals(method, f->methods[i]))
                                return true;
        return false;
}

/* --- pages --- */

static int find(const char *argument, const char *value, const ListedModel *models, size_t n, size_t *ret,
                ApiError *e) {
        char id[3 * MODEL_NAME_MAX + 1]; /* each byte may be escaped */

        text_copy(id, sizeof(id), value);
        if (text_percent_decode(id) >= 0)
                for (size_t i = 0; i < n; i++)
                        if (streq(models[i].id, id)) {
                                *ret = i;
                                return 0;
                        }
        return dialect_refuse(e, argument, "%s must be a model of this list.", argument);
}

int model_list_page(const ModelListForm *f, const ModelPageArguments *a, const ListedModel **models,
                    size_t *n, bool *ret_more, ApiError *ret_error) {
        unsigned limit = PAGE_MAX;
        size_t from = 0, to = *n;
        bool backwards = a->before;
        int r = 0;

        if (a->limit) {
                r = text_parse_uint(a->limit, &limit);
                if (f->lenient && r >= 0 && (limit == 0 || limit > PAGE_MAX))
                        limit = PAGE_MAX;
                if (r < 0 || limit == 0 || limit > PAGE_MAX)
                        return dialect_refuse(ret_error, f->arguments.limit,
                                              "%s must be a number from 1 to %u.", f->arguments.limit,
                                              PAGE_MAX);
        }
        if (a->after && a->before)
                return dialect_refuse(ret_error, f->arguments.before, "%s must not be sent with %s.",
                                      f->arguments.before, f->arguments.after);
        if (a->after) {
                r = find(f->arguments.after, a->after, *models, *n, &from, ret_error);
                from++;
        } else if (a->before)
                r = find(f->arguments.before, a->before, *models, *n, &to, ret_error);
        if (r != 0)
                return r;

        *ret_more = to - from > limit;
        if (*ret_more && backwards)
                from = to - limit;
        *n = MIN(to - from, (size_t) limit);
        *models += from;
        return 0;
}
