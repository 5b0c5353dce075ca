/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads a dictionary of named values (a{sv}) into a struct, by a table. Daemon and client may have
 * different versions, so names that the table lacks are ignored, and members that the dictionary lacks stay
 * as they were. */

#include <systemd/sd-bus.h>

#include "base/macros.h"

typedef struct Fact {
        const char *name;
        size_t offset; /* of a uint64_t for numbers and booleans, of a const char * for a string */
        bool string;
} Fact;

/* The last row of the table has no name. Strings are the message's. 0 or -errno. */
int facts_read(sd_bus_message *m, const Fact *table, void *ret);
