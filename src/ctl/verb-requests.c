/* SPDX-License-Identifier: MIT */

/* requests: the daemon's open requests. */

#include "ctl/link.h"
#include "ctl/show.h"
#include "ctl/words.h"

typedef struct Underway {
        const char *id, *client, *route, *model, *state, *key, *key_name;
        uint64_t age, bytes; /* age: in microseconds */
        uint32_t attempts;
} Underway;

#define ROW "(ssssstssut)"

static int read_row(sd_bus_message *m, Underway *u) {
        return sd_bus_message_read(m, ROW, &u->id, &u->client, &u->route, &u->model, &u->state, &u->age,
                                   &u->key, &u->key_name, &u->attempts, &u->bytes);
}

static void add_json(JWriter *w, const Underway *u) {
        jwrite_object(w, NULL);
        jwrite_string(w, "id", u->id);
        jwrite_string(w, "client", show_null(u->client));
        jwrite_string(w, "route", show_null(u->route));
        jwrite_string(w, "model", show_null(u->model));
        jwrite_string(w, "state", u->state);
        jwrite_fixed(w, "age", (double) u->age / (double) USEC_PER_SEC, 3);
        jwrite_string(w, "key", show_null(u->key));
        jwrite_string(w, "key_name", show_null(u->key_name));
        jwrite_uint(w, "attempts", u->attempts);
        jwrite_uint(w, "bytes", u->bytes);
        jwrite_end(w);
}

static void add_text(Table *t, const Underway *u) {
        char age[WORDS_TIME_MAX];

        table_add(t, STYLE_STRONG, u->id);
        table_add(t, STYLE_PLAIN, u->client);
        table_add(t, STYLE_PLAIN, show_null(u->model) ?: u->route);
        table_add(t, STYLE_PLAIN, u->state);
        table_add(t, STYLE_PLAIN, words_span(u->age, age));
        table_add(t, STYLE_PLAIN, show_null(u->key_name) ?: u->key);
        table_addf(t, u->attempts > 1 ? STYLE_WARN : STYLE_PLAIN, "%u", u->attempts);
        table_addf(t, STYLE_PLAIN, "%llu", (unsigned long long) u->bytes);
}

static int read_total(sd_bus_message *m, uint32_t *ret) {
        int r;

        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_read_basic(m, 'u', ret);
}

static int show_json(Ctl *c, sd_bus_message *m) {
        JWriter w = JWRITER_INIT(&c->out);
        uint32_t total = 0;
        Underway u;
        int r;

        jwrite_object(&w, NULL);
        jwrite_array(&w, "requests");
        while ((r = read_row(m, &u)) > 0)
                add_json(&w, &u);
        if (r >= 0)
                r = read_total(m, &total);
        if (r < 0)
                return link_garbled(c, r);
        jwrite_end(&w);
        jwrite_uint(&w, "total", total);
        jwrite_end(&w);
        return CTL_OK;
}

static int show_text(Ctl *c, sd_bus_message *m) {
        static const Column columns[] = {
                { "ID" },
                { "CLIENT" },
                { "MODEL", .cut = true },
                { "STATE" },
                { "AGE", .right = true },
                { "KEY" },
                { "ATTEMPTS", .right = true },
                { "BYTES", .right = true },
        };
        _cleanup_table_ Table t = TABLE_INIT(columns);
        uint32_t total = 0, n = 0;
        Underway u;
        int r;

        for (; (r = read_row(m, &u)) > 0; n++)
                add_text(&t, &u);
        if (r >= 0)
                r = read_total(m, &total);
        if (r < 0)
                return link_garbled(c, r);
        if (n == 0)
                return ctl_say(c, CTL_OK, "there are no open requests");
        r = show_table(c, &t);
        if (total > n && r == CTL_OK)
                (void) buf_printf(&c->out, "\nThe oldest %u of %u requests.\n", n, total);
        return r;
}

int verb_requests(Ctl *c, unsigned n, char *args[]) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = link_call(c, &(LinkCall){ .member = "ListRequests" }, &m, "");
        if (r != 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', ROW);
        if (r < 0)
                return link_garbled(c, r);
        return c->json ? show_json(c, m) : show_text(c, m);
}
