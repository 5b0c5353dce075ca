/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * gemgate-runner: one job of the Gemini CLI, for whoever is at the other end of its fd 0. What the two say
 * is base/job-protocol.h.
 *
 *     daemon ─▶ job ─▶ feed ──stdin, FIFO──▶ ┌─────┐ ──stdout──▶ output ─▶ report ─▶ daemon
 *                                            │ CLI │
 *     daemon ◀──unix socket── relay ◀──port─ └─────┘ ──stderr──▶ its end is kept
 *
 * A poll() loop of one thread. It holds no secret but the job's token, and the conversation while it lasts.
 */

#include "base/clock.h"

typedef enum Isolation {
        ISOLATION_UNIT,       /* whoever started the runner has seen to it */
        ISOLATION_NAMESPACES, /* if they can be had */
        ISOLATION_NONE,       /* no more than any process can do */
} Isolation;

typedef struct RunnerOptions {
        const char *cli, *upstream;
        Isolation isolation;
        usec_t max_wait;
} RunnerOptions;

/* 0 when all is said, or the other end has hung up; negative when something prevented a result. */
int runner_run(const RunnerOptions *o);
