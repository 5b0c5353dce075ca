/* SPDX-License-Identifier: MIT */
#pragma once

/* What the management routes share: how times are written, and the advice. */

#include "base/json/write.h"
#include "config/config.h"
#include "pool/pool.h"

/* A moment as RFC 3339 in the quota's zone; null for 0 (never yet) and USEC_INFINITY (never at all). */
void manage_write_time(JWriter *w, const char *key, const Zone *zone, usec_t t);

/* --- server/admin/advice.c --- */
/* An array of sentences: what the pool's present state asks the operator to do. Pure. */
void manage_advise(JWriter *w, const char *key, Pool *pool, const Zone *zone, usec_t now);
