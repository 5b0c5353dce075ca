/* SPDX-License-Identifier: MIT */

/* stats: GetStatistics; for people as two tables, for programs as a whole, like GET /stats. */

#include "base/text.h"
#include "ctl/bus-json.h"
#include "ctl/facts.h"
#include "ctl/link.h"
#include "ctl/show.h"
#include "ctl/words.h"

/* An entry of api_key_stats or model_summary, whose members have different names. */
typedef struct Counts {
        const char *id, *name, *project;
        uint64_t total, today, errors, last_used, usable, keys;
} Counts;

static const Fact counts_facts[] = {
        { "id", offsetof(Counts, id), .string = true },
        { "name", offsetof(Counts, name), .string = true },
        { "project", offsetof(Counts, project), .string = true },
        { "total_requests", offsetof(Counts, total) },
        { "daily_requests", offsetof(Counts, today) },
        { "total_daily_requests", offsetof(Counts, today) },
        { "total_errors", offsetof(Counts, errors) },
        { "last_used", offsetof(Counts, last_used) },
        { "usable_keys", offsetof(Counts, usable) },
        { "total_keys", offsetof(Counts, keys) },
        {},
};

/* Of Google's attempts, and of clients' requests. */
typedef struct Sums {
        uint64_t total, today, clients_total, clients_today;
} Sums;

static const Fact sums_facts[] = {
        { "total_requests_all_time", offsetof(Sums, total) },
        { "total_requests_today", offsetof(Sums, today) },
        { "client_requests_all_time", offsetof(Sums, clients_total) },
        { "client_requests_today", offsetof(Sums, clients_today) },
        {},
};

typedef struct Stats {
        Table keys, models;
        Sums sums;
        usec_t now;
} Stats;

static void add_number(Table *t, uint64_t n) {
        table_addf(t, STYLE_PLAIN, "%llu", (unsigned long long) n);
}

static void add_key(Stats *s, const char *mask, const Counts *v) {
        char time[WORDS_TIME_MAX];

        table_add(&s->keys, STYLE_STRONG, show_null(v->name) ?: show_null(v->id) ?: mask);
        table_add(&s->keys, STYLE_PLAIN, mask);
        table_add(&s->keys, STYLE_PLAIN, v->project);
        add_number(&s->keys, v->today);
        add_number(&s->keys, v->total);
        table_add(&s->keys, STYLE_PLAIN, words_time(v->last_used, s->now, time));
}

static void add_model(Stats *s, const char *model, const Counts *v) {
        Table *t = &s->models;

        table_add(t, STYLE_STRONG, model);
        add_number(t, v->today);
        add_number(t, v->total);
        add_number(t, v->errors);
        table_addf(t, STYLE_PLAIN, "%.2f %%",
                   v->total > 0 ? 100.0 * (double) v->errors / (double) v->total : 0.0);
        table_addf(t, v->usable < v->keys ? STYLE_WARN : STYLE_PLAIN, "%llu/%llu",
                   (unsigned long long) v->usable, (unsigned long long) v->keys);
}

static int read_entries(Stats *s, sd_bus_message *m,
                        void (*add)(Stats *s, const char *name, const Counts *v)) {
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                Counts v = {};
                const char *name;

                r = sd_bus_message_read_basic(m, 's', &name);
                if (r >= 0)
                        r = facts_read(m, counts_facts, &v);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r >= 0)
                        add(s, name, &v);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_sums(Stats *s, sd_bus_message *m) {
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a{sv}");
        if (r >= 0)
                r = facts_read(m, sums_facts, &s->sums);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_statistics(Stats *s, sd_bus_message *m) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;

                r = sd_bus_message_read_basic(m, 's', &name);
                if (r < 0)
                        return r;
                if (streq(name, "api_key_stats"))
                        r = read_entries(s, m, add_key);
                else if (streq(name, "model_summary"))
                        r = read_entries(s, m, add_model);
                else if (streq(name, "global_summary"))
                        r = read_sums(s, m);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r;
}

static void show_counts(Ctl *c, const char *when, uint64_t requests, uint64_t attempts) {
        char text[WORDS_COUNTS_MAX];

        show_sentence(c, STYLE_PLAIN, "%s: %s.", when, words_counts(requests, attempts, text));
}

static int show_stats(Ctl *c, const Stats *s) {
        int r = CTL_OK;

        if (s->models.n > 0) {
                r = show_table(c, &s->models);
                (void) buf_putc(&c->out, '\n');
        }
        if (s->keys.n > 0 && r == CTL_OK) {
                r = show_table(c, &s->keys);
                (void) buf_putc(&c->out, '\n');
        }
        show_counts(c, "Today", s->sums.clients_today, s->sums.today);
        show_counts(c, "In all", s->sums.clients_total, s->sums.total);
        return r;
}

int verb_stats(Ctl *c, unsigned n, char *args[]) {
        static const Column of_keys[] = {
                { "KEY" },
                { "MASK" },
                { "PROJECT", .cut = true },
                { "ATTEMPTS TODAY", .right = true },
                { "IN ALL", .right = true },
                { "LAST USED" },
        };
        static const Column of_models[] = {
                { "MODEL", .cut = true },
                { "ATTEMPTS TODAY", .right = true },
                { "IN ALL", .right = true },
                { "ERRORS", .right = true },
                { "RATE", .right = true },
                { "USABLE KEYS", .right = true },
        };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        Stats s = {
                .keys = TABLE_INIT(of_keys),
                .models = TABLE_INIT(of_models),
                .sums = { .clients_total = WORDS_NO_COUNT, .clients_today = WORDS_NO_COUNT },
                .now = clock_realtime(),
        };
        JWriter w = JWRITER_INIT(&c->out);
        unsigned days;
        int r;

        if (c->days) {
                if (text_parse_uint(c->days, &days) < 0 || days == 0)
                        return ctl_say(c, CTL_USAGE, "--days=%s: must be a number from 1", c->days);
                return ctl_days(c, days);
        }
        r = link_call(c, &(LinkCall){ .member = "GetStatistics" }, &m, NULL);
        if (r != 0)
                return r;
        if (c->json) {
                r = bus_json(m, &w, NULL);
                return r < 0 ? link_garbled(c, r) : CTL_OK;
        }
        r = read_statistics(&s, m);
        r = r < 0 ? link_garbled(c, r) : show_stats(c, &s);
        table_done(&s.keys);
        table_done(&s.models);
        return r;
}
