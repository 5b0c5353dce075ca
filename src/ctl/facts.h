/* SPDX-License-Identifier: MIT */
#pragma once

/* A dictionary of named values (a{sv}), read into a struct by a table. Names that the table lacks are
 * ignored; members that the dictionary lacks stay as they were: daemon and client may have different
 * versions. */

#include <systemd/sd-bus.h>

#include "base/macros.h"

typedef struct Fact {
        const char *name;
        size_t offset; /* of a uint64_t for numbers and booleans, of a const char * for a string */
        bool string;
} Fact;

/* The last row of the table has no name. Strings are the message's. 0 or -errno. */
int facts_read(sd_bus_message *m, const Fact *table, void *ret);
