/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Aligned columns. Cells are added from left to right, row after row; the width of each column is known when
 * the table is printed. What a stranger wrote (an error of Google's) may stand in a cell: control characters
 * are taken out, so that nothing reaches the terminal but text on its line. Errors are sticky, as a Buf's
 * are: look at `error` at the end.
 */

#include "ctl/screen.h"

typedef struct Column {
        const char *head;
        bool right; /* numbers */
        bool cut;   /* what gives way when the line is wider than the terminal; one column at most */
} Column;

typedef struct Cell {
        char *text;
        Style style;
} Cell;

typedef struct Table {
        const Column *columns;
        size_t n_columns;
        Cell *cells;
        size_t n, size;
        int error;
} Table;

#define TABLE_INIT(c) ((Table){ .columns = (c), .n_columns = ELEMENTSOF(c) })

void table_done(Table *t);
#define _cleanup_table_ _cleanup_(table_done)

void table_add(Table *t, Style style, const char *text); /* "" and NULL are shown as a dash */
void table_addf(Table *t, Style style, const char *fmt, ...) _printf_(3, 4);

/* `full`: never cut. */
int table_print(const Table *t, const Screen *s, bool full, Buf *out);

/* A copy in which nothing moves the cursor; NULL: no memory. */
char *table_clean(const char *text);
