/* SPDX-License-Identifier: MIT */

/* stats --days=N: the totals of each day; for programs with the models, like GET /stats?days=N. */

#include "base/text.h"
#include "ctl/link.h"
#include "ctl/show.h"

typedef struct DayShown {
        const char *date, *model;
        uint64_t requests, errors, tokens_in, tokens_out;
        uint64_t client_requests; /* of the day as a whole */
        bool has_clients;         /* client_requests is known */
} DayShown;

/* The attempts, and the clients' requests; a day may have begun between the two answers. */
typedef struct Days {
        sd_bus_message *attempts, *clients; /* clients: NULL of an older daemon */
        const char *date;                   /* the next row of `clients`; NULL: none */
        uint64_t client_requests;
} Days;

static int next_clients(Days *d) {
        int r = d->clients ? sd_bus_message_read(d->clients, "(st)", &d->date, &d->client_requests) : 0;

        if (r <= 0)
                d->date = NULL;
        return r;
}

static int read_day(Days *from, DayShown *d) {
        int r = sd_bus_message_read(from->attempts, "(sstttt)", &d->date, &d->model, &d->requests,
                                    &d->errors, &d->tokens_in, &d->tokens_out);

        d->client_requests = 0;
        d->has_clients = from->clients;
        if (r <= 0 || !strnull(d->model))
                return r;
        while (from->date && strcmp(from->date, d->date) < 0) {
                r = next_clients(from);
                if (r < 0)
                        return r;
        }
        if (from->date && streq(from->date, d->date))
                d->client_requests = from->client_requests;
        return 1;
}

static void write_counters(JWriter *w, const DayShown *d) {
        jwrite_uint(w, "requests", d->requests);
        jwrite_uint(w, "errors", d->errors);
        jwrite_uint(w, "input_tokens", d->tokens_in);
        jwrite_uint(w, "output_tokens", d->tokens_out);
}

static int show_json(Ctl *c, Days *days) {
        JWriter w = JWRITER_INIT(&c->out);
        bool in_day = false;
        DayShown d;
        int r;

        jwrite_object(&w, NULL);
        jwrite_array(&w, "days");
        while ((r = read_day(days, &d)) > 0) {
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
                if (d.has_clients)
                        jwrite_uint(&w, "client_requests", d.client_requests);
                else
                        jwrite_null(&w, "client_requests");
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

static int show_text(Ctl *c, Days *days) {
        static const Column columns[] = {
                { "DATE" },
                { "REQUESTS", .right = true },
                { "ATTEMPTS", .right = true },
                { "ERRORS", .right = true },
                { "RATE", .right = true },
                { "INPUT TOKENS", .right = true },
                { "OUTPUT TOKENS", .right = true },
        };
        _cleanup_table_ Table t = TABLE_INIT(columns);
        DayShown d;
        int r;

        while ((r = read_day(days, &d)) > 0) {
                if (!strnull(d.model))
                        continue;
                table_add(&t, STYLE_STRONG, d.date);
                if (d.has_clients)
                        add_number(&t, d.client_requests);
                else
                        table_add(&t, STYLE_PLAIN, NULL);
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
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *clients = NULL;
        Days days;
        int r;

        r = link_call(c, &(LinkCall){ .member = "ListDays" }, &m, "u", n);
        if (r == 0)
                r = link_call(c, &(LinkCall){ .member = "ListClientDays", .optional = true }, &clients, "u",
                              n);
        if (r != 0)
                return r;
        days = (Days){ .attempts = m, .clients = clients };
        r = sd_bus_message_enter_container(m, 'a', "(sstttt)");
        if (r >= 0 && clients)
                r = sd_bus_message_enter_container(clients, 'a', "(st)");
        if (r >= 0)
                r = next_clients(&days);
        if (r >= 0)
                r = c->json ? show_json(c, &days) : show_text(c, &days);
        return r < 0 ? link_garbled(c, r) : r;
}
