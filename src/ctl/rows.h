/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The answer of ListKeyHealth: a row for each key and model, those of one key together. A row with an empty
 * model is the key itself; a key without requests has only that one.
 */

#include "ctl/ctl.h"

typedef struct KeyRow {
        const char *path, *name, *mask, *project, *model, *state, *last_error;
        uint32_t errors;
        usec_t available_at;
} KeyRow;

typedef struct KeyRows {
        sd_bus_message *message; /* owns the strings */
        KeyRow *rows;
        size_t n, size;
} KeyRows;

/* The rows of one key, summed up. */
typedef struct RowsOfKey {
        const KeyRow *rows;
        size_t n;
        const char *state; /* of its best model */
        usec_t available_at;
        size_t n_models, n_usable, n_missing; /* a missing model counts as one of the models */
        const char *last_error; /* of its worst model; "" if there is none */
} RowsOfKey;

int rows_get(Ctl *c, KeyRows *ret); /* 0 or an exit status */
void rows_done(KeyRows *r);
#define _cleanup_rows_ _cleanup_(rows_done)

/* Google does not know the model, which proves nothing about the key. */
bool row_is_missing(const KeyRow *row);

/* The key that begins at *at, which moves on to the next; false at the end. */
bool rows_next_key(const KeyRows *r, size_t *at, RowsOfKey *ret);

/* Finds a key by ID, name, mask or MASK#2; prints an error if there is none, or several. 0 or an exit
 * status. */
int rows_find(Ctl *c, const KeyRows *r, const char *what, RowsOfKey *ret);

/* Prints that there is no such key. The argument may be a whole secret key, so all of it is shown only if it
 * is short. CTL_NOTHING. */
int rows_missing(const Ctl *c, const char *what);

/* A key's name, or its ID. malloc'ed; NULL without memory. */
char *rows_label(const KeyRow *row);
