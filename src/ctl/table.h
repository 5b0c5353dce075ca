/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Aligned columns. Cells are added from left to right, row after row; the width of each column is known when
 * the table is printed. A cell may contain foreign text (an error of Google's), so control characters are
 * removed: only text reaches the terminal. Errors are sticky, as in a Buf: look at `error` at the end.
 */

#include "ctl/screen.h"

typedef struct Column {
        const char *head;
        bool right; /* numbers */
        bool cut;   /* its cells are shortened if the line is wider than the screen; one column at most */
        bool wrap;  /* its cells become several lines instead; for the last column */
} Column;

typedef struct Cell {
        char *text;
        Style style;
        bool none; /* there is no text: a dash */
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

int table_print(const Table *t, const Screen *s, Buf *out);

/* Text that begins in the column `indent`, where its further lines begin, too. */
void table_wrap(const Screen *s, Style style, const char *text, size_t indent, Buf *out);

/* A copy without characters that move the cursor; NULL: no memory. */
char *table_clean(const char *text);
