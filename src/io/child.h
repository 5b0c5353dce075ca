/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Programs of ours that the daemon starts itself, where there is no systemd to do it: each with one end of a
 * socket pair as its standard input and nothing else of ours, in a process group of its own. One that is let
 * go ends by itself, since its socket hangs up; here it is only reaped. Where we are PID 1, as in a
 * container, whatever loses its parent becomes our child, and is reaped, too.
 */

#include "io/loop.h"

typedef struct Children Children;

int children_new(Loop *l, Children **ret);
Children *children_free(Children *c); /* kills what is left, and waits for it */
DEFINE_CLEANUP(Children *, children_free);

/* argv[0] is the program's path. Its environment is PATH and TMPDIR; standard output and error are ours. */
int child_spawn(Children *c, const char *const argv[], int *ret_fd);
