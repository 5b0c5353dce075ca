/* SPDX-License-Identifier: MIT */
#pragma once

/* Projects that Google has named. Part of the pool, see project.c. */

#include "pool/key.h"

/* A verdict has named the key's project. To be called at the end of the report. */
void pool_project_learn(Pool *p, PoolKey *k, const char *name);

/* The project was learned before a restart: the key moves at once, without a notification. With `is_placed`
 * it comes to its place in the chains; otherwise the caller rearranges everything. -ENOMEM. */
int pool_project_restore(Pool *p, PoolKey *k, const char *name, bool is_placed);

/* Moves keys to their learned projects, if it is time. */
void pool_project_join(Pool *p);

/* Moves the key to another project; the caller then rearranges everything. pool_key_prepare_move() makes the
 * buckets that it needs there, and may fail. One without slots is as if it had not been made. */
int pool_key_prepare_move(Pool *p, PoolKey *k, PoolProject *to);
void pool_key_move(Pool *p, PoolKey *k, PoolProject *to);
