/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * trace() marks a point that a person may want to see while the daemon runs. One call is two things:
 *
 *   - the USDT probe gemgate:NAME, for perf, bpftrace and gdb: one nop as long as none of them is attached.
 *     Its first argument is the request's id (NULL: none), the others are those of the format;
 *   - at LOG_LEVEL=DEBUG the line `NAME: FORMAT …` with the request's id.
 *
 * The arguments are evaluated even when nothing watches, so they must be cheap: reads of variables, no work.
 * Without sys/sdt.h there are no probes. docs/DEBUGGING.md lists the points.
 */

#include "base/log.h"

#if HAVE_SDT
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define trace_probe(name, ids, ...) STAP_PROBEV(gemgate, name, (ids)->id, ##__VA_ARGS__)
#else
#define trace_probe(name, ids, ...) ((void) (ids))
#endif

#define trace(name, ids, fmt, ...)                                                                   \
        do {                                                                                         \
                trace_probe(name, ids, ##__VA_ARGS__);                                               \
                if (log_get_level() >= LOG_LEVEL_DEBUG)                                              \
                        log_format(LOG_LEVEL_DEBUG, ids, __FILE__, __LINE__, __func__,               \
                                   #name ": " fmt, ##__VA_ARGS__);                                   \
        } while (0)
