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
        const Config *config;
        const KeyQueue *queue;
        unsigned n_days; /* how many days the tree has, including today; 0: no such branch */
        usec_t now;      /* realtime */
} StatsSource;

/* Stops early when the sink fails; see sink->r. */
void statistics_visit(const StatsSource *source, StatsSink *sink);
