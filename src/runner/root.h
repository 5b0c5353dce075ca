/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The file system that the CLI sees when it has namespaces: Node, the loader and its libraries, the CLI's
 * package, /dev/null and /dev/urandom, an /etc/passwd with one line, all read-only; and the scratch. No
 * /proc, no /sys, no socket of anyone.
 *
 * Everything is taken hold of (open_tree) before the new root covers where it may have been, and moved into
 * it then. Needs Linux 5.12.
 */

#include <sys/types.h>

#include "runner/libraries.h"
#include "runner/place.h"

#define ROOT_SCRATCH "/scratch" /* where the scratch is */

/*
 * For a process that is alone in a mount namespace of its own, with the right to mount. Afterwards it is in
 * the new root and nothing of the old one is left. uid: whom /etc/passwd knows. *ret_scratch is the file
 * system of the scratch, empty. Negative, and *ret_step is what could not be done.
 */
int root_enter(const Place *p, const Libraries *l, uid_t uid, int *ret_scratch, const char **ret_step);

/* Later, when there is such a folder in it: nobody writes there, not even its owner. */
int root_seal(const char *folder);
