/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Limits the log lines that clients can cause. Each kind of line has its own bucket (LOG_LIMIT_BURST lines,
 * refilled in LOG_LIMIT_INTERVAL). Lines beyond it are counted, and when the interval is over, one line for
 * each kind counts those left out.
 */

#include "base/list.h"
#include "base/ratelimit.h"
#include "io/loop.h"

typedef struct LogLimiter LogLimiter;

/* Embedded in its owner. */
typedef struct LogKind {
        RateLimit rate;
        const char *what; /* "refused tokens": follows "17 lines about …" */
        uint64_t n_left_out;
        List link;
} LogKind;

int log_limiter_new(Loop *l, usec_t interval, unsigned burst, LogLimiter **ret);
LogLimiter *log_limiter_free(LogLimiter *l); /* writes the lines that are due */
DEFINE_CLEANUP(LogLimiter *, log_limiter_free);

void log_kind_init(LogLimiter *l, LogKind *k, const char *what);

/* False if the line must be left out. */
bool log_kind_pass(LogLimiter *l, LogKind *k);
