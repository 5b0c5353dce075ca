/* SPDX-License-Identifier: MIT */
#pragma once

/* The tree of statistics (core/stats): every name in it, and the source of each value. docs/HTTP.md
 * (GET /stats) and docs/DBUS.md (GetStatistics) describe it. */

#include "config/config.h"
#include "core/stats.h"
#include "pool/pool.h"
#include "server/forward.h"

typedef struct StatsSource {
        Pool *pool;
        Config *config;
        const KeyQueue *queue;
        const LiveCounts *live;
        unsigned n_days; /* how many days the tree has, including today; 0: no such branch */
} StatsSource;

/* The walk in slices: about STATS_SLICE_ROWS rows at a time, so that the loop can serve others in between.
 * The pool and the queue must outlive it; the configuration is referenced. StatsWalk is of core/stats. */
int statistics_walk_new(const StatsSource *source, StatsSink *sink, StatsWalk **ret);

/* Visits the next slice at this time (realtime). 1: there is more. 0: the tree is complete. -ESTALE: the
 * keys were replaced since the last slice, and the walk must start again with an empty sink. Another
 * negative value is the sink's. */
int statistics_walk_step(StatsWalk *w, usec_t now);
StatsWalk *statistics_walk_free(StatsWalk *w);
DEFINE_CLEANUP(StatsWalk *, statistics_walk_free);
