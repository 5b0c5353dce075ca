/* SPDX-License-Identifier: MIT */
#pragma once

/* /org/gemgate1/key/ID, interface org.gemgate1.Key. */

#include "bus/bus-internal.h"

int bus_key_add(Bus *b, sd_bus *bus);

int bus_key_path(const PoolKey *k, char **ret);
