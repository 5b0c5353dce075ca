/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool's data that statistics and screens show; see view.c. Part of pool.h, which includes it. */

#include "base/secret.h"
#include "core/day.h"
#include "pool/types.h"

typedef struct PoolCounters {
        uint64_t total, today, errors;
        uint64_t tokens_in, tokens_out;
        usec_t last_used; /* 0: never */
} PoolCounters;

/* The percentage of requests that failed. */
static inline double pool_error_rate(const PoolCounters *c) {
        return c->total > 0 ? 100.0 * (double) c->errors / (double) c->total : 0;
}

typedef struct PoolKeyView {
        const char *mask;    /* unique in the pool: a second key of the same mask is MASK#2 */
        const char *name;    /* NULL if it has none */
        const char *project; /* NULL: the key is its own project */
        PoolState state;     /* of the key itself: usable, billing, dead, disabled */
        PoolCounters counters;
        const char *last_error; /* explains the state; else the latest of its models; NULL if none */
        usec_t last_error_at;
        usec_t last_reset, next_reset; /* the daily resets */
} PoolKeyView;

typedef struct PoolSlotView {
        const char *model;
        PoolState state;
        PoolCounters counters;
        unsigned consecutive_errors; /* of the key's own fault: three make it unhealthy */
        usec_t available_at;         /* 0: now; USEC_INFINITY: not by itself */
        const char *last_error;      /* explains the state; else the last one since a success; scrubbed; NULL
                                        if none */
        usec_t last_error_at;        /* 0: none */
        bool is_healthy;             /* the slot's own health only */
} PoolSlotView;

typedef struct PoolModelView {
        const char *name;
        size_t usable_keys, total_keys, healthy_keys; /* enabled keys; healthy: neither unhealthy nor dead */
        bool missing; /* Google does not know the model: no key is usable */
        PoolCounters counters;
        PoolRefusal standing; /* key counts by state, filled even when keys are usable */
} PoolModelView;

const Day *pool_day(Pool *p, usec_t now); /* the day that holds `now` */

/* Of all requests, including those of keys and models that are gone. O(1). */
void pool_counters(Pool *p, usec_t now, PoolCounters *ret);
/* Requests of clients, as pool_count_client() has counted them; `errors` and tokens are 0. */
void pool_client_counters(Pool *p, usec_t now, PoolCounters *ret);
size_t pool_n_keys(const Pool *p);
size_t pool_n_slots(const Pool *p);     /* pairs of key and model; a few may be without a request */
uint64_t pool_keys_serial(const Pool *p); /* changes with each reload: a walk by index must start again */
size_t pool_n_models(const Pool *p);
const PoolKey *pool_key(const Pool *p, size_t i);
/* How many enabled keys its project has, if that has a name, and the key is the first of them; else 0. */
size_t pool_key_n_sharing(const PoolKey *k);
Secret *pool_key_secret(const PoolKey *k);
void pool_key_view(Pool *p, const PoolKey *k, usec_t now, PoolKeyView *ret);

/* Call back for each model that this key was used for / that the pool knows, in order of first use. */
void pool_each_slot(Pool *p, const PoolKey *k, usec_t now, void (*f)(const PoolSlotView *v, void *userdata),
                    void *userdata);
void pool_each_model(Pool *p, usec_t now, void (*f)(const PoolModelView *v, void *userdata), void *userdata);
size_t pool_enabled_keys(const Pool *p);
size_t pool_usable_keys(Pool *p, usec_t now); /* neither disabled, dead nor out of credit; O(1) */
