/* SPDX-License-Identifier: MIT */

/* keys, show, models: three views of the rows of ListKeyHealth. */

#include "base/text.h"
#include "ctl/facts.h"
#include "ctl/link.h"
#include "ctl/rows.h"
#include "ctl/show.h"
#include "ctl/words.h"

/* --- keys --- */

static void json_models(JWriter *w, const RowsOfKey *k) {
        jwrite_array(w, "models");
        for (size_t i = 0; i < k->n; i++) {
                const KeyRow *row = k->rows + i;

                if (strnull(row->model))
                        continue;
                jwrite_object(w, NULL);
                jwrite_string(w, "model", row->model);
                jwrite_string(w, "state", row->state);
                jwrite_uint(w, "consecutive_errors", row->errors);
                words_json_time(w, "available_at", row->available_at);
                jwrite_string(w, "last_error", show_null(row->last_error));
                jwrite_end(w);
        }
        jwrite_end(w);
}

static void json_key(JWriter *w, const RowsOfKey *k) {
        _cleanup_free_ char *id = link_key_id(k->rows->path);

        jwrite_string(w, "key", id);
        jwrite_string(w, "name", show_null(k->rows->name));
        jwrite_string(w, "mask", k->rows->mask);
        jwrite_string(w, "project", show_null(k->rows->project));
        jwrite_string(w, "state", k->state);
        words_json_time(w, "available_at", k->available_at);
}

static int json_keys(Ctl *c, const KeyRows *rows) {
        JWriter w = JWRITER_INIT(&c->out);
        RowsOfKey k;

        jwrite_object(&w, NULL);
        jwrite_array(&w, "keys");
        for (size_t at = 0; rows_next_key(rows, &at, &k);) {
                jwrite_object(&w, NULL);
                json_key(&w, &k);
                json_models(&w, &k);
                jwrite_end(&w);
        }
        jwrite_end(&w);
        jwrite_end(&w);
        return CTL_OK;
}

int verb_keys(Ctl *c, unsigned n, char *args[]) {
        static const Column columns[] = {
                { "KEY" },
                { "MASK" },
                { "PROJECT" },
                { "STATE" },
                { "MODELS", .right = true },
                { "FREES" },
                { "LAST ERROR", .wrap = true },
        };
        _cleanup_table_ Table t = TABLE_INIT(columns);
        _cleanup_rows_ KeyRows rows = {};
        usec_t now = clock_realtime();
        char time[WORDS_TIME_MAX];
        RowsOfKey k;
        int r;

        r = rows_get(c, &rows);
        if (r != 0)
                return r;
        if (c->json)
                return json_keys(c, &rows);
        if (rows.n == 0)
                return ctl_say(c, CTL_NOTHING,
                               "there are no keys: put them into /etc/gemgate/api-keys, one a line, "
                               "and run gemgatectl reload");
        for (size_t at = 0; rows_next_key(&rows, &at, &k);) {
                _cleanup_free_ char *label = rows_label(k.rows);

                table_add(&t, STYLE_STRONG, label);
                table_add(&t, STYLE_PLAIN, k.rows->mask);
                table_add(&t, STYLE_PLAIN, k.rows->project);
                table_add(&t, words_style(k.state), k.state);
                if (k.n_models > 0)
                        table_addf(&t, k.n_usable + k.n_missing < k.n_models ? STYLE_WARN : STYLE_PLAIN,
                                   "%zu/%zu", k.n_usable, k.n_models);
                else
                        table_add(&t, STYLE_PLAIN, NULL);
                table_add(&t, STYLE_PLAIN, words_frees(k.state, k.available_at, now, time));
                table_add(&t, STYLE_PLAIN, k.last_error);
        }
        return show_table(c, &t);
}

/* --- show --- */

/* Key.Models, a(ssuttttts). */
typedef struct KeyModel {
        const char *model, *state, *last_error;
        uint32_t consecutive;
        usec_t available_at, last_used;
        uint64_t today, total, errors;
} KeyModel;

static int read_model(sd_bus_message *m, KeyModel *ret) {
        return sd_bus_message_read(m, "(ssuttttts)", &ret->model, &ret->state, &ret->consecutive,
                                   &ret->available_at, &ret->total, &ret->today, &ret->errors,
                                   &ret->last_used, &ret->last_error);
}

static void show_model_json(JWriter *w, const KeyModel *v) {
        jwrite_object(w, NULL);
        jwrite_string(w, "model", v->model);
        jwrite_string(w, "state", v->state);
        jwrite_uint(w, "consecutive_errors", v->consecutive);
        words_json_time(w, "available_at", v->available_at);
        jwrite_uint(w, "requests", v->total);
        jwrite_uint(w, "requests_today", v->today);
        jwrite_uint(w, "errors", v->errors);
        words_json_time(w, "last_used", v->last_used);
        jwrite_string(w, "last_error", show_null(v->last_error));
        jwrite_end(w);
}

static void show_model(Table *t, const KeyModel *v, usec_t now) {
        char time[WORDS_TIME_MAX];

        table_add(t, STYLE_STRONG, v->model);
        table_add(t, words_style(v->state), v->state);
        table_add(t, STYLE_PLAIN, words_frees(v->state, v->available_at, now, time));
        table_addf(t, STYLE_PLAIN, "%llu", (unsigned long long) v->today);
        table_addf(t, STYLE_PLAIN, "%llu", (unsigned long long) v->total);
        table_addf(t, v->errors > 0 ? STYLE_WARN : STYLE_PLAIN, "%llu", (unsigned long long) v->errors);
        table_add(t, STYLE_PLAIN, words_time(v->last_used, now, time));
        table_add(t, STYLE_PLAIN, v->last_error);
}

/* One of `w` (for programs) and `t` (for people) is set. 0 or -errno. */
static int show_models(sd_bus_message *m, JWriter *w, Table *t, usec_t now) {
        KeyModel v;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(ssuttttts)");
        if (r < 0)
                return r;
        while ((r = read_model(m, &v)) > 0)
                if (w)
                        show_model_json(w, &v);
                else
                        show_model(t, &v, now);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

typedef struct KeyFacts {
        const char *state, *last_error;
        uint64_t last_error_at, enabled, total, today, last_used;
} KeyFacts;

static const Fact key_facts[] = {
        { "State", offsetof(KeyFacts, state), .string = true },
        { "Enabled", offsetof(KeyFacts, enabled) },
        { "RequestsTotal", offsetof(KeyFacts, total) },
        { "RequestsToday", offsetof(KeyFacts, today) },
        { "LastUsed", offsetof(KeyFacts, last_used) },
        { "LastError", offsetof(KeyFacts, last_error), .string = true },
        { "LastErrorAt", offsetof(KeyFacts, last_error_at) },
        {},
};

static int show_json(Ctl *c, const RowsOfKey *k, const KeyFacts *f, sd_bus_message *models) {
        JWriter w = JWRITER_INIT(&c->out);
        int r;

        jwrite_object(&w, NULL);
        json_key(&w, k);
        jwrite_bool(&w, "enabled", f->enabled);
        jwrite_uint(&w, "requests", f->total);
        jwrite_uint(&w, "requests_today", f->today);
        words_json_time(&w, "last_used", f->last_used);
        jwrite_string(&w, "last_error", show_null(f->last_error));
        words_json_time(&w, "last_error_at", f->last_error_at);
        jwrite_array(&w, "models");
        r = show_models(models, &w, NULL, 0);
        jwrite_end(&w);
        jwrite_end(&w);
        return r < 0 ? link_garbled(c, r) : CTL_OK;
}

static int show_text(Ctl *c, const RowsOfKey *k, const KeyFacts *f, sd_bus_message *models) {
        static const Column columns[] = {
                { "MODEL" },
                { "STATE" },
                { "FREES" },
                { "TODAY", .right = true },
                { "TOTAL", .right = true },
                { "ERRORS", .right = true },
                { "LAST USED" },
                { "LAST ERROR", .wrap = true },
        };
        _cleanup_table_ Table t = TABLE_INIT(columns);
        _cleanup_free_ char *label = rows_label(k->rows);
        usec_t now = clock_realtime();
        char time[WORDS_TIME_MAX];
        int r;

        show_head(c, words_style(k->state), "%s", strempty(label));
        show_fact(c, "Mask", STYLE_PLAIN, "%s", k->rows->mask);
        show_fact(c, "Project", STYLE_PLAIN, "%s", strnull(k->rows->project) ? "its own" : k->rows->project);
        show_fact(c, "State", words_style(k->state), "%s", k->state);
        show_fact(c, "Attempts", STYLE_PLAIN, "%llu today, %llu in all",
                  (unsigned long long) f->today, (unsigned long long) f->total);
        show_fact(c, "Last used", STYLE_PLAIN, "%s", words_time(f->last_used, now, time));
        if (!strnull(f->last_error))
                show_fact(c, "Last error", STYLE_WARN, "%s (%s)", f->last_error,
                          words_time(f->last_error_at, now, time));
        r = show_models(models, NULL, &t, now);
        if (r < 0)
                return link_garbled(c, r);
        if (t.n == 0)
                return CTL_OK;
        (void) buf_putc(&c->out, '\n');
        return show_table(c, &t);
}

int verb_show(Ctl *c, unsigned n, char *args[]) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *facts = NULL, *models = NULL;
        _cleanup_rows_ KeyRows rows = {};
        KeyFacts f = {};
        RowsOfKey k;
        int r;

        r = rows_get(c, &rows);
        if (r == 0)
                r = rows_find(c, &rows, args[0], &k);
        if (r == 0)
                r = link_properties(c, k.rows->path, BUS_KEY, &facts);
        if (r == 0)
                r = link_call(c,
                              &(LinkCall){ .path = k.rows->path,
                                           .interface = "org.freedesktop.DBus.Properties",
                                           .member = "Get" },
                              &models, "ss", BUS_KEY, "Models");
        if (r != 0)
                return r;
        r = facts_read(facts, key_facts, &f);
        if (r >= 0)
                r = sd_bus_message_enter_container(models, 'v', "a(ssuttttts)");
        if (r < 0)
                return link_garbled(c, r);
        return c->json ? show_json(c, &k, &f, models) : show_text(c, &k, &f, models);
}
