/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The connection to the daemon: the system bus here, on another host (by ssh) or in a machine (a systemd
 * container), or, peer to peer, the daemon's own socket. Failures are printed here, with what to do next;
 * the result is an exit status.
 */

#include "base/bus-names.h"
#include "ctl/ctl.h"

typedef struct LinkCall {
        const char *path, *interface, *member; /* path and interface: NULL for the manager's */
        const char *about;                     /* the user's argument, for the message; NULL: none */
        bool optional; /* a daemon that does not have the method is no error: *ret stays as it is */
} LinkCall;

int link_open(Ctl *c);

/* Calls and waits. 0, or the exit status of the printed error. */
int link_call(Ctl *c, const LinkCall *call, sd_bus_message **ret, const char *types, ...);

/* All properties of an object, as a{sv}. */
int link_properties(Ctl *c, const char *path, const char *interface, sd_bus_message **ret);

/* True if the error means that there is no such object, interface or method. */
bool link_is_no_object(const sd_bus_error *e);

/* Prints that an answer was not understood. */
int link_garbled(Ctl *c, int error);

/* The ID of a key's object path, decoded; malloc'ed. NULL if the path is not a key's, or without memory. */
char *link_key_id(const char *path);
