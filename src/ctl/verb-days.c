/* SPDX-License-Identifier: MIT */

/* stats --days=N: the totals of each day; for programs with the models, like GET /stats?days=N. */

#include "base/text.h"
#include "ctl/link.h"
#include "ctl/show.h"

typedef struct DayShown {
        const char *date, *model;
        uint64_t requests, errors, tokens_in, tokens_out;
} DayShown;

static int read_day(sd_bus_message *m, DayShown *d) {
        return sd_bus_message_read(m, "(sstttt)", &d->date, &d->model, &d->requests, &d->errors,
                                   &d->tokens_in, &d->tokens_out);
}

static void write_counters(JWriter *w, const DayShown *d) {
        jwrite_uint(w, "requests", d->requests);
        jwrite_uint(w, "errors", d->errors);
        jwrite_uint(w, "input_tokens", d->tokens_in);
        jwrite_uint(w, "output_tokens", d->tokens_out);
}

static int show_json(Ctl *c, sd_bus_message *m) {
        JWriter w = JWRITER_INIT(&c->out);
        bool in_day = false;
        DayShown d;
        int r;

        jwrite_object(&w, NULL);
        jwrite_array(&w, "days");
        while ((r = read_day(m, &d)) > 0) {
                if (!strnull(d.model) && in_day) {
                        jwrite_object(&w, d.model);
                        write_counters(&w, &d);
                        jwrite_end(&w);
                        continue;
                }
                if (in_day) {
                        jwrite_end(&w);
                        jwrite_end(&w);
                }
                jwrite_object(&w, NULL);
                jwrite_string(&w, "date", d.date);
                write_counters(&w, &d);
                jwrite_object(&w, "models");
                in_day = true;
        }
        for (unsigned i = 0; i < (in_day ? 4U : 2U); i++)
                jwrite_end(&w);
        return r;
}

static void add_number(Table *t, uint64_t n) {
        table_addf(t, STYLE_PLAIN, "%llu", (unsigned long long) n);
}

static int show_text(Ctl *c, sd_bus_message *m) {
        static const Column columns[] = {
                { "DATE" },
                { "REQUESTS", .right = true },
                { "ERRORS", .right = true },
                { "RATE", .right = true },
                { "INPUT TOKENS", .right = true },
                { "OUTPUT TOKENS", .right = true },
        };
        _cleanup_table_ Table t = TABLE_INIT(columns);
        DayShown d;
        int r;

        while ((r = read_day(m, &d)) > 0) {
                if (!strnull(d.model))
                        continue;
                table_add(&t, STYLE_STRONG, d.date);
                add_number(&t, d.requests);
                add_number(&t, d.errors);
                table_addf(&t, STYLE_PLAIN, "%.2f %%",
                           d.requests > 0 ? 100.0 * (double) d.errors / (double) d.requests : 0.0);
                add_number(&t, d.tokens_in);
                add_number(&t, d.tokens_out);
        }
        if (r < 0)
                return r;
        return t.n > 0 ? show_table(c, &t) : ctl_say(c, CTL_NOTHING, "there were no requests on these days");
}

int ctl_days(Ctl *c, unsigned n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = link_call(c, &(LinkCall){ .member = "ListDays" }, &m, "u", n);
        if (r != 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "(sstttt)");
        if (r >= 0)
                r = c->json ? show_json(c, m) : show_text(c, m);
        return r < 0 ? link_garbled(c, r) : r;
}
