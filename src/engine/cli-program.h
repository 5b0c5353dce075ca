/* SPDX-License-Identifier: MIT */
#pragma once

/* Finds the Gemini CLI on this machine, and its version. Runs nothing. */

#include "base/macros.h"

#define CLI_PREFIX      "/opt/gemgate-cli" /* where packaging/install-gemini-cli puts it */
#define CLI_VERSION_MAX 32U

/* `path` is CLI_PATH: an absolute path, or a name to search in CLI_PREFIX/bin and then in PATH. -ENOENT. The
 * version is "" if it is unknown. */
int cli_program_find(const char *path, char **ret_path, char ret_version[static CLI_VERSION_MAX]);
