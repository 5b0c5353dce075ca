/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Binds the pool, which notes what has changed, to a store, which writes it: when rows are taken, what
 * happens when they cannot be written, and that they come back at the start. Nothing that is wrong with the
 * file keeps the daemon from serving: what there is to say of it is said in the log. See state-writer.c.
 */

#include "pool/pool.h"
#include "io/loop.h"

typedef struct Keeper Keeper;

/* Opens the file and gives the pool what is known of its keys: to be called before the first request. An
 * error is one of this machine, for want of memory or descriptors, never the file's. */
int keeper_new(Loop *l, Pool *pool, const char *path, Keeper **ret);
Keeper *keeper_free(Keeper *k); /* before the pool, after the last request: writes what is left */
DEFINE_CLEANUP(Keeper *, keeper_free);

/* Around a change of the pool's keys: first what is noted is written, then the rows of keys that have come
 * are read. Both wait for the file, as a reload may. */
void keeper_before_keys(Keeper *k);
void keeper_after_keys(Keeper *k);
