/* SPDX-License-Identifier: MIT */
#pragma once

/* FALLBACK_MODELS: the models that serve a request when its own model cannot. The names are as configured,
 * so they may be aliases. */

#include "base/limits.h"
#include "base/macros.h"

typedef struct Fallback {
        char *model;
        char *instead[FALLBACK_STEPS_MAX]; /* in order */
        size_t n_instead;
} Fallback;

typedef struct FallbackSet {
        Fallback *all;
        size_t n;
} FallbackSet;

/* Adds a model; adds a fallback to the model added last. -E2BIG, -ENOMEM. */
int fallback_set_add(FallbackSet *s, const char *model);
int fallback_set_add_step(FallbackSet *s, const char *instead);
void fallback_set_done(FallbackSet *s);

const Fallback *fallback_set_find(const FallbackSet *s, const char *model); /* or NULL */
