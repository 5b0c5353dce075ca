/* SPDX-License-Identifier: MIT */
#pragma once

/* A piece of a D-Bus message as JSON: dictionaries are objects, arrays and structs are arrays, and times and
 * empty strings are what they are over HTTP. */

#include <systemd/sd-bus.h>

#include "base/json/write.h"

int bus_json(sd_bus_message *m, JWriter *w, const char *key); /* 1, or 0 at the end of what it stands in */
