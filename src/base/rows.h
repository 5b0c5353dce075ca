/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Rows of tables, between the pool and a store: the pool describes its tables and fills rows, a store writes
 * and reads them, and neither knows the other. A Rows is a batch of changes to a store, a query or its
 * answer, in order, copied into one buffer that can be passed on as a whole.
 */

#include "base/buf.h"

/* A bit each: a column may allow several types. */
typedef enum RowType {
        ROW_NULL = 1,
        ROW_INT = 2,
        ROW_TEXT = 4,
        ROW_BLOB = 8,
} RowType;

typedef struct RowValue {
        RowType type;
        int64_t integer;
        const char *data; /* of a text or blob: n bytes, without a NUL */
        size_t n;
} RowValue;

/* How a column is merged when two rows with the same key become one, see row_merge(). */
typedef enum RowMerge {
        ROW_KEY = 1,    /* part of the key, so it is the same in both; a table's first columns */
        ROW_SUM,        /* a count: the sum of both */
        ROW_MAX,        /* the greater number */
        ROW_LATEST,     /* the value of the row that was written later */
        ROW_PERIOD,     /* the beginning of a period, such as a day: the later one; one column a table */
        ROW_PERIOD_SUM, /* a count in that period: the sum, if both have the same period, else the later
                         * period's */
} RowMerge;

typedef struct RowColumn {
        const char *name;
        unsigned types;
        RowMerge merge;
} RowColumn;

typedef struct RowTable {
        const char *name;
        const RowColumn *columns;
        unsigned n_columns;
        unsigned also_by; /* a column behind the key that rows are found by; 0: none */
} RowTable;

typedef struct RowSchema {
        const RowTable *tables;
        unsigned n_tables; /* ROW_TABLES_MAX at most */
} RowSchema;

#define ROW_TABLES_MAX 64U

#define ROW_COLUMNS_MAX 24U

typedef enum RowVerb {
        ROW_PUT,          /* replaces the row with the same key, if any */
        ROW_FORGET_EQUAL, /* all rows whose column is the value */
        ROW_FORGET_BELOW, /* all rows whose column is less */
        ROW_FIND_ALL,     /* in a query only: all rows of the table */
        ROW_FIND_EQUAL,   /* in a query only: all rows whose column is the value */
        _ROW_VERB_MAX,
} RowVerb;

typedef struct Row {
        RowVerb verb;
        unsigned table;
        unsigned column; /* of ROW_FORGET_* and ROW_FIND_EQUAL; the value is values[0] */
        unsigned n;
        RowValue values[ROW_COLUMNS_MAX];
} Row;

typedef struct Rows {
        Buf buf; /* sticky: after a row that found no memory the batch is lost, see buf.error */
        size_t n;
        unsigned first_table; /* the store's number of the first table of the source that fills the batch
                               * now */
} Rows;

#define ROWS_INIT(ceiling) ((Rows){ .buf = BUF_INIT(ceiling) })

static inline RowValue row_int(uint64_t v) {
        return (RowValue){ .type = ROW_INT, .integer = (int64_t) MIN(v, (uint64_t) INT64_MAX) };
}

RowValue row_text(const char *s); /* NULL: a null */
RowValue row_blob(const void *p, size_t n);

void rows_put(Rows *rows, unsigned table, const RowValue *values, unsigned n);
void rows_forget(Rows *rows, RowVerb verb, unsigned table, unsigned column, RowValue value);
/* The first column of a table's key, or its also_by: others would be searched for row by row. */
void rows_find(Rows *query, unsigned table, unsigned column, RowValue value);
void rows_find_all(Rows *query, unsigned table);
void rows_clear(Rows *rows);
void rows_done(Rows *rows);

/* The next row after *at, which starts at 0; false at the end. It points into the batch. */
bool rows_next(const Rows *rows, size_t *at, Row *ret);

/* The position of each row, for rows_next(), in an order that suits a store: grouped by table, sorted by
 * key. ROW_FORGET_* rows keep their place, and of two rows of one key the later one stays later. The caller
 * frees it. -ENOMEM. */
int rows_order(const Rows *rows, size_t **ret);

unsigned row_n_key(const RowTable *t); /* how many columns, from the first, form the key */

/* True if the description is complete: the key columns come first, and each column has a merge kind that
 * its type allows. */
bool row_table_is_sound(const RowTable *t);

/* Merges `from`, the later row, into `into`, by the merge kind of each column. Texts and blobs are borrowed
 * from either. Adding a row twice counts twice: only a store that knows what it has added may do it. */
void row_merge(const RowColumn *columns, unsigned n, RowValue *into, const RowValue *from);

/* True if each value has a type that its column allows: values from a file may be anything. */
bool row_fits(const RowTable *t, const RowValue *values, unsigned n);
