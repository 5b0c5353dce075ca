/* SPDX-License-Identifier: MIT */
#pragma once

/* The shared parts of the management routes: the form of times, and the advice. */

#include "base/json/write.h"
#include "config/config.h"
#include "pool/pool.h"

/* A time as RFC 3339 in the quota's zone; null for 0 (never yet) and USEC_INFINITY (never at all). */
void manage_write_time(JWriter *w, const char *key, const Zone *zone, usec_t t);

/* What a model takes, as the member `rules`. */
void manage_write_rules(JWriter *w, const ModelRules *r);

/* --- server/admin/advice.c --- */
/* Advice to the operator from the pool's present state, as strings, in slices. head() is called before the
 * first string, when the keys of each model have been counted. */
typedef struct Advice Advice;

int manage_advice_new(Pool *pool, const Zone *zone, void (*head)(Advice *a, void *userdata), void *userdata,
                      Advice **ret);
Advice *manage_advice_free(Advice *a);
/* 1: there is more; 0: complete; -ESTALE: the keys were replaced, and it must start again. */
int manage_advice_step(Advice *a, JWriter *w, usec_t now);
void manage_advice_each_model(Advice *a, void (*f)(const PoolModelView *v, void *userdata), void *userdata);
