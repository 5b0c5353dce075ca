/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A time zone as a table of its offsets, so that pure code finds the next midnight without global state.
 * libc can read tzdata only through TZ, which belongs to the process. So the zone is read once, at the
 * start, before any thread exists, from the year before `now` to ZONE_YEARS after it; outside of that the
 * nearest offset holds.
 */

#include "base/clock.h"

typedef struct Zone Zone;

#define ZONE_YEARS    20U
#define ZONE_NAME_MAX 64U

/* Letters, digits, `_+-/`, no slash at either end; so the name never leaves tzdata's directory. */
bool zone_name_is_valid(const char *name);

/* A tzdata name. Without tzdata, America/Los_Angeles uses its POSIX rule, and UTC needs none. -EINVAL for a
 * wrong name, -ENOENT for a zone that is not installed. */
int zone_new(const char *name, usec_t now, Zone **ret);
int zone_new_local(usec_t now, Zone **ret); /* the process's own: $TZ, else /etc/localtime */
Zone *zone_free(Zone *z);
DEFINE_CLEANUP(Zone *, zone_free);

int zone_offset(const Zone *z, usec_t t); /* seconds east of UTC at t */

/* The first instant of the local day that contains t, and of the next day. If the local clock is put back
 * across midnight, the new day continues: each day begins exactly once, and the day before never comes
 * again. */
usec_t zone_day_start(const Zone *z, usec_t t);
usec_t zone_next_midnight(const Zone *z, usec_t t);
int64_t zone_day(const Zone *z, usec_t t); /* that day's date, in days since 1970-01-01 */
