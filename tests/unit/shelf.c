/* SPDX-License-Identifier: MIT */
#include "shelf.h"

bool shelf_same_value(const RowValue *a, const RowValue *b) {
        if (a->type != b->type)
                return false;
        if (a->type == ROW_INT)
                return a->integer == b->integer;
        return a->n == b->n && memcmp(a->data, b->data, a->n) == 0;
}

bool shelf_is_found(const Row *row, const Row *asked) {
        return row->table == asked->table &&
               (asked->verb == ROW_FIND_ALL ||
                shelf_same_value(row->values + asked->column, asked->values));
}

Row shelf_row(const Shelf *s, size_t i) {
        size_t at = 0;
        Row row;

        assert_true(rows_next(&s->kept[i].row, &at, &row));
        return row;
}

static void shelf_drop(Shelf *s, size_t i) {
        rows_done(&s->kept[i].row);
        s->kept[i] = s->kept[--s->n];
}

void shelf_take(Shelf *s, const RowSchema *schema, const Row *row) {
        const RowTable *t = schema->tables + row->table;

        s->n_written++;
        for (size_t i = s->n; i-- > 0;) {
                Row old = shelf_row(s, i);
                bool same = old.table == row->table;

                if (row->verb == ROW_FORGET_EQUAL)
                        same = same && shelf_same_value(old.values + row->column, row->values);
                else if (row->verb == ROW_FORGET_BELOW)
                        same = same && old.values[row->column].integer < row->values[0].integer;
                for (unsigned j = 0; row->verb == ROW_PUT && j < row_n_key(t); j++)
                        same = same && shelf_same_value(old.values + j, row->values + j);
                if (same)
                        shelf_drop(s, i);
        }
        if (row->verb != ROW_PUT)
                return;
        assert_true(row_fits(t, row->values, row->n));
        assert_in_range(s->n, 0, ROWS_MAX - 1);
        s->kept[s->n] = (Kept){ row->table, ROWS_INIT(65536) };
        rows_put(&s->kept[s->n++].row, row->table, row->values, row->n);
}

void shelf_done(Shelf *s) {
        while (s->n > 0)
                shelf_drop(s, s->n - 1);
}

size_t shelf_count(const Shelf *s, unsigned table) {
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++)
                n += s->kept[i].table == table;
        return n;
}
