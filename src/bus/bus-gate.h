/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Access control on the system bus: every method call passes the gate before it is dispatched; see
 * bus-gate.c. The control socket has no gate: bus_gate_is_admin() checks a peer once, when it connects.
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

bool bus_gate_is_idle(const BusGate *g); /* no call is set aside */

gid_t bus_gate_group(void); /* of BUS_GROUP; BUS_NO_GROUP if the group does not exist */

/* True for root, the daemon's own user and members of the group. */
bool bus_gate_is_admin(uid_t uid, const gid_t *gids, size_t n_gids, gid_t admins);
