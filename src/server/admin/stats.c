/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "pool/state/schema.h"
#include "pool/describe.h"
#include "server/exchange/key-queue.h"
#include "server/admin/internal.h"
#include "server/admin/manage.h"

/* What is written, and the few sums that are not the pool's own. */
typedef struct StatsWriter {
        JWriter *w;
        const Zone *zone;
        uint64_t total, today;
        bool in_day; /* the members of a day's models are being written */

        /* The daily resets, which all keys share: to format them for each would be most of the work. */
        usec_t reset;
        char last_reset[TIMESTAMP_STRING_MAX], next_reset[TIMESTAMP_STRING_MAX];
} StatsWriter;

void manage_write_time(JWriter *w, const char *key, const Zone *zone, usec_t t) {
        char s[TIMESTAMP_STRING_MAX];

        if (t == 0 || t == USEC_INFINITY)
                return jwrite_null(w, key);
        timestamp_format(t, zone_offset(zone, t), s);
        jwrite_string(w, key, s);
}

void manage_write_error_rate(JWriter *w, const char *key, const PoolCounters *c) {
        jwrite_fixed(w, key, c->total > 0 ? 100.0 * (double) c->errors / (double) c->total : 0, 2);
}

/* The answer grows with the pool: what went beyond the ceiling must not be sent as if it were whole. */
static void reply(Request *q, Buf *body) {
        if (body->error < 0)
                return request_fail(q, 500, NULL, "The answer would be larger than gemgate sends (%u MiB).",
                                    MANAGE_ANSWER_MAX >> 20);
        request_reply_json(q, 200, body);
}

/* --- GET /stats --- */

static void write_slot(const PoolSlotView *v, void *userdata) {
        StatsWriter *s = userdata;
        JWriter *w = s->w;

        jwrite_object(w, v->model);
        jwrite_uint(w, "requests", v->counters.total);
        jwrite_uint(w, "daily_requests", v->counters.today);
        jwrite_uint(w, "errors", v->counters.errors);
        jwrite_uint(w, "consecutive_errors", v->consecutive_errors);
        jwrite_bool(w, "is_healthy", v->is_healthy);
        jwrite_string(w, "state", pool_state_to_string(v->state));
        manage_write_time(w, "available_at", s->zone, v->available_at);
        manage_write_time(w, "last_used", s->zone, v->counters.last_used);
        jwrite_string(w, "last_error", v->last_error);
        manage_write_error_rate(w, "error_rate", &v->counters);
        jwrite_end(w);
}

static void write_resets(StatsWriter *s, const PoolKeyView *v) {
        if (s->reset != v->next_reset) {
                s->reset = v->next_reset;
                timestamp_format(v->last_reset, zone_offset(s->zone, v->last_reset), s->last_reset);
                timestamp_format(v->next_reset, zone_offset(s->zone, v->next_reset), s->next_reset);
        }
        jwrite_string(s->w, "last_reset_time", s->last_reset);
        jwrite_string(s->w, "next_reset_time", s->next_reset);
}

static void write_key(StatsWriter *s, Pool *pool, const PoolKey *k, usec_t now) {
        JWriter *w = s->w;
        PoolKeyView v;

        pool_key_view(pool, k, now, &v);
        s->total += v.counters.total;
        s->today += v.counters.today;

        jwrite_object(w, v.mask);
        jwrite_string(w, "name", v.name);
        jwrite_string(w, "project", v.project);
        jwrite_uint(w, "total_requests", v.counters.total);
        jwrite_uint(w, "daily_requests", v.counters.today);
        manage_write_time(w, "last_used", s->zone, v.counters.last_used);
        write_resets(s, &v);
        jwrite_object(w, "models");
        pool_each_slot(pool, k, now, write_slot, s);
        jwrite_end(w);
        jwrite_end(w);
}

static void write_model(const PoolModelView *v, void *userdata) {
        StatsWriter *s = userdata;
        JWriter *w = s->w;

        jwrite_object(w, v->name);
        jwrite_uint(w, "total_requests", v->counters.total);
        jwrite_uint(w, "total_daily_requests", v->counters.today);
        jwrite_uint(w, "total_errors", v->counters.errors);
        jwrite_uint(w, "healthy_keys", v->healthy_keys);
        jwrite_uint(w, "total_keys", v->total_keys);
        manage_write_error_rate(w, "error_rate", &v->counters);
        jwrite_end(w);
}

static void write_load_balancing(StatsWriter *s, const Config *config, usec_t now) {
        char daily[ZONE_NAME_MAX + 64];
        JWriter *w = s->w;

        (void) snprintf(daily, sizeof(daily), "at midnight in %s (QUOTA_RESET_TIMEZONE)",
                        config->quota_reset_timezone);
        jwrite_object(w, "load_balancing");
        jwrite_string(w, "strategy", POOL_DESCRIBE_STRATEGY);
        jwrite_string(w, "health_check", POOL_DESCRIBE_HEALTH_CHECK);
        jwrite_string(w, "daily_reset", daily);
        jwrite_string(w, "model_isolation", POOL_DESCRIBE_MODEL_ISOLATION);
        manage_write_time(w, "current_time", s->zone, now);
        jwrite_end(w);
}

static void write_day_counters(JWriter *w, const DayCounters *c) {
        jwrite_uint(w, "requests", c->requests);
        jwrite_uint(w, "errors", c->errors);
        jwrite_uint(w, "input_tokens", c->tokens_in);
        jwrite_uint(w, "output_tokens", c->tokens_out);
}

static void end_day(StatsWriter *s) {
        if (s->in_day) {
                jwrite_end(s->w);
                jwrite_end(s->w);
        }
        s->in_day = false;
}

static void write_day(const DayRow *row, void *userdata) {
        StatsWriter *s = userdata;
        char date[32];

        if (*row->model) {
                if (!s->in_day)
                        return; /* of a day that, as a whole, nobody has counted */
                jwrite_object(s->w, row->model);
                write_day_counters(s->w, &row->counters);
                jwrite_end(s->w);
                return;
        }
        end_day(s);
        (void) snprintf(date, sizeof(date), "%04u-%02u-%02u", row->date / 10000, row->date / 100 % 100,
                        row->date % 100);
        jwrite_object(s->w, NULL);
        jwrite_string(s->w, "date", date);
        write_day_counters(s->w, &row->counters);
        jwrite_object(s->w, "models");
        s->in_day = true;
}

/* The answer grows with them, so they are only told to who asks. False after a 400. */
static bool read_days(Request *q, unsigned *ret) {
        const char *days = http_request_argument(q->io, "days");

        *ret = 0;
        if (!days || (text_parse_uint(days, ret) >= 0 && *ret > 0))
                return true;
        request_fail(q, 400, "days", "`days` is how many days are to be told of: a number from 1.");
        return false;
}

static void write_line(const char *model, size_t n, void *userdata) {
        jwrite_uint(userdata, model, n);
}

/* Who waits for a key (QUEUE_WAIT). */
static void write_queue(StatsWriter *s, const KeyQueue *line) {
        JWriter *w = s->w;
        KeyQueueCounters c;

        key_queue_counters(line, &c);
        jwrite_object(w, "queue");
        jwrite_uint(w, "waiting", c.n_waiting);
        jwrite_uint(w, "waiting_bytes", c.n_bytes);
        jwrite_object(w, "waiting_by_model");
        key_queue_each_model(line, write_line, w);
        jwrite_end(w);
        jwrite_uint(w, "total_waited", c.joined);
        jwrite_uint(w, "total_given_up", c.given_up);
        jwrite_uint(w, "total_turned_away", c.turned_away);
        jwrite_end(w);
}

void manage_stats(Request *q) {
        _cleanup_buf_ Buf body = BUF_INIT(MANAGE_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);
        const HttpParams *p = &q->http->p;
        StatsWriter s = { .w = &w, .zone = p->zone };
        usec_t now = clock_realtime();
        size_t n = pool_n_keys(p->pool);
        unsigned days;

        if (!read_days(q, &days))
                return;
        jwrite_object(&w, NULL);
        jwrite_object(&w, "api_key_stats");
        for (size_t i = 0; i < n; i++)
                write_key(&s, p->pool, pool_key(p->pool, i), now);
        jwrite_end(&w);
        jwrite_object(&w, "model_summary");
        pool_each_model(p->pool, now, write_model, &s);
        jwrite_end(&w);
        jwrite_object(&w, "global_summary");
        jwrite_uint(&w, "total_api_keys", n);
        jwrite_uint(&w, "total_requests_all_time", s.total);
        jwrite_uint(&w, "total_requests_today", s.today);
        jwrite_uint(&w, "total_allowed_tokens", q->config->tokens.n_client);
        jwrite_uint(&w, "models_in_use", pool_n_models(p->pool));
        jwrite_end(&w);
        write_load_balancing(&s, q->config, now);
        write_queue(&s, q->http->queue);
        if (days > 0) {
                jwrite_array(&w, "days");
                pool_each_day(p->pool, days, now, write_day, &s);
                end_day(&s);
                jwrite_end(&w);
        }
        jwrite_end(&w);
        reply(q, &body);
}

/* --- GET /api-key-recommendations --- */

static const char *const quota_strategies[] = {
        "Google counts quota by project and model, not by key: a second key of the same project adds none. "
        "Give each key of one project the same `project` in API_KEYS, so that gemgate knows.",
        "Quotas per day come back at midnight in America/Los_Angeles; quotas per minute within the minute. "
        "gemgate waits for either by itself.",
        "Each model has a quota of its own: work that a smaller model can do leaves the larger one's to "
        "what needs it.",
        "A project with billing has far higher quotas than a free one; mix both, and name them so that you "
        "can tell them apart.",
};

static const char *const best_practices[] = {
        "Keep a key or two more than the busiest day needs: keys fail one at a time, and quotas run out all "
        "at once.",
        "Give every key a name in API_KEYS: it is easier to recognise than its mask, here and in the log.",
        "Restrict each key to the Gemini API in Google's console, and replace one that was ever shown in "
        "public.",
        "Watch `error_rate` and `last_error` in /stats: a rate that grows on one key alone is that key's "
        "fault.",
        "Remove keys that stay dead: gemgate looks at them once an hour, for nothing.",
};

static void write_strings(JWriter *w, const char *key, const char *const *s, size_t n) {
        jwrite_array(w, key);
        for (size_t i = 0; i < n; i++)
                jwrite_string(w, NULL, s[i]);
        jwrite_end(w);
}

static void write_model_health(const PoolModelView *v, void *userdata) {
        JWriter *w = userdata;

        jwrite_object(w, v->name);
        jwrite_uint(w, "healthy_keys", v->healthy_keys);
        jwrite_uint(w, "total_keys_for_model", v->total_keys);
        jwrite_uint(w, "today_requests", v->counters.today);
        manage_write_error_rate(w, "error_rate", &v->counters);
        jwrite_end(w);
}

static uint64_t requests_today(Pool *pool, usec_t now) {
        uint64_t today = 0;

        for (size_t i = 0; i < pool_n_keys(pool); i++) {
                PoolKeyView v;

                pool_key_view(pool, pool_key(pool, i), now, &v);
                today += v.counters.today;
        }
        return today;
}

void manage_recommendations(Request *q) {
        _cleanup_buf_ Buf body = BUF_INIT(MANAGE_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);
        const HttpParams *p = &q->http->p;
        usec_t now = clock_realtime();

        jwrite_object(&w, NULL);
        write_strings(&w, "quota_management_strategies", quota_strategies, ELEMENTSOF(quota_strategies));
        jwrite_object(&w, "current_system_status");
        jwrite_uint(&w, "total_keys", pool_n_keys(p->pool));
        jwrite_uint(&w, "today_total_requests", requests_today(p->pool, now));
        jwrite_uint(&w, "models_in_use", pool_n_models(p->pool));
        jwrite_object(&w, "model_health_status");
        pool_each_model(p->pool, now, write_model_health, &w);
        jwrite_end(&w);
        jwrite_end(&w);
        write_strings(&w, "best_practices", best_practices, ELEMENTSOF(best_practices));
        manage_advise(&w, "advice", p->pool, p->zone, now);
        jwrite_end(&w);
        reply(q, &body);
}
