/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The file system that the CLI sees in namespaces: Node, the loader and its libraries, the CLI's package,
 * /dev/null and /dev/urandom, an /etc/passwd with one line, all read-only; and the scratch. No /proc, no
 * /sys, no sockets.
 *
 * Each of these is opened (open_tree) before the new root is mounted over the old paths, and then moved
 * into the new root. Needs Linux 5.12.
 */

#include <sys/types.h>

#include "runner/libraries.h"
#include "runner/place.h"

#define ROOT_SCRATCH "/scratch" /* where the scratch is */

/*
 * For a process that is alone in its own mount namespace, with the right to mount. Afterwards it is in the
 * new root and nothing of the old one is left. uid: the user in /etc/passwd. *ret_scratch is the scratch's
 * file system, empty. Negative: *ret_step is the step that failed.
 */
int root_enter(const Place *p, const Libraries *l, uid_t uid, int *ret_scratch, const char **ret_step);

/* Makes a folder read-only, even for its owner. To be called later, when the folder exists. */
int root_seal(const char *folder);
