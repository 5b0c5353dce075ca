/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Programs of gemgate that the daemon starts itself when there is no systemd to do it. Each gets one end of
 * a socket pair as its standard input, no other descriptor, and its own process group. A child ends when
 * its socket is closed; this module only reaps it. If gemgated is PID 1, as in a container, orphaned
 * processes become its children and are reaped, too.
 */

#include "io/loop.h"

typedef struct Children Children;

int children_new(Loop *l, Children **ret);
Children *children_free(Children *c); /* kills the children that are left, and waits for them */
DEFINE_CLEANUP(Children *, children_free);

/* argv[0] is the program's path. The child's environment is PATH and TMPDIR; it shares the daemon's
 * standard output and error. */
int child_spawn(Children *c, const char *const argv[], int *ret_fd);
