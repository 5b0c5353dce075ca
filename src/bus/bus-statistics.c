/* SPDX-License-Identifier: MIT */

/* GetStatistics: the statistics with the names of GET /stats, as typed values; and ExplainModel's answer.
 * Times are microseconds of CLOCK_REALTIME. A time in the past: 0 is never. A future time: 0 is now, the
 * largest value is not by itself. */

#include <errno.h>

#include "base/text.h"
#include "bus/bus-answer.h"
#include "bus/bus-manager.h"
#include "core/rules-view.h"

typedef struct BusSink {
        StatsSink sink;
        sd_bus_message *m;
        size_t n_rows;
} BusSink;

/* The containers of each shape, the outermost first. The first one gets the name. */
static const struct {
        const char *containers[3];
        bool named;
} shapes[_STATS_SHAPE_MAX] = {
        [STATS_ITEM] = { { "a{sv}" }, false },
        [STATS_GROUP] = { { "esv", "va{sv}", "a{sv}" }, true },
        [STATS_TABLE] = { { "esv", "va{sa{sv}}", "a{sa{sv}}" }, true },
        [STATS_ROW] = { { "esa{sv}", "a{sv}" }, true },
        [STATS_LIST] = { { "esv", "vaa{sv}", "aa{sv}" }, true },
};

static int open_containers(sd_bus_message *m, StatsShape shape, const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(shapes[shape].containers); i++) {
                const char *c = shapes[shape].containers[i];
                int r;

                if (!c)
                        break;
                r = sd_bus_message_open_container(m, c[0], c + 1);
                if (r >= 0 && i == 0 && shapes[shape].named)
                        r = sd_bus_message_append_basic(m, 's', name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void bus_open(StatsSink *s, StatsShape shape, const char *name) {
        BusSink *b = CONTAINER_OF(s, BusSink, sink);

        if (shape == STATS_ROW && b->n_rows++ >= BUS_ROWS_MAX)
                s->r = -E2BIG;
        else
                s->r = open_containers(b->m, shape, name);
}

static void bus_close(StatsSink *s, StatsShape shape) {
        BusSink *b = CONTAINER_OF(s, BusSink, sink);

        for (size_t i = 0; i < ELEMENTSOF(shapes[shape].containers) && shapes[shape].containers[i]; i++) {
                s->r = sd_bus_message_close_container(b->m);
                if (s->r < 0)
                        return;
        }
}

static void bus_value(StatsSink *s, const char *name, const StatsValue *v) {
        sd_bus_message *m = CONTAINER_OF(s, BusSink, sink)->m;

        switch (v->kind) {
        case STATS_TEXT:
                s->r = sd_bus_message_append(m, "{sv}", name, "s", strempty(v->text));
                return;
        case STATS_FLAG:
                s->r = sd_bus_message_append(m, "{sv}", name, "b", v->flag);
                return;
        case STATS_PERCENT:
        case STATS_PRICE:
                s->r = sd_bus_message_append(m, "{sv}", name, "d", v->percent);
                return;
        case STATS_COUNTER:
        case STATS_GAUGE:
        case STATS_TIME:
        case STATS_RESET:
                s->r = sd_bus_message_append(m, "{sv}", name, "t", v->number);
                return;
        case _STATS_KIND_MAX:
                break;
        }
        assert(false);
}

/* --- ExplainModel --- */

int bus_model_reply(Bus *bus, sd_bus_message *call, const char *model, int listed) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Config *c = bus->p.config(bus->p.userdata);
        BusSink b = { .sink = { bus_open, bus_close, bus_value } };
        int r;

        r = sd_bus_message_new_method_return(call, &reply);
        if (r < 0)
                return r;
        b.m = reply;
        stats_open(&b.sink, STATS_ITEM, NULL);
        stats_text(&b.sink, "model", model);
        if (listed >= 0)
                stats_flag(&b.sink, "listed", listed > 0);
        model_rules_view(model_rules_find(&c->route.rules, model), &b.sink);
        stats_close(&b.sink, STATS_ITEM);
        return b.sink.r < 0 ? b.sink.r : sd_bus_send(NULL, reply, NULL);
}

/* --- GetStatistics --- */

typedef struct Statistics {
        BusAnswer answer;
        BusSink sink;
        StatsWalk *walk;
} Statistics;

static int begin(BusAnswer *a) {
        Statistics *s = CONTAINER_OF(a, Statistics, answer);
        Bus *b = a->bus;

        s->walk = b->p.statistics_free(s->walk);
        s->sink = (BusSink){ .sink = { bus_open, bus_close, bus_value, 0, 0 }, .m = a->reply };
        return b->p.statistics(&s->sink.sink, &s->walk, b->p.userdata);
}

static int step(BusAnswer *a) {
        return a->bus->p.statistics_step(CONTAINER_OF(a, Statistics, answer)->walk);
}

static void statistics_free(BusAnswer *a) {
        Statistics *s = CONTAINER_OF(a, Statistics, answer);

        a->bus->p.statistics_free(s->walk);
        free(s);
}

int bus_statistics(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        static const BusAnswerOps ops = { .begin = begin, .step = step, .free = statistics_free };
        const Bus *b = userdata;
        Statistics *s;

        s = calloc(1, sizeof(Statistics));
        if (!s)
                return -ENOMEM;
        s->answer = (BusAnswer){
                .ops = &ops,
                .bus = userdata,
                .n_rows = pool_n_keys(b->p.pool) + pool_n_slots(b->p.pool),
        };
        return bus_answer_start(&s->answer, m, e);
}
