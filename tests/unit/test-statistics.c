/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "pool-keys.h"
#include "noon.h"
#include "pool/state/schema.h"
#include "server/live/live.h"
#include "server/exchange/key-queue.h"
#include "server/statistics.h"

/* A third sink, beside JSON and D-Bus: a line for each value, with its path. It also checks the shapes:
 * tables and lists have no direct values, and each one that is opened is closed. */
#define DEPTH_MAX 8U

typedef struct TextSink {
        StatsSink sink;
        Buf out;
        const char *names[DEPTH_MAX];
        StatsShape shapes[DEPTH_MAX];
        size_t depth, fails_after; /* fails_after: values; 0: never */
        size_t n_values;
} TextSink;

static void text_open(StatsSink *s, StatsShape shape, const char *name) {
        TextSink *t = CONTAINER_OF(s, TextSink, sink);

        assert_true(t->depth < DEPTH_MAX);
        assert_true(!name == (shape == STATS_ITEM));
        if (t->depth > 0) {
                StatsShape outer = t->shapes[t->depth - 1];

                assert_true((outer == STATS_TABLE) == (shape == STATS_ROW));
                assert_true((outer == STATS_LIST) == (shape == STATS_ITEM));
        } else
                assert_int_equal(shape, STATS_ITEM);
        t->names[t->depth] = name;
        t->shapes[t->depth++] = shape;
}

static void text_close(StatsSink *s, StatsShape shape) {
        TextSink *t = CONTAINER_OF(s, TextSink, sink);

        assert_true(t->depth > 0);
        assert_int_equal(t->shapes[--t->depth], shape);
}

static void text_value(StatsSink *s, const char *name, const StatsValue *v) {
        TextSink *t = CONTAINER_OF(s, TextSink, sink);
        char value[256] = "";

        assert_true(t->depth > 0);
        assert_true(t->shapes[t->depth - 1] != STATS_TABLE && t->shapes[t->depth - 1] != STATS_LIST);
        switch (v->kind) {
        case STATS_TEXT:
                (void) snprintf(value, sizeof(value), "%.40s", v->text ?: "-");
                break;
        case STATS_COUNTER:
                (void) snprintf(value, sizeof(value), "+%llu", (unsigned long long) v->number);
                break;
        case STATS_GAUGE:
                (void) snprintf(value, sizeof(value), "%llu", (unsigned long long) v->number);
                break;
        case STATS_FLAG:
                (void) snprintf(value, sizeof(value), "%s", v->flag ? "yes" : "no");
                break;
        case STATS_PERCENT:
                (void) snprintf(value, sizeof(value), "%.2f%%", v->percent);
                break;
        case STATS_PRICE:
                (void) snprintf(value, sizeof(value), "$%g", v->percent);
                break;
        case STATS_TIME:
        case STATS_RESET:
                if (v->number == 0 || v->number == USEC_INFINITY)
                        (void) snprintf(value, sizeof(value), "never");
                else
                        (void) snprintf(value, sizeof(value), "noon%+lld s",
                                        ((long long) v->number - (long long) NOON) / 1000000);
                break;
        case _STATS_KIND_MAX:
                fail();
        }
        for (size_t i = 1; i < t->depth; i++) {
                (void) buf_puts(&t->out, t->names[i] ?: "*");
                (void) buf_puts(&t->out, ".");
        }
        (void) buf_printf(&t->out, "%s %s\n", name, value);
        if (++t->n_values == t->fails_after)
                s->r = -E2BIG;
}

static void say(LogLevel level _unused_, const char *line, void *userdata _unused_) {
        assert_non_null(strstr(line, "API_KEYS")); /* none is set */
}

static const LiveCounts live = { .open = 2, .total = 5, .refused = 1 };

static const char keys_and_totals[] =
        "api_key_stats.AIza****aaaa.id home\n"
        "api_key_stats.AIza****aaaa.name home\n"
        "api_key_stats.AIza****aaaa.project -\n"
        "api_key_stats.AIza****aaaa.total_requests +2\n"
        "api_key_stats.AIza****aaaa.daily_requests +2\n"
        "api_key_stats.AIza****aaaa.last_used noon+0 s\n"
        "api_key_stats.AIza****aaaa.last_reset_time noon-43200 s\n"
        "api_key_stats.AIza****aaaa.next_reset_time noon+43200 s\n"
        "api_key_stats.AIza****aaaa.models.m.requests +2\n"
        "api_key_stats.AIza****aaaa.models.m.daily_requests +2\n"
        "api_key_stats.AIza****aaaa.models.m.errors +1\n"
        "api_key_stats.AIza****aaaa.models.m.consecutive_errors 0\n"
        "api_key_stats.AIza****aaaa.models.m.is_healthy yes\n"
        "api_key_stats.AIza****aaaa.models.m.state usable\n"
        "api_key_stats.AIza****aaaa.models.m.available_at never\n"
        "api_key_stats.AIza****aaaa.models.m.last_used noon+0 s\n"
        "api_key_stats.AIza****aaaa.models.m.last_error -\n"
        "api_key_stats.AIza****aaaa.models.m.last_error_at never\n"
        "api_key_stats.AIza****aaaa.models.m.error_rate 50.00%\n"
        "model_summary.m.total_requests +2\n"
        "model_summary.m.total_daily_requests +2\n"
        "model_summary.m.total_errors +1\n"
        "model_summary.m.usable_keys 1\n"
        "model_summary.m.healthy_keys 1\n"
        "model_summary.m.total_keys 1\n"
        "model_summary.m.error_rate 50.00%\n"
        "global_summary.total_api_keys 1\n"
        "global_summary.total_requests_all_time +2\n"
        "global_summary.total_requests_today +2\n"
        "global_summary.client_requests_all_time +1\n"
        "global_summary.client_requests_today +1\n"
        "global_summary.total_allowed_tokens 0\n"
        "global_summary.models_in_use 1\n"
        "load_balancing.strategy of the usable keys the one with the leas\n"
        "load_balancing.health_check three errors in a row of a key's own fau\n";

static const char middle[] = "load_balancing.model_isolation health and quota are kept for each model\n"
                             "load_balancing.current_time noon+0 s\n"
                             "queue.waiting 1\n"
                             "queue.waiting_bytes 7\n";

static const char end_of_queue[] = "queue.total_waited +1\n"
                                   "queue.total_given_up +0\n"
                                   "queue.total_turned_away +0\n"
                                   "live.open 2\n"
                                   "live.total +5\n"
                                   "live.total_turned_away +1\n";

static const struct {
        unsigned wants, n_days;
        const char *text[6];
} rows[] = {
        { 0, 0,
          { keys_and_totals, "load_balancing.daily_reset_timezone America/Los_Angeles\n", middle,
            end_of_queue } },
        { STATS_SENTENCES | STATS_QUEUES, 0,
          { keys_and_totals, "load_balancing.daily_reset at midnight in America/Los_Angeles (QUOT\n", middle,
            "queue.waiting_by_model.m 1\n", end_of_queue } },
        { 0, 1,
          { keys_and_totals, "load_balancing.daily_reset_timezone America/Los_Angeles\n", middle,
            end_of_queue,
            "days.*.date 2026-11-22\n"
            "days.*.client_requests +1\n"
            "days.*.requests +2\n"
            "days.*.errors +1\n"
            "days.*.input_tokens +5\n"
            "days.*.output_tokens +3\n"
            "days.*.models.m.requests +2\n"
            "days.*.models.m.errors +1\n"
            "days.*.models.m.input_tokens +5\n"
            "days.*.models.m.output_tokens +3\n" } },
};

static Pool *served_pool(void) {
        static const VerdictClass classes[] = { VERDICT_KEY_REFUSED, VERDICT_OK };
        _cleanup_(secret_unrefp) Secret *s = NULL;
        Pool *p;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        assert_int_equal(secret_new("AIzaSy0000000000000000aaaa", 26, &s), 0);
        assert_int_equal(pool_add_key(p, s, "home", NULL, false), 0);
        pool_count_client(p, NOON); /* of two attempts */
        for (size_t i = 0; i < ELEMENTSOF(classes); i++) {
                const Usage usage = { .prompt = 5, .completion = 3, .total = 8 };
                Verdict v;
                Lease lease;

                verdict_init(&v, classes[i], 0, classes[i] == VERDICT_OK ? NULL : "Wrong.");
                assert_int_equal(pool_pick(p, "m", NULL, 0, NOON, &lease, NULL), 0);
                pool_report(p, &lease, &v, classes[i] == VERDICT_OK ? &usage : NULL, NOON);
        }
        return p;
}

static void on_place(KeyQueuePlace *p _unused_) {
}

/* All slices; returns how many there were. */
static unsigned visit(const StatsSource *source, StatsSink *sink) {
        _cleanup_(statistics_walk_freep) StatsWalk *w = NULL;
        unsigned n = 0;
        int r;

        assert_int_equal(statistics_walk_new(source, sink, &w), 0);
        do {
                r = statistics_walk_step(w, NOON);
                n++;
        } while (r > 0);
        assert_int_equal(r, MIN(sink->r, 0));
        return n;
}

static void test_visit(void **state _unused_) {
        static const KeyQueueOps ops = { .turn = on_place, .over = on_place };
        _cleanup_(config_text_freep) ConfigText *text = NULL;
        _cleanup_(loop_freep) Loop *loop = NULL;
        _cleanup_(key_queue_freep) KeyQueue *queue = NULL;
        _cleanup_(config_unrefp) Config *config = NULL;
        _cleanup_(pool_freep) Pool *pool = served_pool();
        KeyQueuePlace place = KEY_QUEUE_PLACE_INIT(place);

        assert_int_equal(config_text_new(&text), 0);
        assert_int_equal(config_new(text, say, NULL, &config), 0);
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(key_queue_new(loop, &ops, &queue), 0);
        assert_true(key_queue_join(queue, "m", 7, USEC_PER_HOUR, USEC_PER_HOUR, &place));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t fails_after = 0; fails_after < 30; fails_after++) {
                        TextSink t = { .sink = { text_open, text_close, text_value, rows[i].wants, 0 },
                                       .out = BUF_INIT(1 << 16),
                                       .fails_after = fails_after };
                        _cleanup_buf_ Buf expected = BUF_INIT(1 << 16);

                        assert_int_equal(visit(&(StatsSource){ .pool = pool,
                                                               .config = config,
                                                               .queue = queue,
                                                               .live = &live,
                                                               .n_days = rows[i].n_days },
                                               &t.sink),
                                         1);
                        if (fails_after == 0) {
                                for (const char *const *s = rows[i].text; *s; s++)
                                        (void) buf_puts(&expected, *s);
                                (void) buf_append(&expected, "", 1);
                                (void) buf_append(&t.out, "", 1);
                                assert_string_equal(buf_data(&t.out), buf_data(&expected));
                                assert_int_equal(t.depth, 0);
                        } else {
                                /* After a failure the sink is left alone. */
                                assert_int_equal(t.sink.r, -E2BIG);
                                assert_int_equal(t.n_values, fails_after);
                        }
                        buf_done(&t.out);
                }
        key_queue_leave(queue, &place);
}

/* --- slices --- */

#define MANY 3000U

static void use(Pool *p, const char *model, VerdictClass class) {
        Lease lease;
        Verdict v;

        verdict_init(&v, class, 0, NULL);
        assert_int_equal(pool_pick(p, model, NULL, 0, NOON, &lease, NULL), 0);
        pool_report(p, &lease, &v, NULL, NOON);
}

typedef struct CountSink {
        StatsSink sink;
        size_t n_rows;
        int depth;
} CountSink;

static void count_open(StatsSink *s, StatsShape shape, const char *name _unused_) {
        CountSink *c = CONTAINER_OF(s, CountSink, sink);

        c->depth++;
        c->n_rows += shape == STATS_ROW;
}

static void count_close(StatsSink *s, StatsShape shape _unused_) {
        CONTAINER_OF(s, CountSink, sink)->depth--;
}

static void count_value(StatsSink *s _unused_, const char *name _unused_, const StatsValue *v _unused_) {
}

/* While the tree is visited, models come and are forgotten, keys are used; then the keys are replaced. */
static void test_slices(void **state _unused_) {
        static const KeyQueueOps ops = { .turn = on_place, .over = on_place };
        _cleanup_(config_text_freep) ConfigText *text = NULL;
        _cleanup_(loop_freep) Loop *loop = NULL;
        _cleanup_(key_queue_freep) KeyQueue *queue = NULL;
        _cleanup_(config_unrefp) Config *config = NULL;
        _cleanup_(pool_freep) Pool *p = NULL;
        _cleanup_(statistics_walk_freep) StatsWalk *w = NULL;
        CountSink c = { .sink = { count_open, count_close, count_value, 0, 0 } };
        PoolKeyWanted wanted[MANY] = {};
        unsigned n_slices = 0, n_models = 0;
        size_t n_before = 0;
        StatsSource source;
        PoolChange change;
        int r;

        assert_int_equal(config_text_new(&text), 0);
        assert_int_equal(config_new(text, say, NULL, &config), 0);
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(key_queue_new(loop, &ops, &queue), 0);
        assert_int_equal(pool_new(zone, NOON, &p), 0);
        for (unsigned i = 0; i < MANY; i++) {
                char key[64];
                int n = snprintf(key, sizeof(key), "AIzaSy%020u%04u", i, i);

                assert_int_equal(secret_new(key, (size_t) n, &wanted[i].secret), 0);
        }
        assert_int_equal(pool_set_keys(p, wanted, MANY, NOON, &change), 0);
        source = (StatsSource){ .pool = p, .config = config, .queue = queue, .live = &live };
        for (unsigned i = 0; i < MANY; i++)
                use(p, "m", VERDICT_OK);

        assert_int_equal(statistics_walk_new(&source, &c.sink, &w), 0);
        while ((r = statistics_walk_step(w, NOON)) > 0) {
                assert_true(c.n_rows - n_before <= STATS_SLICE_ROWS + MODELS_MAX);
                n_before = c.n_rows;
                n_slices++;
                for (unsigned i = 0; i < 100; i++) {
                        char model[16];

                        (void) snprintf(model, sizeof(model), "m%u", n_models++);
                        use(p, model, VERDICT_REQUEST);
                }
        }
        assert_int_equal(r, 0);
        assert_int_equal(c.depth, 0);
        assert_true(n_slices >= 2 * MANY / STATS_SLICE_ROWS);
        assert_true(n_models > MODELS_MAX); /* so that some were forgotten meanwhile */

        w = statistics_walk_free(w);
        c = (CountSink){ .sink = c.sink };
        assert_int_equal(statistics_walk_new(&source, &c.sink, &w), 0);
        assert_int_equal(statistics_walk_step(w, NOON), 1);
        assert_int_equal(pool_set_keys(p, wanted, MANY / 2, NOON, &change), 0);
        assert_int_equal(statistics_walk_step(w, NOON), -ESTALE);
        for (unsigned i = 0; i < MANY; i++)
                secret_unref(wanted[i].secret);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_visit),
                cmocka_unit_test(test_slices),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
