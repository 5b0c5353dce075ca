/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A child process of the runner in new namespaces: user (unless the runner is root), mount, network, PID,
 * IPC and UTS. It is the first process there, so when it ends, all others end. Its network is only a
 * loopback, and its file system is that of root.h.
 *
 * The runner stays outside and uses descriptors that were made inside, so the CLI's file system needs no
 * socket of the daemon.
 */

#include "runner/libraries.h"
#include "runner/place.h"
#include "runner/privilege.h"

/* As fork(): 0 in the process inside the namespaces, its PID in the runner; -1 with errno. */
pid_t namespaces_fork(const Identity *who);

/* The first call inside. *ret_listener is a port of that loopback. Negative: *ret_step is the step that
 * failed; the process must end, since nothing can be undone. */
int namespaces_enter(const Identity *who, const Place *p, const Libraries *l, int *ret_listener,
                     int *ret_scratch, const char **ret_step);
