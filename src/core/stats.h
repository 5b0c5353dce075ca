/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Statistics are a tree that is walked once (server/statistics.c) and written by a sink: JSON for HTTP,
 * typed values for D-Bus. The walk knows every name and where each value comes from, a sink knows one form
 * and no name.
 *
 * A failure of the sink is kept in its `r`: from then on its functions are not called, and a long walk may
 * stop early.
 */

#include "base/clock.h"

typedef enum StatsShape {
        STATS_ITEM,  /* no name: the whole tree, or an element of a list; holds values and named things */
        STATS_GROUP, /* named; holds values and named things */
        STATS_TABLE, /* named; holds rows only */
        STATS_ROW,   /* of a table, named after what it describes; holds values and named things */
        STATS_LIST,  /* named; holds items only */
        _STATS_SHAPE_MAX,
} StatsShape;

typedef enum StatsKind {
        STATS_TEXT,    /* NULL: there is none */
        STATS_COUNTER, /* never decreases, except that the counters of a day restart at 0 */
        STATS_GAUGE,
        STATS_FLAG,
        STATS_PERCENT,
        STATS_PRICE, /* in US dollars, up to six decimals */
        STATS_TIME,  /* realtime; 0: not yet, USEC_INFINITY: never */
        STATS_RESET, /* a time of a daily reset; most rows have the same one, so a sink may format it once */
        _STATS_KIND_MAX,
} StatsKind;

typedef struct StatsValue {
        StatsKind kind;
        union {
                const char *text;
                uint64_t number; /* counter, gauge, time, reset */
                double percent; /* or price */
                bool flag;
        };
} StatsValue;

/* Optional parts of the tree; a sink asks for them by StatsSink.wants. */
enum {
        STATS_SENTENCES = 1U << 0, /* sentences where other sinks get a short name */
        STATS_QUEUES = 1U << 1,    /* the requests that wait, model by model */
};

typedef struct StatsWalk StatsWalk; /* a walk that goes on in a later turn: server/statistics.h */
typedef struct StatsSink StatsSink;
struct StatsSink {
        void (*open)(StatsSink *s, StatsShape shape, const char *name);
        void (*close)(StatsSink *s, StatsShape shape);
        void (*value)(StatsSink *s, const char *name, const StatsValue *v);
        unsigned wants;
        int r;
};

static inline void stats_open(StatsSink *s, StatsShape shape, const char *name) {
        if (s->r >= 0)
                s->open(s, shape, name);
}

static inline void stats_close(StatsSink *s, StatsShape shape) {
        if (s->r >= 0)
                s->close(s, shape);
}

static inline void stats_value(StatsSink *s, const char *name, StatsValue v) {
        if (s->r >= 0)
                s->value(s, name, &v);
}

static inline void stats_text(StatsSink *s, const char *name, const char *text) {
        stats_value(s, name, (StatsValue){ STATS_TEXT, { .text = text } });
}

static inline void stats_counter(StatsSink *s, const char *name, uint64_t n) {
        stats_value(s, name, (StatsValue){ STATS_COUNTER, { .number = n } });
}

static inline void stats_gauge(StatsSink *s, const char *name, uint64_t n) {
        stats_value(s, name, (StatsValue){ STATS_GAUGE, { .number = n } });
}

static inline void stats_flag(StatsSink *s, const char *name, bool flag) {
        stats_value(s, name, (StatsValue){ STATS_FLAG, { .flag = flag } });
}

static inline void stats_percent(StatsSink *s, const char *name, double percent) {
        stats_value(s, name, (StatsValue){ STATS_PERCENT, { .percent = percent } });
}

static inline void stats_price(StatsSink *s, const char *name, double price) {
        stats_value(s, name, (StatsValue){ STATS_PRICE, { .percent = price } });
}

static inline void stats_time(StatsSink *s, const char *name, usec_t t) {
        stats_value(s, name, (StatsValue){ STATS_TIME, { .number = t } });
}

static inline void stats_reset(StatsSink *s, const char *name, usec_t t) {
        stats_value(s, name, (StatsValue){ STATS_RESET, { .number = t } });
}
