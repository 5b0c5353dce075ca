/* SPDX-License-Identifier: MIT */
#pragma once

/* The shared parts of the management routes: the form of times, and the advice. */

#include "base/json/write.h"
#include "config/config.h"
#include "pool/pool.h"

/* A time as RFC 3339 in the quota's zone; null for 0 (never yet) and USEC_INFINITY (never at all). */
void manage_write_time(JWriter *w, const char *key, const Zone *zone, usec_t t);

/* --- server/admin/advice.c --- */
/* Writes an array of sentences: advice to the operator from the pool's present state. Pure. */
void manage_advise(JWriter *w, const char *key, Pool *pool, const Zone *zone, usec_t now);
