/* SPDX-License-Identifier: MIT */
#pragma once

/* The last steps of a forked process: it becomes the CLI. */

#include "runner/command.h"

/* stdio: its descriptors 0, 1 and 2. Does not return; what went wrong is written to error_fd as an int,
 * which a successful exec closes. */
void exec_command(const Command *c, const int stdio[static 3], int error_fd) __attribute__((noreturn));

/* The other end: 0 when the exec has happened. Waits for it. */
int exec_result(int error_fd);
