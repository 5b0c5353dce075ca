/* SPDX-License-Identifier: MIT */
#pragma once

/* The tree of statistics (core/stats): every name in it, and where each value comes from. What it is, is in
 * docs/HTTP.md (GET /stats) and docs/DBUS.md (GetStatistics). */

#include "config/config.h"
#include "core/stats.h"
#include "pool/pool.h"
#include "server/forward.h"

typedef struct StatsSource {
        Pool *pool;
        const Config *config;
        const KeyQueue *queue;
        unsigned n_days; /* how many past days the tree has, with today; 0: no such branch */
        usec_t now;      /* realtime */
} StatsSource;

/* Stops early when the sink fails; see sink->r. */
void statistics_visit(const StatsSource *source, StatsSink *sink);
