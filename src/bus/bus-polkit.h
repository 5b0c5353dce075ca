/* SPDX-License-Identifier: MIT */
#pragma once

/* One question to polkit: may this sender do this? It is sent without waiting; see bus-polkit.c. */

#include <systemd/sd-bus.h>

#include "base/macros.h"

typedef struct BusPolkit BusPolkit;

typedef enum BusPolkitAnswer {
        BUS_POLKIT_NO, /* also if polkit does not answer or does not exist */
        BUS_POLKIT_YES,
        BUS_POLKIT_CHALLENGE, /* a password is needed, and the call does not allow polkit to ask for it */
        BUS_POLKIT_GONE,      /* the sender has left the bus */
} BusPolkitAnswer;

/* Calls answer() once, never from within this call, and then frees itself. bus_polkit_free() before that
 * drops the question: answer() is not called. */
int bus_polkit_ask(sd_bus_message *m, const char *action,
                   void (*answer)(BusPolkitAnswer answer, void *userdata), void *userdata, BusPolkit **ret);
BusPolkit *bus_polkit_free(BusPolkit *p);
