/* SPDX-License-Identifier: MIT */
#pragma once

/* The day on which most tests of the pool play, and the zone of Google's quotas; `setup` and `teardown` are
 * those of a whole group. */

#include "base/zone.h"
#include "test.h"

#define NOON (1795377600 * USEC_PER_SEC) /* 2026-11-22 12:00 in Los Angeles */

static Zone *zone;

static int setup(void **state _unused_) {
        return zone_new("America/Los_Angeles", NOON, &zone);
}

static int teardown(void **state _unused_) {
        zone = zone_free(zone);
        return 0;
}
