/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * gemgate-runner: runs one job of the Gemini CLI for the daemon at the other end of its fd 0. The protocol
 * is base/job-protocol.h.
 *
 *     daemon ─▶ job ─▶ feed ──stdin, FIFO──▶ ┌─────┐ ──stdout──▶ output ─▶ report ─▶ daemon
 *                                            │ CLI │
 *     daemon ◀──unix socket── relay ◀──port─ └─────┘ ──stderr──▶ its end is kept
 *
 * It is a poll() loop in one thread. The only secret that it holds is the job's token, and it holds the
 * conversation only while the job lasts.
 */

#include "base/clock.h"

typedef enum Isolation {
        ISOLATION_UNIT,       /* the unit that starts the runner provides it */
        ISOLATION_NAMESPACES, /* if available */
        ISOLATION_NONE,       /* only what any process can do */
} Isolation;

typedef struct RunnerOptions {
        const char *cli, *upstream;
        Isolation isolation;
        usec_t max_wait;
} RunnerOptions;

/* 0 when the result was sent, or the daemon closed the connection; negative if an error prevented a
 * result. */
int runner_run(const RunnerOptions *o);
