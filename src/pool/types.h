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
        POOL_CHOICE_PROBE,    /* a breaker of it is half-open: the request is the probe */
        POOL_CHOICE_AFFINITY, /* its project has served the conversation */
        POOL_CHOICE_PINNED,   /* the file or cached content that the request names belongs to its project */
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
        bool unsent;    /* set before pool_report(): nothing was sent to Google */
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
        POOL_MISSING,   /* of a usable key: Google does not know the model; in views alone */
        _POOL_STATE_MAX,
} PoolState;

const char *pool_state_to_string(PoolState s); /* "usable", "probing", "cooling", "unhealthy", … */

/* Why nothing was picked: how many keys are in which state, and when the first one becomes usable. */
typedef struct PoolRefusal {
        size_t n_keys[_POOL_STATE_MAX]; /* including usable ones that were excluded */
        usec_t available_at; /* when the first key becomes usable; USEC_INFINITY: none does by itself */
        bool is_quota; /* at least one key is blocked by quota alone: 429, else 503 */
        bool is_daily; /* all of those are blocked by a day's quota */
} PoolRefusal;
