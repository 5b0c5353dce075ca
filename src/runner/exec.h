/* SPDX-License-Identifier: MIT */
#pragma once

/* The last steps of a forked process, which becomes the CLI. */

#include "runner/command.h"

/* stdio: its descriptors 0, 1 and 2. Does not return. An error is written to error_fd as an int; a
 * successful exec closes it. */
void exec_command(const Command *c, const int stdio[static 3], int error_fd) __attribute__((noreturn));

/* The parent's end: waits until the exec has happened (returns 0) or failed (returns its error). */
int exec_result(int error_fd);
