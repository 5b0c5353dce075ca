/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who may call what on the system bus. Every method call passes here before it is dispatched: see
 * bus-gate.c. On the control socket the peer was looked at when it connected, and bus_gate_is_admin() is all
 * there is.
 */

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "base/macros.h"

typedef struct BusGate BusGate;

#define BUS_GROUP    "gemgate"
#define BUS_NO_GROUP ((gid_t) -1)

int bus_gate_new(sd_bus *bus, gid_t admins, BusGate **ret); /* before the objects are added */
BusGate *bus_gate_free(BusGate *g);                         /* before the connection */
DEFINE_CLEANUP(BusGate *, bus_gate_free);

bool bus_gate_is_idle(const BusGate *g); /* no call waits */

gid_t bus_gate_group(void); /* of BUS_GROUP, BUS_NO_GROUP if there is none */

/* Root, our own user, and who has the group. */
bool bus_gate_is_admin(uid_t uid, const gid_t *gids, size_t n_gids, gid_t admins);

/* The polkit action that opens a method to other users; NULL: none does. */
const char *bus_gate_action(const char *interface, const char *member);
