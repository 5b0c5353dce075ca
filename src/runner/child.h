/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The CLI's process, with the isolation that was requested and is available:
 *
 *     namespaces   the process of namespaces.h starts the CLI and waits for it; when it ends, all end
 *     process      the CLI has its own session; its orphaned processes become children of the runner, their
 *                  reaper, and are killed, too
 *
 * Either is killed when the runner dies, even by SIGKILL.
 */

#include "runner/command.h"
#include "runner/libraries.h"
#include "runner/scratch.h"
#include "runner/tail.h"

typedef struct RunnerChild {
        pid_t pid;
        int pidfd;   /* readable when the process has ended; -1: none */
        int channel; /* to the process inside the namespaces, or -1 */
        int stdin_fd, stderr_fd;
        Tail output;  /* its stdout */
        int listener; /* the relay's listening socket; -1: the caller has taken it */
        Scratch scratch;
        Command command; /* for the report */
} RunnerChild;

#define CHILD_INIT \
        ((RunnerChild){ .pidfd = -1, \
                  .channel = -1, \
                  .stdin_fd = -1, \
                  .output = TAIL_INIT, \
                  .stderr_fd = -1, \
                  .listener = -1, \
                  .scratch = SCRATCH_INIT })

/* What child_start() is to start. */
typedef struct ChildPlan {
        const Place *place;
        const Libraries *libraries;
        const char *token;
        bool dialogue;
        bool namespaces;
} ChildPlan;

/* Starts the CLI. If this fails (negative), *ret_step is the step that failed, and nothing of the attempt
 * is left. */
int child_start(const ChildPlan *plan, RunnerChild *ret, const char **ret_step);

/* Reports how the process ended. To be called when pidfd is readable. Afterwards none of the processes that
 * it started is left. If a signal ended it, exit_code is -1; else signal is 0. */
void child_reap(RunnerChild *c, int *ret_exit_code, int *ret_signal);

/* Kills the process and all that it started, in any state. Accepts a zeroed RunnerChild. */
void child_kill(RunnerChild *c);

/* Also removes its scratch. The process must have been reaped or killed. */
void child_done(RunnerChild *c);
