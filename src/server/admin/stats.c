/* SPDX-License-Identifier: MIT */

/* GET /stats: the statistics as JSON. GET /api-key-recommendations. */

#include <errno.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "core/rules-view.h"
#include "server/admin/internal.h"
#include "server/admin/long-answer.h"
#include "server/admin/manage.h"
#include "server/http.h"
#include "server/reply.h"
#include "server/statistics.h"
#include "server/live/live.h"

void manage_write_time(JWriter *w, const char *key, const Zone *zone, usec_t t) {
        char s[TIMESTAMP_STRING_MAX];

        if (t == 0 || t == USEC_INFINITY)
                return jwrite_null(w, key);
        timestamp_format(t, zone_offset(zone, t), s);
        jwrite_string(w, key, s);
}

static void write_percent(JWriter *w, const char *key, double percent) {
        jwrite_fixed(w, key, percent, 2);
}

/* --- GET /stats --- */

/* The last formatted time and its text. */
typedef struct FormattedTime {
        usec_t t;
        char text[TIMESTAMP_STRING_MAX];
} FormattedTime;

typedef struct JsonSink {
        StatsSink sink;
        JWriter w;
        const Zone *zone;

        /* The last and the next daily reset, which nearly all keys share: formatting them for each key would
         * take most of the time. */
        FormattedTime resets[2];
        unsigned oldest;
} JsonSink;

static void json_open(StatsSink *s, StatsShape shape, const char *name) {
        JsonSink *j = CONTAINER_OF(s, JsonSink, sink);

        if (shape == STATS_LIST)
                jwrite_array(&j->w, name);
        else
                jwrite_object(&j->w, name);
}

static void json_close(StatsSink *s, StatsShape shape _unused_) {
        JsonSink *j = CONTAINER_OF(s, JsonSink, sink);

        jwrite_end(&j->w);
        s->r = j->w.buf->error;
}

static void json_reset(JsonSink *j, const char *name, usec_t t) {
        FormattedTime *f;

        for (size_t i = 0; i < ELEMENTSOF(j->resets); i++)
                if (j->resets[i].t == t && t != 0)
                        return jwrite_string(&j->w, name, j->resets[i].text);
        if (t == 0 || t == USEC_INFINITY)
                return jwrite_null(&j->w, name);
        f = &j->resets[j->oldest];
        j->oldest = (j->oldest + 1) % ELEMENTSOF(j->resets);
        f->t = t;
        timestamp_format(t, zone_offset(j->zone, t), f->text);
        jwrite_string(&j->w, name, f->text);
}

static void json_value(StatsSink *s, const char *name, const StatsValue *v) {
        JsonSink *j = CONTAINER_OF(s, JsonSink, sink);

        switch (v->kind) {
        case STATS_TEXT:
                return jwrite_string(&j->w, name, v->text);
        case STATS_COUNTER:
        case STATS_GAUGE:
                return jwrite_uint(&j->w, name, v->number);
        case STATS_FLAG:
                return jwrite_bool(&j->w, name, v->flag);
        case STATS_PERCENT:
                return write_percent(&j->w, name, v->percent);
        case STATS_PRICE:
                return jwrite_short(&j->w, name, v->percent);
        case STATS_TIME:
                return manage_write_time(&j->w, name, j->zone, v->number);
        case STATS_RESET:
                return json_reset(j, name, v->number);
        case _STATS_KIND_MAX:
                break;
        }
        assert(false);
}

/* The answer grows with the number of days, so it has them only on request. */
static int read_days(Request *q, unsigned *ret, ApiError *ret_error) {
        const char *days = http_request_argument(q->io, "days");

        *ret = 0;
        if (!days || (text_parse_uint(days, ret) >= 0 && *ret > 0))
                return 0;
        api_error_set(ret_error, 400, "days", "`days` must be a number of days, 1 or more.");
        return HANDLER_E_REFUSED;
}

void manage_write_rules(JWriter *w, const ModelRules *r) {
        JsonSink j = { .sink = { json_open, json_close, json_value }, .w = *w };

        stats_open(&j.sink, STATS_GROUP, "rules");
        model_rules_view(r, &j.sink);
        stats_close(&j.sink, STATS_GROUP);
        *w = j.w;
}

typedef struct StatsAnswer {
        JsonSink json;
        StatsSource source;
        StatsWalk *walk;
} StatsAnswer;

static int stats_begin(void *answer, Buf *body) {
        StatsAnswer *a = answer;

        a->json.w = JWRITER_INIT(body);
        a->json.sink.r = 0;
        a->walk = statistics_walk_free(a->walk);
        return statistics_walk_new(&a->source, &a->json.sink, &a->walk);
}

static int stats_step(void *answer, Buf *body _unused_) {
        StatsAnswer *a = answer;

        return statistics_walk_step(a->walk, day_clock_now());
}

static void stats_free(void *answer) {
        StatsAnswer *a = answer;

        statistics_walk_free(a->walk);
        config_unref(a->source.config);
        free(a);
}

int manage_stats(Request *q, ApiError *ret_error) {
        static const LongAnswerOps ops = {
                .begin = stats_begin, .step = stats_step, .free = stats_free,
                .key_size = 256,      .pair_size = 320,
        };
        const HttpParams *p = &q->http->p;
        StatsAnswer *a;
        unsigned n_days;
        int r;

        r = read_days(q, &n_days, ret_error);
        if (r != 0)
                return r;
        a = calloc(1, sizeof(StatsAnswer));
        if (!a)
                return -ENOMEM;
        a->json.sink = (StatsSink){ json_open, json_close, json_value, STATS_SENTENCES | STATS_QUEUES, 0 };
        a->json.zone = p->zone;
        a->source = (StatsSource){
                .pool = p->pool,
                .config = config_ref(q->config),
                .queue = q->http->queue,
                .live = live_sessions_counts(q->http->live),
                .n_days = n_days,
        };
        return long_answer_start(q, &ops, a, ret_error);
}

/* --- GET /api-key-recommendations --- */

static const char *const quota_strategies[] = {
        "Google counts quota by project and model, not by key: a second key of the same project adds none. "
        "Give each key of one project the same `project` in API_KEYS, so that gemgate knows.",
        "Quotas per day come back at midnight in America/Los_Angeles; quotas per minute within the minute. "
        "gemgate waits for either by itself.",
        "Each model has a separate quota: work that a smaller model can do leaves the larger one's to "
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
        write_percent(w, "error_rate", pool_error_rate(&v->counters));
        jwrite_end(w);
}

/* Including those of keys that are gone. */
static void write_requests_today(JWriter *w, Pool *pool, usec_t now) {
        PoolCounters attempts, clients;

        pool_counters(pool, now, &attempts);
        pool_client_counters(pool, now, &clients);
        jwrite_uint(w, "today_total_requests", attempts.today);
        jwrite_uint(w, "client_requests_today", clients.today);
}

typedef struct Recommendations {
        const HttpParams *p;
        JWriter w;
        Advice *advice;
} Recommendations;

static void write_head(Advice *advice, void *userdata) {
        Recommendations *a = userdata;
        JWriter *w = &a->w;

        jwrite_object(w, NULL);
        write_strings(w, "quota_management_strategies", quota_strategies, ELEMENTSOF(quota_strategies));
        jwrite_object(w, "current_system_status");
        jwrite_uint(w, "total_keys", pool_n_keys(a->p->pool));
        write_requests_today(w, a->p->pool, day_clock_now());
        jwrite_uint(w, "models_in_use", pool_n_models(a->p->pool));
        jwrite_object(w, "model_health_status");
        manage_advice_each_model(advice, write_model_health, w);
        jwrite_end(w);
        jwrite_end(w);
        write_strings(w, "best_practices", best_practices, ELEMENTSOF(best_practices));
        jwrite_array(w, "advice");
}

static int advice_begin(void *answer, Buf *body) {
        Recommendations *a = answer;

        a->w = JWRITER_INIT(body);
        a->advice = manage_advice_free(a->advice);
        return manage_advice_new(a->p->pool, a->p->zone, write_head, a, &a->advice);
}

static int advice_step(void *answer, Buf *body _unused_) {
        Recommendations *a = answer;
        int r;

        r = manage_advice_step(a->advice, &a->w, day_clock_now());
        if (r == 0) {
                jwrite_end(&a->w);
                jwrite_end(&a->w);
        }
        return r;
}

static void advice_free(void *answer) {
        Recommendations *a = answer;

        manage_advice_free(a->advice);
        free(a);
}

int manage_recommendations(Request *q, ApiError *ret_error) {
        static const LongAnswerOps ops = { advice_begin, advice_step, advice_free };
        Recommendations *a;

        a = calloc(1, sizeof(Recommendations));
        if (!a)
                return -ENOMEM;
        a->p = &q->http->p;
        return long_answer_start(q, &ops, a, ret_error);
}
