/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Rows of tables, for whoever keeps them: the pool describes its tables and fills rows, a store writes and
 * reads them, and neither knows the other. Rows is a batch: what is to be done to a store, in order, copied
 * into one buffer that can be handed on as a whole.
 */

#include "base/buf.h"

/* A bit each: a column may allow several. */
typedef enum RowType {
        ROW_NULL = 1,
        ROW_INT = 2,
        ROW_TEXT = 4,
        ROW_BLOB = 8,
} RowType;

typedef struct RowValue {
        RowType type;
        int64_t integer;
        const char *data; /* of a text or blob: n bytes, no NUL behind them */
        size_t n;
} RowValue;

typedef struct RowColumn {
        const char *name;
        unsigned types;
} RowColumn;

typedef struct RowTable {
        const char *name;
        const RowColumn *columns; /* the first n_key tell a row from all others */
        unsigned n_columns, n_key;
} RowTable;

/*
 * A new table raises no version: older programs leave it alone. A new or changed column does, and the
 * migration to it (migrations[v - 2] leads from version v - 1 to v) is the store's own language, SQL.
 */
typedef struct RowSchema {
        uint32_t application_id;
        unsigned version; /* from 1 */
        const RowTable *tables;
        unsigned n_tables;
        const char *const *migrations; /* version - 1 of them */
} RowSchema;

#define ROW_COLUMNS_MAX 24U

typedef enum RowVerb {
        ROW_PUT,          /* in the place of the row with the same key, if there is one */
        ROW_FORGET_EQUAL, /* all rows whose column is the value */
        ROW_FORGET_BELOW, /* all rows whose column is less */
        _ROW_VERB_MAX,
} RowVerb;

typedef struct Row {
        RowVerb verb;
        unsigned table;
        unsigned column; /* of ROW_FORGET_*; the value is values[0] */
        unsigned n;
        RowValue values[ROW_COLUMNS_MAX];
} Row;

typedef struct Rows {
        Buf buf; /* sticky: a row that found no memory has spoiled the batch, see buf.error */
        size_t n;
} Rows;

#define ROWS_INIT(ceiling) ((Rows){ .buf = BUF_INIT(ceiling) })

static inline RowValue row_int(uint64_t v) {
        return (RowValue){ .type = ROW_INT, .integer = (int64_t) MIN(v, (uint64_t) INT64_MAX) };
}

RowValue row_text(const char *s); /* NULL: a null */
RowValue row_blob(const void *p, size_t n);

void rows_put(Rows *rows, unsigned table, const RowValue *values, unsigned n);
void rows_forget(Rows *rows, RowVerb verb, unsigned table, unsigned column, RowValue value);
void rows_clear(Rows *rows);
void rows_done(Rows *rows);

/* The next row behind *at, which begins with 0; false at the end. It points into the batch. */
bool rows_next(const Rows *rows, size_t *at, Row *ret);

/* Where each row is, for rows_next(), in an order that a store likes: those of one table together, and by
 * their keys. What is forgotten keeps its place, and of two rows of one key the later one is behind. To be
 * freed. -ENOMEM. */
int rows_order(const Rows *rows, size_t **ret);

/* True if each value is of a type that its column allows: what comes from a file may be anything. */
bool row_fits(const RowTable *t, const RowValue *values, unsigned n);
