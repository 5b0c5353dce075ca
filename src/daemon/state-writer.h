/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Binds the pool, which notes what has changed, to a store, which writes it: when rows are taken, what
 * happens when they cannot be written, and that they come back at the start. Nothing that is wrong with the
 * file keeps the daemon from serving: what there is to say of it is said in the log. See state-writer.c.
 */

#include "pool/pool.h"
#include "io/loop.h"

typedef struct StateWriter StateWriter;

/* Opens the file and gives the pool what is known of its keys: to be called before the first request. An
 * error is one of this machine, for want of memory or descriptors, never the file's. */
int state_writer_new(Loop *l, Pool *pool, const char *path, StateWriter **ret);
/* To be called after the last request and before pool_free(): writes what is left. */
StateWriter *state_writer_free(StateWriter *k);
DEFINE_CLEANUP(StateWriter *, state_writer_free);

/* Around a change of the pool's keys: first what is noted is written, then the rows of keys that have come
 * are read. Both wait for the file, as a reload may. */
void state_writer_before_keys(StateWriter *k);
void state_writer_after_keys(StateWriter *k);
