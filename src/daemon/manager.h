/* SPDX-License-Identifier: MIT */
#pragma once

/* The object that owns everything: loop, configuration, pool, engine, listeners; its reload and its end. */

#include "base/macros.h"
#include "config/config.h"
#include "daemon/config-load.h"

typedef struct Manager Manager;

/* Takes the configuration; what `paths` points to must outlive the manager: a reload reads there again. What
 * fails is said in one line; the return value is the exit status, 0 to go on. */
int manager_new(Config *config, const ConfigPaths *paths, Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free);

void manager_apply_log(Manager *m); /* from here on the log is where the configuration wants it */

/* Reads what was kept, and takes the sockets that were passed, else those of LISTEN; returns the exit
 * status, 0 to go on. */
int manager_listen(Manager *m);

/*
 * Reads the whole configuration anew, and if nothing is wrong with it, puts it in the place of the other at
 * once: see manager-reload.c. Else nothing has changed: -EINVAL, -EBADMSG or another -errno, and the message
 * is the line at fault; of a success it is what has changed. To be freed by the caller; NULL if there was no
 * memory for it. It is logged, and the bus hears of it.
 */
int manager_reload(Manager *m, char **ret_message);

/* Serves until a signal; returns the exit status. */
int manager_run(Manager *m);
