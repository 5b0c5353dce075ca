/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reads the configuration beside the loop, for a reload: with 100,000 keys that takes some hundred
 * milliseconds, and a disk may hang. See config-thread.c.
 */

#include "daemon/config-load.h"
#include "io/loop.h"

typedef struct ConfigThread ConfigThread;

/* What was read; `c` is the callee's. -errno and NULL if it could not be. `faults` is for
 * config_load_finish(). */
typedef void (*ConfigThreadFn)(int r, int faults, Config *c, void *userdata);

/* `say` is called in the loop, before `done`. */
int config_thread_start(Loop *l, const ConfigPaths *paths, ConfigSay say, ConfigThreadFn done,
                        void *userdata, ConfigThread **ret);
/* A thread that is still reading is left behind: the process is about to end. */
ConfigThread *config_thread_free(ConfigThread *t);
