/* SPDX-License-Identifier: MIT */
#pragma once

/* The rows of ListKeyHealth by model, in order of first mention. */

#include "ctl/rows.h"

typedef struct Model {
        const char *name, *state; /* of its best key */
        usec_t available_at;
        size_t n_keys, n_usable;
} Model;

typedef struct Models {
        Model *models;
        size_t n, size;
} Models;

int models_of(const KeyRows *rows, Models *ret); /* -ENOMEM; the strings are the rows' */
void models_done(Models *l);
#define _cleanup_models_ _cleanup_(models_done)
