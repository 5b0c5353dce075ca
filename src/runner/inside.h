/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The first process inside the namespaces, and its messages with the runner, over a socketpair of packets:
 *
 *     inside    ready, with two descriptors: the relay's listening socket and the scratch; or the name
 *               of the step that failed
 *     runner    the scratch is filled: go
 *     inside    how the CLI has ended
 *
 * It is the CLI's parent and reaps all other processes inside; when it ends, the kernel kills them.
 */

#include "runner/command.h"
#include "runner/libraries.h"
#include "runner/privilege.h"

typedef struct InsidePlan {
        const Identity *who;
        const Place *place;
        const Libraries *libraries;
        const char *token;
        bool dialogue;
        int stdio[3]; /* the CLI's */
        int error_fd; /* of exec_command() */
        int channel;
} InsidePlan;

void inside_run(const InsidePlan *plan) __attribute__((noreturn));

/* The runner's side. Blocks; the first call takes milliseconds. */
#define INSIDE_STEP_MAX 64U
int inside_greet(int channel, int *ret_listener, int *ret_scratch, char ret_step[static INSIDE_STEP_MAX]);
int inside_go(int channel);
int inside_status(int channel, int *ret_status); /* -ENODATA: it was killed before that */
