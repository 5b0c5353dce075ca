/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Keeps the log from being flooded by what others can cause at will. Each kind of line has a bucket of its
 * own (LOG_LIMIT_BURST lines, growing back in LOG_LIMIT_INTERVAL); what does not fit is counted, and one
 * line for each kind says how many were left out, when the interval in which that began is over. /
 */

#include "base/list.h"
#include "base/ratelimit.h"
#include "io/loop.h"

typedef struct LogLimiter LogLimiter;

/* Embedded in its owner. */
typedef struct LogKind {
        RateLimit rate;
        const char *what; /* "refused tokens": behind "17 lines about …" */
        uint64_t n_left_out;
        List link;
} LogKind;

int log_limiter_new(Loop *l, usec_t interval, unsigned burst, LogLimiter **ret);
LogLimiter *log_limiter_free(LogLimiter *l); /* says what is still to be said */
DEFINE_CLEANUP(LogLimiter *, log_limiter_free);

void log_kind_init(LogLimiter *l, LogKind *k, const char *what);

/* False if the line must be left out. */
bool log_kind_pass(LogLimiter *l, LogKind *k);
