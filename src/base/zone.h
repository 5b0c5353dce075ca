/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A time zone as a table of its offsets, so that pure code can ask for "the next midnight there" with no global
 * state. libc can only read tzdata through TZ, which is the process's; so the zone is walked once, at the start,
 * before any thread exists, from the year before `now` to ZONE_YEARS after it.
 */

#include "base/clock.h"

typedef struct Zone Zone;

#define ZONE_YEARS 20U
#define ZONE_NAME_MAX 64U

/* A tzdata name (letters, digits, `_+-/`, no leading slash, no `..`). Where tzdata is missing America/Los_Angeles
 * falls back on its POSIX rule. -EINVAL for a bad name, -ENOENT for a zone that is not installed. */
int zone_new(const char *name, usec_t now, Zone **ret);
Zone *zone_free(Zone *z);
DEFINE_CLEANUP(Zone *, zone_free);

int zone_offset(const Zone *z, usec_t t);            /* seconds east of UTC at t */
usec_t zone_day_start(const Zone *z, usec_t t);      /* the first instant of the local day that holds t */
usec_t zone_next_midnight(const Zone *z, usec_t t);  /* the first instant of the local day after it */
