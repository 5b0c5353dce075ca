/* SPDX-License-Identifier: MIT */
#pragma once

/* TestKeys, and Test of a key. */

#include "bus/bus-internal.h"

int bus_test_keys(sd_bus_message *m, void *userdata, sd_bus_error *e);
int bus_test_key(Bus *b, sd_bus_message *m, const PoolKey *k, sd_bus_error *e);
void bus_tests_free(Bus *b); /* those under way, without a reply */
