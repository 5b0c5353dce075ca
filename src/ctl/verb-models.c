/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "ctl/bus-json.h"
#include "ctl/explain-rules.h"
#include "ctl/facts.h"
#include "ctl/link.h"
#include "ctl/models.h"
#include "ctl/show.h"
#include "ctl/words.h"

/* models: how many keys can serve each model. explain: which key would serve, why the others would not, and
 * what the model takes. */

static int models_json(Ctl *c, const Models *l) {
        JWriter w = JWRITER_INIT(&c->out);

        jwrite_object(&w, NULL);
        jwrite_array(&w, "models");
        for (size_t i = 0; i < l->n; i++) {
                const Model *m = l->models + i;

                jwrite_object(&w, NULL);
                jwrite_string(&w, "model", m->name);
                jwrite_string(&w, "state", m->state);
                jwrite_uint(&w, "usable_keys", m->n_usable);
                jwrite_uint(&w, "keys", m->n_keys);
                words_json_time(&w, "available_at", m->available_at);
                jwrite_end(&w);
        }
        jwrite_end(&w);
        jwrite_end(&w);
        return CTL_OK;
}

int verb_models(Ctl *c, unsigned n, char *args[]) {
        static const Column columns[] = {
                { "MODEL", .cut = true },
                { "STATE" },
                { "USABLE KEYS", .right = true },
                { "FREES" },
        };
        _cleanup_table_ Table t = TABLE_INIT(columns);
        _cleanup_rows_ KeyRows rows = {};
        _cleanup_models_ Models l = {};
        usec_t now = clock_realtime();
        char time[WORDS_TIME_MAX];
        int r;

        r = rows_get(c, &rows);
        if (r != 0)
                return r;
        r = models_of(&rows, &l);
        if (r < 0)
                return ctl_oom(c);
        if (c->json)
                return models_json(c, &l);
        if (l.n == 0)
                return ctl_say(c, CTL_NOTHING, "no model was used yet");
        for (size_t i = 0; i < l.n; i++) {
                const Model *m = l.models + i;

                table_add(&t, STYLE_STRONG, m->name);
                table_add(&t, words_style(m->state), m->state);
                table_addf(&t, m->n_usable < m->n_keys ? STYLE_WARN : STYLE_PLAIN, "%zu/%zu", m->n_usable,
                           m->n_keys);
                table_add(&t, STYLE_PLAIN,
                          m->n_usable > 0 ? NULL : words_frees(m->state, m->available_at, now, time));
        }
        return show_table(c, &t);
}

/* --- explain --- */

typedef struct Listed {
        const char *model;
        uint64_t listed;
} Listed;

typedef struct Reason {
        const char *path, *name, *sentence;
        int usable;
        usec_t available_at;
} Reason;

static void explain_json(JWriter *w, const Reason *e, const char *id) {
        jwrite_object(w, NULL);
        jwrite_string(w, "key", id);
        jwrite_string(w, "name", show_null(e->name));
        jwrite_bool(w, "usable", e->usable);
        jwrite_string(w, "reason", e->sentence);
        words_json_time(w, "available_at", e->available_at);
        jwrite_end(w);
}

/* A name that Google does not list is most often a mistake; a daemon that does not know has no `listed`. */
static int show_unlisted(Ctl *c, sd_bus_message *rules) {
        static const Fact facts[] = {
                { "listed", offsetof(Listed, listed) },
                { "model", offsetof(Listed, model), .string = true },
                {},
        };
        Listed l = { .listed = true };
        int r;

        r = facts_read(rules, facts, &l);
        if (r >= 0)
                r = sd_bus_message_rewind(rules, true);
        if (r < 0)
                return link_garbled(c, r);
        if (!l.listed)
                show_sentence(c, STYLE_BAD,
                              "Google does not list %s: a request for it will probably get a 404. A name in "
                              "MODEL_ALIASES can lead to a model that exists.", strempty(l.model));
        if (!l.listed)
                (void) buf_putc(&c->out, '\n');
        return CTL_OK;
}

int verb_explain(Ctl *c, unsigned n, char *args[]) {
        static const Column columns[] = {
                { "", .right = true }, { "KEY" }, { "FREES" }, { "WHY", .wrap = true }
        };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *rules = NULL;
        _cleanup_table_ Table t = TABLE_INIT(columns);
        JWriter w = JWRITER_INIT(&c->out);
        usec_t now = clock_realtime();
        char time[WORDS_TIME_MAX];
        const char *model = n > 0 ? args[0] : "";
        unsigned order = 0;
        Reason e;
        int r;

        r = link_call(c, &(LinkCall){ .member = "ExplainPick" }, &m, "s", model);
        if (r == 0)
                r = link_call(c, &(LinkCall){ .member = "ExplainModel", .optional = true }, &rules, "s",
                              model);
        if (r != 0)
                return r;
        if (c->json) {
                jwrite_object(&w, NULL);
                jwrite_string(&w, "model", show_null(model));
                r = rules ? bus_json(rules, &w, "rules") : 0;
                if (r < 0)
                        return link_garbled(c, r);
                jwrite_array(&w, "keys");
        }
        r = sd_bus_message_enter_container(m, 'a', "(osbst)");
        if (r < 0)
                return link_garbled(c, r);
        while ((r = sd_bus_message_read(m, "(osbst)", &e.path, &e.name, &e.usable, &e.sentence,
                                        &e.available_at)) > 0) {
                _cleanup_free_ char *id = link_key_id(e.path);

                if (c->json) {
                        explain_json(&w, &e, id);
                        continue;
                }
                if (e.usable)
                        table_addf(&t, STYLE_GOOD, "%u.", ++order);
                else
                        table_add(&t, STYLE_FAINT, NULL);
                table_add(&t, STYLE_STRONG, show_null(e.name) ?: id);
                table_add(&t, STYLE_PLAIN, e.usable ? NULL : words_free(e.available_at, now, time));
                table_add(&t, e.usable ? STYLE_PLAIN : STYLE_WARN, e.sentence);
        }
        if (r < 0)
                return link_garbled(c, r);
        if (c->json) {
                jwrite_end(&w);
                jwrite_end(&w);
                return CTL_OK;
        }
        if (t.n == 0)
                return ctl_say(c, CTL_NOTHING, "there are no keys; see gemgatectl keys");
        r = rules ? show_unlisted(c, rules) : CTL_OK;
        if (r == CTL_OK)
                r = show_table(c, &t);
        if (r != CTL_OK || !rules)
                return r;
        (void) buf_putc(&c->out, '\n');
        return explain_rules_show(c, rules);
}
