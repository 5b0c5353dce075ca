/* SPDX-License-Identifier: MIT */
#pragma once

/* Writes the next element of a D-Bus message as JSON: dictionaries become objects, arrays and structs
 * become arrays; times and empty strings become what they are over HTTP (null for never and for no text). */

#include <systemd/sd-bus.h>

#include "base/json/write.h"

int bus_json(sd_bus_message *m, JWriter *w, const char *key); /* 1, or 0 at the end of its container */
