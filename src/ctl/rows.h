/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What ListKeyHealth answers: a row for each key and model, those of one key next to each other. A row whose
 * model is empty stands for the key as such; a key that was never asked has only that.
 */

#include "ctl/ctl.h"

typedef struct KeyRow {
        const char *path, *name, *mask, *project, *model, *state, *last_error;
        uint32_t errors;
        usec_t available_at;
} KeyRow;

typedef struct KeyRows {
        sd_bus_message *message; /* the strings are its */
        KeyRow *rows;
        size_t n, size;
} KeyRows;

/* The rows of one key, seen as one. */
typedef struct RowsOfKey {
        const KeyRow *rows;
        size_t n;
        const char *state; /* of its best model: a key is as good as that */
        usec_t available_at;
        size_t n_models, n_usable;
        const char *last_error; /* any; "" if there is none */
} RowsOfKey;

int rows_get(Ctl *c, KeyRows *ret); /* 0 or an exit status */
void rows_done(KeyRows *r);
#define _cleanup_rows_ _cleanup_(rows_done)

/* The key that begins at *at, which moves on to the next; false at the end. */
bool rows_next_key(const KeyRows *r, size_t *at, RowsOfKey *ret);

/* By ID, name, mask or MASK#2; told if there is none or several are meant. 0 or an exit status. */
int rows_find(Ctl *c, const KeyRows *r, const char *what, RowsOfKey *ret);

/* How to tell that there is no such key: somebody will put a whole one there, so all of it is shown only if
 * it is short. CTL_NOTHING. */
int rows_missing(const Ctl *c, const char *what);

/* What to call a key: its name, or else its ID. malloc'ed; NULL without memory. */
char *rows_label(const KeyRow *row);
