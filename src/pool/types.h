/* SPDX-License-Identifier: MIT */
#pragma once

/* The types that the headers of the pool share; see pool.h. */

#include "core/ceiling.h"

typedef struct Pool Pool;
typedef struct PoolKey PoolKey;
typedef struct PoolProject PoolProject;
typedef struct PoolModel PoolModel;
typedef struct PoolSlot PoolSlot;     /* (key, model) */
typedef struct PoolBucket PoolBucket; /* (project, model) */

/* Why a pick took this key. */
typedef enum PoolChoice {
        POOL_CHOICE_FEWEST,   /* the fewest requests today */
        POOL_CHOICE_PROBE,    /* its probe is due */
        POOL_CHOICE_AFFINITY, /* its project has served the conversation */
        POOL_CHOICE_PINNED,   /* what the request names belongs to its project */
        POOL_CHOICE_SPARE,    /* beside a late first attempt */
        POOL_CHOICE_ROTATION, /* for no model in particular */
        _POOL_CHOICE_MAX,
} PoolChoice;

const char *pool_choice_to_string(PoolChoice c); /* "fewest today", "probe", … */

typedef struct Lease {
        PoolKey *key;
        PoolSlot *slot; /* NULL: of pool_pick_rotation() */
        PoolChoice choice;
        uint64_t id;    /* never 0; a breaker identifies its probe by it */
        CeilingTaken taken; /* reserved in the quota until the report settles it */
} Lease;

typedef enum PoolState {
        POOL_USABLE,
        POOL_PROBING,   /* half-open, and the probe is under way */
        POOL_COOLING,   /* the project's quota of this model is spent */
        POOL_UNHEALTHY, /* three errors in a row that were its own fault */
        POOL_CLOSED,    /* the project may not use the model */
        POOL_BILLING,
        POOL_DEAD,
        POOL_DISABLED,
        _POOL_STATE_MAX,
} PoolState;

const char *pool_state_to_string(PoolState s); /* "usable", "probing", "cooling", "unhealthy", … */

/* Why nothing was picked: how many keys are in which state, and when the first one frees. */
typedef struct PoolRefusal {
        size_t n_keys[_POOL_STATE_MAX]; /* including usable ones that were excluded */
        usec_t available_at; /* when the first frees; USEC_INFINITY: none by itself */
        bool is_quota, is_daily; /* a key is only cooling: 429, else 503; all by the day */
} PoolRefusal;
