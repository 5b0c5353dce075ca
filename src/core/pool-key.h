/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool's keys and projects; a part of the pool, see pool.c. */

#include "base/list.h"
#include "core/breaker.h"
#include "core/pool.h"

typedef struct PoolProject PoolProject;
typedef struct PoolBucket PoolBucket;

/* Counters with the day that `today` belongs to. */
typedef struct PoolTally {
        PoolCounters counters;
        usec_t day;
} PoolTally;

static inline void pool_tally_roll(PoolTally *t, usec_t day) {
        if (t->day == day)
                return;
        t->day = day;
        t->counters.today = 0;
}

/* Keys that are disabled belong to a project, but stand in no list of it. */
struct PoolProject {
        const char *name; /* first, for pool_name_compare(); NULL for a key's own project */
        Breaker breaker;
        bool billing;   /* why the breaker is open: money, or else suspended, API off… */
        size_t n_alive; /* enabled keys whose own breaker is closed */
        PoolKey *first_key, *last_key;
        PoolProject *next; /* in the order of their first enabled keys */
        List buckets;
        PoolBucket *scratch; /* NULL outside pool_census() */
};

struct PoolKey {
        Secret *secret;
        char *name;
        char mask[SECRET_MASK_MAX + sizeof("#100000")];
        size_t n_mask;    /* the mask's length without #n */
        unsigned n_alike; /* keys of the same mask, where this is the first of them */
        uint32_t index;
        bool disabled;
        Breaker breaker;
        PoolTally tally;
        PoolProject *project; /* a named one, or &own */
        PoolProject own;
        PoolKey *next_of_project;
        List slots;
        PoolSlot *scratch; /* NULL outside pool_census() */
};

void pool_keys_free(Pool *p);

/* Opens a breaker that concerns the key, or closes it (until 0), so that the usable keys stay counted. */
void pool_breaker_set(Pool *p, PoolKey *k, Breaker *b, usec_t until);

/* For tsearch() trees of things that begin with a pointer to their name. */
int pool_name_compare(const void *a, const void *b);
