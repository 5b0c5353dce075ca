/* SPDX-License-Identifier: MIT */

/* The batch is a row's head and its values, each a head and its bytes, one behind the other. They are copied
 * in and out, so nothing has to be aligned. */

#include "base/rows.h"

typedef struct RowHead {
        uint8_t verb, table, column, n;
} RowHead;

typedef struct ValueHead {
        uint8_t type;
        int64_t integer; /* or the length */
} ValueHead;

RowValue row_text(const char *s) {
        if (!s)
                return (RowValue){ .type = ROW_NULL };
        return (RowValue){ .type = ROW_TEXT, .data = s, .n = strlen(s) };
}

RowValue row_blob(const void *p, size_t n) {
        return (RowValue){ .type = ROW_BLOB, .data = p, .n = n };
}

static bool has_bytes(RowType type) {
        return type & (ROW_TEXT | ROW_BLOB);
}

static void put(Rows *rows, const RowHead *head, const RowValue *values) {
        (void) buf_append(&rows->buf, head, sizeof(*head));
        for (unsigned i = 0; i < head->n; i++) {
                bool bytes = has_bytes(values[i].type);
                ValueHead v = {
                        .type = (uint8_t) values[i].type,
                        .integer = bytes ? (int64_t) values[i].n : values[i].integer,
                };

                (void) buf_append(&rows->buf, &v, sizeof(v));
                if (bytes)
                        (void) buf_append(&rows->buf, values[i].data, values[i].n);
        }
        rows->n++;
}

void rows_put(Rows *rows, unsigned table, const RowValue *values, unsigned n) {
        assert(n <= ROW_COLUMNS_MAX);
        put(rows, &(const RowHead){ .verb = ROW_PUT, .table = (uint8_t) table, .n = (uint8_t) n }, values);
}

void rows_forget(Rows *rows, RowVerb verb, unsigned table, unsigned column, RowValue value) {
        const RowHead head = {
                .verb = (uint8_t) verb,
                .table = (uint8_t) table,
                .column = (uint8_t) column,
                .n = 1,
        };

        put(rows, &head, &value);
}

void rows_clear(Rows *rows) {
        buf_clear(&rows->buf);
        rows->n = 0;
}

void rows_done(Rows *rows) {
        buf_done(&rows->buf);
        rows->n = 0;
}

static void take(const Rows *rows, size_t *at, void *ret, size_t n) {
        assert(*at + n <= rows->buf.n);
        memcpy(ret, buf_data(&rows->buf) + *at, n);
        *at += n;
}

bool rows_next(const Rows *rows, size_t *at, Row *ret) {
        RowHead head;

        if (rows->buf.error < 0 || *at >= rows->buf.n)
                return false;
        take(rows, at, &head, sizeof(head));
        *ret = (Row){ .verb = head.verb, .table = head.table, .column = head.column, .n = head.n };
        for (unsigned i = 0; i < head.n; i++) {
                RowValue *v = ret->values + i;
                ValueHead value;

                take(rows, at, &value, sizeof(value));
                v->type = value.type;
                v->integer = value.integer;
                if (!has_bytes(v->type))
                        continue;
                v->n = (size_t) value.integer;
                v->data = buf_data(&rows->buf) + *at;
                *at += v->n;
        }
        return true;
}

bool row_fits(const RowTable *t, const RowValue *values, unsigned n) {
        if (n != t->n_columns)
                return false;
        for (unsigned i = 0; i < n; i++)
                if (!(values[i].type & t->columns[i].types))
                        return false;
        return true;
}
