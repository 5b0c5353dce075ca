/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The standing of all keys for all models, counted in one walk over the keys. The walk may take many turns
 * of the loop: between two keys, models may come and go. A model that is new since then is left out; nothing
 * of one that was forgotten is used. After a reload (pool_keys_serial()) the survey must start again.
 */

#include "base/limits.h"
#include "pool/standing.h"

typedef struct PoolSurvey {
        Pool *pool;
        struct {
                uint64_t serial; /* of the model at this place; 0: none */
                PoolCensus census;

                /* of the key that is being counted */
                PoolBucket *bucket;
                PoolSlot *slot;
        } models[MODELS_MAX];
        uint32_t places[MODELS_MAX]; /* of its models */
        size_t n;
} PoolSurvey;

void pool_survey_begin(PoolSurvey *s, Pool *p);
void pool_survey_key(PoolSurvey *s, const PoolKey *k, usec_t now);
void pool_survey_each_model(PoolSurvey *s, usec_t now, void (*f)(const PoolModelView *v, void *userdata),
                            void *userdata);
