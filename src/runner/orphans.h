/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Without a PID namespace a process can leave its group and its parent. It cannot leave the runner, which is
 * the reaper of everything below it: an orphan becomes the runner's child.
 */

#include <sys/types.h>

#include "base/macros.h"

int orphans_adopt(void); /* once, before the first child */

/* Kills all children of the runner, and the orphans that become its children meanwhile, until none is left.
 * All of the runner's children are the CLI's processes. */
void orphans_kill(pid_t group);
