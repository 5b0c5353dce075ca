/* SPDX-License-Identifier: MIT */
#pragma once

/* The chains of enabled keys and of their projects. Part of the pool, see chain.c. */

#include "pool/heaps.h"

/* Puts an enabled key, which is in no chain, where its place in the configuration is. O(models); O(keys) if
 * its neighbours are disabled or of other projects. */
void pool_chain_insert(Pool *p, PoolKey *k);

/* Takes the key out of the chains; harmless if it is in none. */
void pool_chain_remove(Pool *p, PoolKey *k);

/* A new arrangement begins: from now on each key comes once, in the order of the configuration, to
 * pool_chain_arrange() if it is enabled. The chains are complete and usable all the time. */
void pool_chain_begin(Pool *p);
void pool_chain_arrange(Pool *p, PoolKey *k, uint32_t index);

/* A key without a place in the arrangement under way comes to the chains by it. */
bool pool_key_is_arranged(const Pool *p, const PoolKey *k);

/* Places the key's slots again; its index, its project or `disabled` has changed. */
void pool_key_place_slots(Pool *p, PoolKey *k);

/* Rebuilds all chains, counts and heaps, in the order of p->keys. O(keys + slots). */
void pool_arrange(Pool *p);

/* The first one of the chain, from this one on, that the bucket has no slot of, or the model no bucket; NULL
 * also if more than `n` are passed over. */
PoolKey *pool_next_untried_key(const PoolBucket *b, PoolKey *k, size_t n);
PoolProject *pool_next_untried_project(const PoolModel *m, PoolProject *project, size_t n);

size_t pool_project_usable(const PoolProject *project); /* its share of p->n_usable */
