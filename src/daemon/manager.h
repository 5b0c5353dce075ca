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
 * Reads the whole configuration again. If it is correct, it replaces the running one at once: see
 * manager-reload.c. Else nothing changes: -EINVAL, -EBADMSG or another -errno, and the message is the line
 * with the fault. On success the message is what has changed. The caller frees it; NULL if there was no
 * memory. It is logged, and sent to the bus.
 */
int manager_reload(Manager *m, char **ret_message);

/* Serves until a signal; returns the exit status. */
int manager_run(Manager *m);
