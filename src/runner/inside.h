/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The first process inside the namespaces, and what it and the runner say to each other on a socketpair of
 * packets:
 *
 *     inside    it is ready, with the relay's port and the scratch as descriptors; or what it could not do
 *     runner    the scratch is filled: go
 *     inside    how the CLI has ended
 *
 * It is the CLI's parent and reaps whom else it gets; the kernel kills all of them when it ends.
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

/* The runner's side. Waits; the first is a matter of milliseconds. */
#define INSIDE_STEP_MAX 64U
int inside_greet(int channel, int *ret_listener, int *ret_scratch, char ret_step[static INSIDE_STEP_MAX]);
int inside_go(int channel);
int inside_status(int channel, int *ret_status); /* -ENODATA: it was killed before it could say */
