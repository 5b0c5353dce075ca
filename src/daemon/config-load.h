/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reads the files, the environment and the credentials, and makes a Config. The environment and the
 * credentials are read once, by the first call; the environment's secrets are overwritten there and
 * removed. The first call must come before any thread exists. Later calls read the files again.
 */

#include "config/config.h"

typedef struct ConfigPaths {
        const char *env_file;   /* NULL: gemgate.env in config_dir, else ./.env, if it exists */
        const char *config_dir; /* NULL: none */
        bool check; /* --check-config: also reports what was read, and warns of lines that other programs
                     * read differently */
} ConfigPaths;

/* `running` is the Config that a reload replaces, else NULL. With it, settings that are fixed until a
 * restart keep their values, and one warning names those that differ. -EINVAL for a wrong configuration and
 * -EBADMSG for a malformed env file, after every fault went to `say`; -EACCES or another -errno for a file
 * that could not be read, after its name went to `say`. */
int config_load(const ConfigPaths *paths, const Config *running, ConfigSay say, void *userdata,
                Config **ret);

/* Its two parts. The first reads and parses, and may run beside the loop if the first call of all was
 * before; no two calls may run at the same time. *ret_faults goes to the second, which does the rest. */
int config_load_read(const ConfigPaths *paths, ConfigSay say, void *userdata, Config **ret, int *ret_faults);
int config_load_finish(const ConfigPaths *paths, const Config *running, int faults, ConfigSay say,
                       void *userdata, Config **c);

/* Wipes what is kept for later calls, unless a thread still reads: then it was abandoned before. */
void config_load_done(void);
void config_load_abandon(void);
