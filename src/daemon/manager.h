/* SPDX-License-Identifier: MIT */
#pragma once

/* The manager owns everything: loop, configuration, pool, engine, listeners; their reload and their end. */

#include "base/macros.h"
#include "config/config.h"
#include "daemon/config-load.h"

typedef struct Manager Manager;

/* Takes the configuration. `paths` must outlive the manager, because a reload uses it. A failure is logged
 * in one line; returns the exit status, 0 to continue. */
int manager_new(Config *config, const ConfigPaths *paths, Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free);

void manager_apply_log(Manager *m); /* from here on the log is as configured */

/* Restores the state, and takes the passed sockets, else opens those of LISTEN. Returns the exit status, 0
 * to continue. */
int manager_listen(Manager *m);

/*
 * Reads the whole configuration again, beside the loop. If it is correct, it replaces the running one: see
 * manager-reload.c. Else nothing changes. What has changed, or the line with the fault, is logged, and sent
 * to the bus with the serial of this reload. -errno with the reason if no reload can begin.
 */
int manager_reload(Manager *m, uint64_t *ret_serial, const char **ret_refusal);

/* Serves until a signal; returns the exit status. */
int manager_run(Manager *m);
