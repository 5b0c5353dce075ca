/* SPDX-License-Identifier: MIT */

/* GetStatistics: what GET /stats tells, under the same names, but typed. Times are microseconds of the
 * real-time clock: 0 is never yet, the largest value never at all. */

#include <errno.h>
#include <stdarg.h>

#include "base/text.h"
#include "bus/bus-manager.h"
#include "pool/describe.h"

/* The message that is written; the first failure stays. */
typedef struct BusWriter {
        sd_bus_message *m;
        Pool *pool;
        usec_t now;
        size_t n_rows;
        uint64_t total, today;
        int r;
} BusWriter;

static void put(BusWriter *w, const char *types, ...) {
        va_list ap;

        if (w->r < 0)
                return;
        va_start(ap, types);
        w->r = sd_bus_message_appendv(w->m, types, ap);
        va_end(ap);
}

static void put_string(BusWriter *w, const char *key, const char *value) {
        put(w, "{sv}", key, "s", strempty(value));
}

static void put_number(BusWriter *w, const char *key, uint64_t value) {
        put(w, "{sv}", key, "t", value);
}

static void put_error_rate(BusWriter *w, const PoolCounters *c) {
        put(w, "{sv}", "error_rate", "d",
            c->total > 0 ? 100.0 * (double) c->errors / (double) c->total : 0.0);
}

static void begin(BusWriter *w, char type, const char *contents) {
        if (w->r >= 0)
                w->r = sd_bus_message_open_container(w->m, type, contents);
}

static void end(BusWriter *w, unsigned n) {
        for (; n > 0 && w->r >= 0; n--)
                w->r = sd_bus_message_close_container(w->m);
}

/* A member that is a dictionary itself: closed by end(w, 3). */
static void begin_member(BusWriter *w, const char *key, const char *type) {
        begin(w, 'e', "sv");
        put(w, "s", key);
        begin(w, 'v', type);
        begin(w, 'a', type + 1);
}

/* An entry of a{sa{sv}}: closed by end(w, 2). */
static void begin_entry(BusWriter *w, const char *key) {
        if (w->r >= 0 && w->n_rows++ >= BUS_ROWS_MAX)
                w->r = -E2BIG;
        begin(w, 'e', "sa{sv}");
        put(w, "s", key);
        begin(w, 'a', "{sv}");
}

/* --- */

static void write_slot(const PoolSlotView *v, void *userdata) {
        BusWriter *w = userdata;

        begin_entry(w, v->model);
        put_number(w, "requests", v->counters.total);
        put_number(w, "daily_requests", v->counters.today);
        put_number(w, "errors", v->counters.errors);
        put_number(w, "consecutive_errors", v->consecutive_errors);
        put(w, "{sv}", "is_healthy", "b", v->is_healthy);
        put_string(w, "state", pool_state_to_string(v->state));
        put_number(w, "available_at", v->available_at);
        put_number(w, "last_used", v->counters.last_used);
        put_string(w, "last_error", v->last_error);
        put_error_rate(w, &v->counters);
        end(w, 2);
}

static void write_key(BusWriter *w, const PoolKey *k) {
        PoolKeyView v;

        pool_key_view(w->pool, k, w->now, &v);
        w->total += v.counters.total;
        w->today += v.counters.today;

        begin_entry(w, v.mask);
        put_string(w, "name", v.name);
        put_string(w, "project", v.project);
        put_number(w, "total_requests", v.counters.total);
        put_number(w, "daily_requests", v.counters.today);
        put_number(w, "last_used", v.counters.last_used);
        put_number(w, "last_reset_time", v.last_reset);
        put_number(w, "next_reset_time", v.next_reset);
        begin_member(w, "models", "a{sa{sv}}");
        pool_each_slot(w->pool, k, w->now, write_slot, w);
        end(w, 3);
        end(w, 2);
}

static void write_model(const PoolModelView *v, void *userdata) {
        BusWriter *w = userdata;

        begin_entry(w, v->name);
        put_number(w, "total_requests", v->counters.total);
        put_number(w, "total_daily_requests", v->counters.today);
        put_number(w, "total_errors", v->counters.errors);
        put_number(w, "healthy_keys", v->healthy_keys);
        put_number(w, "total_keys", v->total_keys);
        put_error_rate(w, &v->counters);
        end(w, 2);
}

static void write_queue(BusWriter *w, const BusParams *p) {
        BusQueue q = {};

        if (p->queue)
                p->queue(&q, p->userdata);
        begin_member(w, "queue", "a{sv}");
        put_number(w, "waiting", q.waiting);
        put_number(w, "waiting_bytes", q.waiting_bytes);
        put_number(w, "total_waited", q.total_waited);
        put_number(w, "total_given_up", q.total_given_up);
        put_number(w, "total_turned_away", q.total_turned_away);
        end(w, 3);
}

static void write_all(BusWriter *w, const BusParams *p) {
        const Config *c = p->config(p->userdata);
        size_t n = pool_n_keys(w->pool);

        begin(w, 'a', "{sv}");
        begin_member(w, "api_key_stats", "a{sa{sv}}");
        for (size_t i = 0; i < n && w->r >= 0; i++)
                write_key(w, pool_key(w->pool, i));
        end(w, 3);
        begin_member(w, "model_summary", "a{sa{sv}}");
        pool_each_model(w->pool, w->now, write_model, w);
        end(w, 3);
        begin_member(w, "global_summary", "a{sv}");
        put_number(w, "total_api_keys", n);
        put_number(w, "total_requests_all_time", w->total);
        put_number(w, "total_requests_today", w->today);
        put_number(w, "total_allowed_tokens", c->tokens.n_client);
        put_number(w, "models_in_use", pool_n_models(w->pool));
        end(w, 3);
        begin_member(w, "load_balancing", "a{sv}");
        put_string(w, "strategy", POOL_DESCRIBE_STRATEGY);
        put_string(w, "health_check", POOL_DESCRIBE_HEALTH_CHECK);
        put_string(w, "daily_reset_timezone", c->quota_reset_timezone);
        put_string(w, "model_isolation", POOL_DESCRIBE_MODEL_ISOLATION);
        put_number(w, "current_time", w->now);
        end(w, 3);
        write_queue(w, p);
        end(w, 1);
}

int bus_statistics(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Bus *b = userdata;
        BusWriter w = { .pool = b->p.pool, .now = clock_realtime() };
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        w.m = reply;
        write_all(&w, &b->p);
        if (w.r == -E2BIG)
                return sd_bus_error_setf(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "The answer has more than %u entries: ask the keys one by one.",
                                         BUS_ROWS_MAX);
        if (w.r < 0)
                return w.r;
        return sd_bus_send(NULL, reply, NULL);
}
