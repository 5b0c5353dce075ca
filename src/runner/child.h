/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The CLI's process, with as much around it as was asked for and can be had:
 *
 *     namespaces   the process of namespaces.h starts the CLI and waits for it; both are gone with it
 *     process      a session of its own; whoever it starts and leaves comes back to the runner, which is the
 *                  reaper of all below it, and is gone with it too
 *
 * Either dies with the runner, even when that is killed.
 */

#include "runner/command.h"
#include "runner/libraries.h"
#include "runner/scratch.h"
#include "runner/tail.h"

typedef struct RunnerChild {
        pid_t pid;
        int pidfd;   /* readable when it has ended; -1: there is none */
        int channel; /* to the process inside the namespaces, or -1 */
        int stdin_fd, stderr_fd;
        Tail output;  /* its stdout */
        int listener; /* of the relay; may be taken */
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

/* What is wanted. */
typedef struct ChildPlan {
        const Place *place;
        const Libraries *libraries;
        const char *token;
        bool dialogue;
        bool namespaces;
} ChildPlan;

/* The CLI runs then. Negative, and *ret_step is what could not be done; then nothing of it is left. */
int child_start(const ChildPlan *plan, RunnerChild *ret, const char **ret_step);

/* It has ended (pidfd says so): how. What it has left of itself is gone afterwards. exit_code is -1 and
 * signal is it, if one ended it; else signal is 0. */
void child_reap(RunnerChild *c, int *ret_exit_code, int *ret_signal);

/* It is gone, with all it has started, wherever it is at. NULL-like ones are fine. */
void child_kill(RunnerChild *c);

/* Also its scratch. It must have been reaped or killed. */
void child_done(RunnerChild *c);
