/* SPDX-License-Identifier: MIT */
#pragma once

/* The object that owns everything: loop, configuration, pool, engine, listeners; and its end. */

#include "base/macros.h"
#include "core/config.h"

typedef struct Manager Manager;

/* Takes the configuration. What fails is said in one line; the return value is the exit status, 0
 * to go on. */
int manager_new(Config *config, Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free);

/* Takes the sockets that were passed, else those of LISTEN; returns the exit status, 0 to go on. */
int manager_listen(Manager *m);

/* Serves until a signal; returns the exit status. */
int manager_run(Manager *m);
