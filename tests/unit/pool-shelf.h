/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A pool with a store, for tests. The shelf takes the place of the store: it keeps the rows of batches by
 * table and key, as a store would. A new pool that is restored from the shelf must equal the one before;
 * everything that a pool shows is compared.
 */

#include "test.h"

#include "pool-keys.h"
#include "shelf.h"

#define MIDNIGHT (1795334400 * USEC_PER_SEC) /* 2026-11-22, in Los Angeles */
#define NOON     (MIDNIGHT + 12 * USEC_PER_HOUR)

typedef struct World {
        Pool *pool;
        usec_t now;
        Shelf shelf;
        unsigned n_noted, n_urgent;
        unsigned keep_days; /* 0: as usual */
} World;

typedef struct KeyRow {
        const char *key, *name, *project;
        bool disabled;
} KeyRow;

extern const KeyRow four[4];

int world_set_up(void **state); /* of all tests: the zone */
int world_tear_down(void **state);

/* A start, with what is on the shelf; the stop of one daemon and the start of the next; the end. */
void world_begin_unread(World *w, const KeyRow *keys, size_t n); /* without it yet */
void world_begin(World *w, const KeyRow *keys, size_t n);
void world_restart(World *w, const KeyRow *keys, size_t n);
void world_end(World *w);
void world_done(World *w);

PoolChange world_set_keys(World *w, const KeyRow *keys, size_t n);
size_t world_restore(World *w);          /* in use, in parts; how many rows made no sense */
unsigned world_save(World *w, bool all); /* how many batches */

Lease world_pick(World *w, const char *model);
/* A client's request, of one attempt with this verdict. */
void world_ask(World *w, const char *model, VerdictClass class, usec_t retry_after);

/* All that the pool shows, to be freed; the same after a restart. */
char *world_show(World *w);
void world_assert_survives(World *w, const KeyRow *keys, size_t n);
size_t world_days(World *w, unsigned n); /* how many rows of days it shows */
