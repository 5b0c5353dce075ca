/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A process of the runner's in namespaces of its own: user (unless the runner is root), mount, network, PID,
 * IPC and UTS. It is the first process there, so that whatever it starts is gone when it is. It has a
 * network that is a loopback and nothing else, and the file system of root.h.
 *
 * The runner itself stays outside: it reaches in by descriptors that were made inside, so the CLI's file
 * system needs no socket of the daemon's.
 */

#include "runner/libraries.h"
#include "runner/place.h"
#include "runner/privilege.h"

/* As fork(): 0 in the process that is inside, else its PID. */
pid_t namespaces_fork(const Identity *who);

/* Inside, first of all. *ret_listener is a port of that loopback's. Negative, and *ret_step is what could
 * not be done: there is no way back, this process has to end. */
int namespaces_enter(const Identity *who, const Place *p, const Libraries *l, int *ret_listener,
                     int *ret_scratch, const char **ret_step);
