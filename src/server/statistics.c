/* SPDX-License-Identifier: MIT */

/*
 * One walk for all sinks. Each branch is a function in the table at the end. The
 * order of branches and values is the order in which HTTP shows them.
 *
 * A walk over 100,000 keys takes most of a second, so it is done in slices, with other events in between. A
 * slice ends after about STATS_SLICE_ROWS rows. Between two slices nothing of the pool is referred to but
 * the index of the next key, which is valid as long as the set of keys is the same.
 */

#include <errno.h>
#include <stdio.h>

#include "pool/admin.h"
#include "pool/describe.h"
#include "pool/state/schema.h"
#include "pool/survey.h"
#include "server/exchange/key-queue.h"
#include "server/live/live.h"
#include "server/statistics.h"

struct StatsWalk {
        StatsSource source;
        StatsSink *sink;
        usec_t now;
        size_t branch;         /* in the table of branches: the one that is visited next */
        size_t next_key;
        uint32_t next_date;
        uint64_t keys_serial;
        size_t n_rows;         /* of this slice */
        bool in_day;           /* the models of a day are being visited */
        PoolSurvey survey;     /* of the models; complete after the branch of keys */
};

/* --- keys --- */

static void visit_slot(const PoolSlotView *v, void *userdata) {
        StatsWalk *w = userdata;
        StatsSink *s = w->sink;

        w->n_rows++;
        stats_open(s, STATS_ROW, v->model);
        stats_counter(s, "requests", v->counters.total);
        stats_counter(s, "daily_requests", v->counters.today);
        stats_counter(s, "errors", v->counters.errors);
        stats_gauge(s, "consecutive_errors", v->consecutive_errors);
        stats_flag(s, "is_healthy", v->is_healthy);
        stats_text(s, "state", pool_state_to_string(v->state));
        stats_time(s, "available_at", v->available_at);
        stats_time(s, "last_used", v->counters.last_used);
        stats_text(s, "last_error", v->last_error);
        stats_time(s, "last_error_at", v->last_error_at);
        stats_percent(s, "error_rate", pool_error_rate(&v->counters));
        stats_close(s, STATS_ROW);
}

static void visit_key(StatsWalk *w, const PoolKey *k) {
        StatsSink *s = w->sink;
        PoolKeyView v;

        pool_key_view(w->source.pool, k, w->now, &v);
        stats_open(s, STATS_ROW, v.mask);
        stats_text(s, "id", pool_key_id(k));
        stats_text(s, "name", v.name);
        stats_text(s, "project", v.project);
        stats_counter(s, "total_requests", v.counters.total);
        stats_counter(s, "daily_requests", v.counters.today);
        stats_time(s, "last_used", v.counters.last_used);
        stats_reset(s, "last_reset_time", v.last_reset);
        stats_reset(s, "next_reset_time", v.next_reset);
        stats_open(s, STATS_TABLE, "models");
        pool_each_slot(w->source.pool, k, w->now, visit_slot, w);
        stats_close(s, STATS_TABLE);
        stats_close(s, STATS_ROW);
}

/* The work for a key grows with its models, too. */
static bool slice_is_over(const StatsWalk *w) {
        return w->n_rows >= STATS_SLICE_ROWS || w->sink->r < 0;
}

static bool visit_keys(StatsWalk *w) {
        Pool *pool = w->source.pool;
        size_t n = pool_n_keys(pool);

        if (w->next_key == 0)
                stats_open(w->sink, STATS_TABLE, "api_key_stats");
        while (w->next_key < n && !slice_is_over(w)) {
                const PoolKey *k = pool_key(pool, w->next_key++);

                visit_key(w, k);
                pool_survey_key(&w->survey, k, w->now);
                w->n_rows += 1 + w->survey.n / STATS_MODELS_PER_ROW;
        }
        if (w->next_key < n)
                return false;
        stats_close(w->sink, STATS_TABLE);
        return true;
}

/* --- models --- */

static void visit_model(const PoolModelView *v, void *userdata) {
        StatsSink *s = userdata;

        stats_open(s, STATS_ROW, v->name);
        stats_counter(s, "total_requests", v->counters.total);
        stats_counter(s, "total_daily_requests", v->counters.today);
        stats_counter(s, "total_errors", v->counters.errors);
        stats_gauge(s, "usable_keys", v->usable_keys);
        stats_gauge(s, "healthy_keys", v->healthy_keys);
        stats_gauge(s, "total_keys", v->total_keys);
        stats_percent(s, "error_rate", pool_error_rate(&v->counters));
        stats_close(s, STATS_ROW);
}

static bool visit_models(StatsWalk *w) {
        stats_open(w->sink, STATS_TABLE, "model_summary");
        pool_survey_each_model(&w->survey, w->now, visit_model, w->sink);
        stats_close(w->sink, STATS_TABLE);
        return true;
}

/* --- all together --- */

/* The totals count the attempts of keys that are gone, too: they never fall with a reload. What is called
 * requests are attempts at Google; a client's request may be none of them or several. */
static bool visit_totals(StatsWalk *w) {
        StatsSink *s = w->sink;
        PoolCounters c, clients;

        pool_counters(w->source.pool, w->now, &c);
        pool_client_counters(w->source.pool, w->now, &clients);
        stats_open(s, STATS_GROUP, "global_summary");
        stats_gauge(s, "total_api_keys", pool_n_keys(w->source.pool));
        stats_counter(s, "total_requests_all_time", c.total);
        stats_counter(s, "total_requests_today", c.today);
        stats_counter(s, "client_requests_all_time", clients.total);
        stats_counter(s, "client_requests_today", clients.today);
        stats_gauge(s, "total_allowed_tokens", w->source.config->tokens.n_client);
        stats_gauge(s, "models_in_use", pool_n_models(w->source.pool));
        stats_close(s, STATS_GROUP);
        return true;
}

static bool visit_load_balancing(StatsWalk *w) {
        const char *zone = w->source.config->quota_reset_timezone;
        char daily[ZONE_NAME_MAX + 64];
        StatsSink *s = w->sink;

        stats_open(s, STATS_GROUP, "load_balancing");
        stats_text(s, "strategy", POOL_DESCRIBE_STRATEGY);
        stats_text(s, "health_check", POOL_DESCRIBE_HEALTH_CHECK);
        if (s->wants & STATS_SENTENCES) {
                (void) snprintf(daily, sizeof(daily), "at midnight in %s (QUOTA_RESET_TIMEZONE)", zone);
                stats_text(s, "daily_reset", daily);
        } else
                stats_text(s, "daily_reset_timezone", zone);
        stats_text(s, "model_isolation", POOL_DESCRIBE_MODEL_ISOLATION);
        stats_time(s, "current_time", w->now);
        stats_close(s, STATS_GROUP);
        return true;
}

static void visit_waiting(const char *model, size_t n, void *userdata) {
        stats_gauge(userdata, model, n);
}

/* The requests that wait for a key (QUEUE_WAIT). */
static bool visit_queue(StatsWalk *w) {
        const KeyQueue *queue = w->source.queue;
        StatsSink *s = w->sink;
        KeyQueueCounters c;

        key_queue_counters(queue, &c);
        stats_open(s, STATS_GROUP, "queue");
        stats_gauge(s, "waiting", c.n_waiting);
        stats_gauge(s, "waiting_bytes", c.n_bytes);
        if (s->wants & STATS_QUEUES) {
                stats_open(s, STATS_GROUP, "waiting_by_model");
                key_queue_each_model(queue, visit_waiting, s);
                stats_close(s, STATS_GROUP);
        }
        stats_counter(s, "total_waited", c.joined);
        stats_counter(s, "total_given_up", c.given_up);
        stats_counter(s, "total_turned_away", c.turned_away);
        stats_close(s, STATS_GROUP);
        return true;
}

/* The sessions of the Live API. */
static bool visit_live(StatsWalk *w) {
        const LiveCounts *c = w->source.live;
        StatsSink *s = w->sink;

        stats_open(s, STATS_GROUP, "live");
        stats_gauge(s, "open", c->open);
        stats_counter(s, "total", c->total);
        stats_counter(s, "total_turned_away", c->refused);
        stats_close(s, STATS_GROUP);
        return true;
}

/* --- days --- */

static void visit_day_counters(StatsSink *s, const DayCounters *c) {
        stats_counter(s, "requests", c->requests);
        stats_counter(s, "errors", c->errors);
        stats_counter(s, "input_tokens", c->tokens_in);
        stats_counter(s, "output_tokens", c->tokens_out);
}

static void end_day(StatsWalk *w) {
        if (w->in_day) {
                stats_close(w->sink, STATS_TABLE);
                stats_close(w->sink, STATS_ITEM);
        }
        w->in_day = false;
}

/* A day's total comes first, then its models. */
static void visit_day(const DayRow *row, void *userdata) {
        StatsWalk *w = userdata;
        StatsSink *s = w->sink;
        char date[32];

        w->n_rows++;
        if (*row->model) {
                if (!w->in_day)
                        return; /* the day has no total: it is left out */
                stats_open(s, STATS_ROW, row->model);
                visit_day_counters(s, &row->counters);
                stats_close(s, STATS_ROW);
                return;
        }
        end_day(w);
        (void) snprintf(date, sizeof(date), "%04u-%02u-%02u", row->date / 10000, row->date / 100 % 100,
                        row->date % 100);
        stats_open(s, STATS_ITEM, NULL);
        stats_text(s, "date", date);
        stats_counter(s, "client_requests", row->counters.client_requests);
        visit_day_counters(s, &row->counters);
        stats_open(s, STATS_TABLE, "models");
        w->in_day = true;
}

static bool visit_days(StatsWalk *w) {
        if (w->source.n_days == 0)
                return true;
        if (w->next_date == 0)
                stats_open(w->sink, STATS_LIST, "days");
        do {
                if (slice_is_over(w))
                        return false;
        } while (pool_next_day(w->source.pool, w->source.n_days, w->now, &w->next_date, visit_day, w));
        end_day(w);
        stats_close(w->sink, STATS_LIST);
        return true;
}

/* --- the tree --- */

/* Each returns whether it is complete. */
static bool (*const branches[])(StatsWalk *w) = {
        visit_keys, /* before the models, whose keys it counts */
        visit_models,
        visit_totals,
        visit_load_balancing,
        visit_queue,
        visit_live,
        visit_days,
};

int statistics_walk_new(const StatsSource *source, StatsSink *sink, StatsWalk **ret) {
        StatsWalk *w;

        assert(source->pool && source->config && source->queue && source->live);

        w = calloc(1, sizeof(StatsWalk));
        if (!w)
                return -ENOMEM;
        w->source = *source;
        (void) config_ref(w->source.config);
        w->sink = sink;
        w->keys_serial = pool_keys_serial(source->pool);
        pool_survey_begin(&w->survey, source->pool);
        *ret = w;
        return 0;
}

int statistics_walk_step(StatsWalk *w, usec_t now) {
        if (w->keys_serial != pool_keys_serial(w->source.pool))
                return -ESTALE;
        if (w->branch == 0 && w->next_key == 0)
                stats_open(w->sink, STATS_ITEM, NULL);
        w->now = now;
        w->n_rows = 0;
        while (w->branch < ELEMENTSOF(branches) && !slice_is_over(w))
                w->branch += branches[w->branch](w);
        if (w->sink->r >= 0 && w->branch < ELEMENTSOF(branches))
                return 1;
        stats_close(w->sink, STATS_ITEM);
        return MIN(w->sink->r, 0);
}

StatsWalk *statistics_walk_free(StatsWalk *w) {
        if (!w)
                return NULL;
        config_unref(w->source.config);
        free(w);
        return NULL;
}
