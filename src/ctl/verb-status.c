/* SPDX-License-Identifier: MIT */

/* status, version: the daemon as a whole. */

#include "base/text.h"
#include "ctl/facts.h"
#include "ctl/link.h"
#include "ctl/rows.h"
#include "ctl/show.h"
#include "ctl/words.h"

#define TROUBLE_MAX 8U /* keys that status names; the rest is a number */

typedef struct DaemonFacts {
        const char *version, *state, *log_level;
        uint64_t started, reloaded, active, next_reset;
        uint64_t keys_total, keys_enabled, keys_usable;
        uint64_t requests_total, requests_today; /* attempts at Google */
        uint64_t client_requests_total, client_requests_today;
} DaemonFacts;

static const Fact daemon_facts[] = {
        { "Version", offsetof(DaemonFacts, version), .string = true },
        { "State", offsetof(DaemonFacts, state), .string = true },
        { "LogLevel", offsetof(DaemonFacts, log_level), .string = true },
        { "StartTimestamp", offsetof(DaemonFacts, started) },
        { "ReloadTimestamp", offsetof(DaemonFacts, reloaded) },
        { "ActiveExchanges", offsetof(DaemonFacts, active) },
        { "NextReset", offsetof(DaemonFacts, next_reset) },
        { "KeysTotal", offsetof(DaemonFacts, keys_total) },
        { "KeysEnabled", offsetof(DaemonFacts, keys_enabled) },
        { "KeysUsable", offsetof(DaemonFacts, keys_usable) },
        { "RequestsTotal", offsetof(DaemonFacts, requests_total) },
        { "RequestsToday", offsetof(DaemonFacts, requests_today) },
        { "ClientRequestsTotal", offsetof(DaemonFacts, client_requests_total) },
        { "ClientRequestsToday", offsetof(DaemonFacts, client_requests_today) },
        {},
};

static void json_count(JWriter *w, const char *key, uint64_t n) {
        if (n == WORDS_NO_COUNT)
                jwrite_null(w, key);
        else
                jwrite_uint(w, key, n);
}

static int status_json(Ctl *c, const DaemonFacts *f) {
        JWriter w = JWRITER_INIT(&c->out);

        jwrite_object(&w, NULL);
        jwrite_string(&w, "version", f->version);
        jwrite_string(&w, "state", f->state);
        words_json_time(&w, "started", f->started);
        words_json_time(&w, "reloaded", f->reloaded);
        jwrite_string(&w, "log_level", f->log_level);
        jwrite_object(&w, "keys");
        jwrite_uint(&w, "total", f->keys_total);
        jwrite_uint(&w, "enabled", f->keys_enabled);
        jwrite_uint(&w, "usable", f->keys_usable);
        jwrite_end(&w);
        jwrite_uint(&w, "active", f->active);
        jwrite_uint(&w, "requests", f->requests_total);
        jwrite_uint(&w, "requests_today", f->requests_today);
        json_count(&w, "client_requests", f->client_requests_total);
        json_count(&w, "client_requests_today", f->client_requests_today);
        words_json_time(&w, "next_reset", f->next_reset);
        jwrite_end(&w);
        return CTL_OK;
}

/* What needs attention: keys, and models of keys, that cannot serve now. */
static int trouble(Ctl *c, const KeyRows *rows, usec_t now) {
        static const Column columns[] = {
                { "KEY" }, { "MODEL" }, { "STATE" }, { "FREES" }, { "LAST ERROR", .wrap = true },
        };
        _cleanup_table_ Table t = TABLE_INIT(columns);
        size_t n = 0;

        for (size_t i = 0; i < rows->n; i++) {
                const KeyRow *row = rows->rows + i;
                _cleanup_free_ char *label = NULL;
                char time[WORDS_TIME_MAX];

                if (streq(row->state, "usable") || streq(row->state, "disabled") || row_is_missing(row) ||
                    n++ >= TROUBLE_MAX)
                        continue;
                label = rows_label(row);
                table_add(&t, STYLE_STRONG, label);
                table_add(&t, STYLE_PLAIN, row->model);
                table_add(&t, words_style(row->state), row->state);
                table_add(&t, STYLE_PLAIN, words_free(row->available_at, now, time));
                table_add(&t, STYLE_PLAIN, row->last_error);
        }
        if (n == 0)
                return CTL_OK;
        (void) buf_putc(&c->out, '\n');
        (void) show_table(c, &t);
        if (n > TROUBLE_MAX)
                (void) buf_printf(&c->out, "and %zu more: gemgatectl keys\n", n - TROUBLE_MAX);
        return CTL_OK;
}

static Style keys_style(const DaemonFacts *f) {
        return f->keys_usable == 0 ? STYLE_BAD : f->keys_usable < f->keys_enabled ? STYLE_WARN : STYLE_PLAIN;
}

static void show_keys(Ctl *c, const DaemonFacts *f) {
        unsigned long long total = f->keys_total, usable = f->keys_usable;

        if (total == 0)
                return show_fact(
                        c, "Keys", STYLE_BAD,
                        "none: put them into /etc/gemgate/api-keys, one a line, and run gemgatectl reload");
        if (f->keys_enabled < total)
                return show_fact(c, "Keys", keys_style(f), "%llu of %llu usable, %llu disabled", usable,
                                 total, total - f->keys_enabled);
        show_fact(c, "Keys", keys_style(f), "%llu of %llu usable", usable, total);
}

static void status_text(Ctl *c, const DaemonFacts *f, usec_t now) {
        char date[WORDS_TIME_MAX], ago[WORDS_TIME_MAX], counts[WORDS_COUNTS_MAX];
        bool good = f->keys_usable > 0;

        show_head(c, good ? STYLE_GOOD : STYLE_BAD, "gemgated %s, %s", strempty(f->version),
                  strempty(f->state));
        show_fact(c, "Since", STYLE_PLAIN, "%s; %s", words_date(f->started, date),
                  words_time(f->started, now, ago));
        /* 0, or the time of the start, if it was never reloaded */
        if (f->reloaded > f->started)
                show_fact(c, "Reloaded", STYLE_PLAIN, "%s; %s", words_date(f->reloaded, date),
                          words_time(f->reloaded, now, ago));
        show_keys(c, f);
        show_fact(c, "Now", STYLE_PLAIN, "%llu open request%s", (unsigned long long) f->active,
                  f->active == 1 ? "" : "s");
        show_fact(c, "Today", STYLE_PLAIN, "%s; the quotas' day ends %s",
                  words_counts(f->client_requests_today, f->requests_today, counts),
                  words_time(f->next_reset, now, ago));
        show_fact(c, "In all", STYLE_PLAIN, "%s",
                  words_counts(f->client_requests_total, f->requests_total, counts));
        if (f->log_level && !strcaseeq(f->log_level, "info"))
                show_fact(c, "Log level", STYLE_PLAIN, "%s", f->log_level);
}

int verb_status(Ctl *c, unsigned n, char *args[]) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_rows_ KeyRows rows = {};
        DaemonFacts f = { .client_requests_total = WORDS_NO_COUNT, .client_requests_today = WORDS_NO_COUNT };
        usec_t now;
        int r;

        r = link_properties(c, NULL, BUS_MANAGER, &m);
        if (r != 0)
                return r;
        r = facts_read(m, daemon_facts, &f);
        if (r < 0)
                return link_garbled(c, r);
        if (c->json)
                return status_json(c, &f);
        r = rows_get(c, &rows);
        if (r != 0)
                return r;
        now = clock_realtime();
        status_text(c, &f, now);
        return trouble(c, &rows, now);
}

/* --- version --- */

/* The daemon's version is shown if the daemon answers; a missing daemon is no error here. */
int verb_version(Ctl *c, unsigned n, char *args[]) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        JWriter w = JWRITER_INIT(&c->out);
        const char *version = NULL;

        c->quiet = true;
        if (link_call(c, &(LinkCall){ .interface = "org.freedesktop.DBus.Properties", .member = "Get" }, &m,
                      "ss", BUS_MANAGER, "Version") == 0 &&
            sd_bus_message_read(m, "v", "s", &version) < 0)
                version = NULL;
        c->quiet = false;
        if (c->json) {
                jwrite_object(&w, NULL);
                jwrite_string(&w, "gemgatectl", GEMGATE_VERSION);
                jwrite_string(&w, "gemgated", version);
                jwrite_end(&w);
                return CTL_OK;
        }
        (void) buf_puts(&c->out, "gemgatectl " GEMGATE_VERSION "\n");
        if (version)
                (void) buf_printf(&c->out, "gemgated %s\n", version);
        return CTL_OK;
}
