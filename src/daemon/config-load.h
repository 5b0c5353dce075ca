/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Collects what the files, the environment and the credentials say, and makes a Config of it. The
 * environment and the credentials are read once, by the first call; what is secret in the environment is
 * overwritten there and taken out. Later calls read the files again. Call it before any thread exists.
 */

#include "config/config.h"

typedef struct ConfigPaths {
        const char *env_file;   /* NULL: gemgate.env in config_dir, else ./.env, if there */
        const char *config_dir; /* NULL: none */
        bool check; /* --check-config: also tell what was read, and warn of what others may trip over */
} ConfigPaths;

/* `running` is what a reload is to replace, else NULL: then what is fixed until a restart stays as it is,
 * and what differs is named in one warning. -EINVAL for a configuration that is wrong and -EBADMSG for an
 * env file that is none, after every fault went to `say`; -EACCES or another -errno for a file that could
 * not be read, after it was named. */
int config_load(const ConfigPaths *paths, const Config *running, ConfigSay say, void *userdata,
                Config **ret);

/* Wipes what is kept for the next call. */
void config_load_done(void);
