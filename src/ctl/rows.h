/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What ListKeyHealth answers: a row for each key and model, those of one key next to each other. A row whose
 * model is empty stands for the key as such; a key that was never asked has only that.
 */

#include "ctl/ctl.h"

typedef struct Row {
        const char *path, *name, *mask, *project, *model, *state, *last_error;
        uint32_t errors;
        usec_t available_at;
} Row;

typedef struct Rows {
        sd_bus_message *message; /* the strings are its */
        Row *rows;
        size_t n, size;
} Rows;

/* The rows of one key, seen as one. */
typedef struct KeyRows {
        const Row *rows;
        size_t n;
        const char *state; /* of its best model: a key is as good as that */
        usec_t available_at;
        size_t n_models, n_usable;
        const char *last_error; /* any; "" if there is none */
} KeyRows;

int rows_get(Ctl *c, Rows *ret); /* 0 or an exit status */
void rows_done(Rows *r);
#define _cleanup_rows_ _cleanup_(rows_done)

/* The key that begins at *at, which moves on to the next; false at the end. */
bool rows_next_key(const Rows *r, size_t *at, KeyRows *ret);

/* By ID, name, mask or MASK#2; told if there is none or several are meant. 0 or an exit status. */
int rows_find(Ctl *c, const Rows *r, const char *what, KeyRows *ret);

/* How to tell that there is no such key: somebody will put a whole one there, so all of it is shown only if
 * it is short. CTL_NOTHING. */
int rows_missing(const Ctl *c, const char *what);

/* What to call a key: its name, or else its ID. malloc'ed; NULL without memory. */
char *rows_label(const Row *row);
