/* SPDX-License-Identifier: MIT */
#pragma once

/* Where the Gemini CLI is on this machine, and which version it is. Nothing is run to find out. */

#include "base/macros.h"

#define CLI_PREFIX      "/opt/gemgate-cli" /* where packaging/install-gemini-cli puts it */
#define CLI_VERSION_MAX 32U

/* `path` is CLI_PATH: an absolute path, or a name that is looked for in CLI_PREFIX/bin and then in PATH.
 * -ENOENT. The version is "" where it cannot be told. */
int cli_program_find(const char *path, char **ret_path, char ret_version[static CLI_VERSION_MAX]);
