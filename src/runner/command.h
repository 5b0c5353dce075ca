/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command to execute. It is the same for every job but for the token, the port and the scratch's path.
 * The model's name is a placeholder; the daemon's inner listener replaces it by the job's model. Nothing of
 * the runner's environment is passed on.
 */

#include "runner/place.h"

#define COMMAND_ARGS_MAX 12U
#define COMMAND_ENV_MAX  24U

typedef struct Command {
        char *argv[COMMAND_ARGS_MAX];
        char *env[COMMAND_ENV_MAX];
        char *folder; /* the working directory */
} Command;

void command_done(Command *c);

/* scratch: its path as the CLI sees it. port: of the relay. */
int command_make(const Place *p, const char *scratch, const char *token, bool dialogue, uint16_t port,
                 Command *ret);
