/* SPDX-License-Identifier: MIT */
#pragma once

/* Rows by table and key, in memory, as a store has them after each batch. */

#include "test.h"

#include "base/rows.h"

#define ROWS_MAX 4096U

typedef struct Kept {
        unsigned table;
        Rows row; /* one */
} Kept;

typedef struct Shelf {
        Kept kept[ROWS_MAX];
        size_t n, n_written;
} Shelf;

void shelf_take(Shelf *s, const RowSchema *schema, const Row *row);
Row shelf_row(const Shelf *s, size_t i);
size_t shelf_count(const Shelf *s, unsigned table);
bool shelf_is_found(const Row *row, const Row *asked); /* by a row of a query */
bool shelf_same_value(const RowValue *a, const RowValue *b);
void shelf_done(Shelf *s);
