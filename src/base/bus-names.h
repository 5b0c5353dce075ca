/* SPDX-License-Identifier: MIT */
#pragma once

/* The names on D-Bus, and the polkit action of each method, for the daemon and for gemgatectl. */

#define BUS_NAME       "org.gemgate1"
#define BUS_PATH       "/org/gemgate1"
#define BUS_KEY_PREFIX "/org/gemgate1/key"
#define BUS_MANAGER    BUS_NAME ".Manager"
#define BUS_KEY        BUS_NAME ".Key"

#define BUS_ERROR(name) BUS_NAME ".Error." name

#define BUS_ACTION_READ   BUS_NAME ".read"
#define BUS_ACTION_RESET  BUS_NAME ".reset"
#define BUS_ACTION_MANAGE BUS_NAME ".manage"

/* The polkit action that gives users who are not administrators access to a method; NULL: there is none.
 * Either name may be NULL. */
const char *bus_action(const char *interface, const char *member);
