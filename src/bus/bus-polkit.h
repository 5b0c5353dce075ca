/* SPDX-License-Identifier: MIT */
#pragma once

/* One question to polkit: may this sender do that? Asked without waiting for the answer; see bus-polkit.c.
 */

#include <systemd/sd-bus.h>

#include "base/macros.h"

typedef struct BusPolkit BusPolkit;

typedef enum BusPolkitAnswer {
        BUS_POLKIT_NO, /* as is no answer, and no polkit */
        BUS_POLKIT_YES,
        BUS_POLKIT_CHALLENGE, /* yes for who authenticates, but the sender did not allow to ask */
        BUS_POLKIT_GONE,      /* the sender has vanished */
} BusPolkitAnswer;

/* Frees itself after the answer, which comes once, later; bus_polkit_free() before that takes the question
 * back. */
int bus_polkit_ask(sd_bus_message *m, const char *action,
                   void (*answer)(BusPolkitAnswer answer, void *userdata), void *userdata, BusPolkit **ret);
BusPolkit *bus_polkit_free(BusPolkit *p);
