/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where there is no PID namespace a process can leave its group and its parent. It cannot leave the runner,
 * which is the reaper of everything below it: what loses its parent becomes the runner's own child.
 */

#include <sys/types.h>

#include "base/macros.h"

int orphans_adopt(void); /* once, before there is a child */

/* Kills all children and all that become children by it, until there is none. The runner has no other
 * children than those. */
void orphans_kill(pid_t group);
