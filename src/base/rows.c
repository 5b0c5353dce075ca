/* SPDX-License-Identifier: MIT */

/* A batch is a row's head and its values, one after the other: for each its type and its number. The number
 * is the length of the bytes that follow, if the type has any. Most numbers are 0 or small, so they take as
 * few bytes as they need: seven bits a byte, the lowest first; the eighth bit means that more follow.
 * Nothing is aligned. */

#include <errno.h>

#include "base/rows.h"

typedef struct RowHead {
        uint32_t size; /* of all that is behind it */
        uint8_t verb, table, column, n;
} RowHead;

#define NUMBER_MAX 10U

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

static char *put_number(char *at, uint64_t v) {
        for (; v >= 0x80; v >>= 7)
                *at++ = (char) (v | 0x80);
        *at++ = (char) v;
        return at;
}

static void put(Rows *rows, RowHead head, const RowValue *values) {
        size_t most = sizeof(head);
        char *begin, *at;

        for (unsigned i = 0; i < head.n; i++)
                most += 1 + NUMBER_MAX + (has_bytes(values[i].type) ? values[i].n : 0);
        rows->n++;
        if (buf_reserve(&rows->buf, most) < 0)
                return;
        begin = buf_data(&rows->buf) + rows->buf.n;
        at = begin + sizeof(head);
        for (unsigned i = 0; i < head.n; i++) {
                const RowValue *v = values + i;

                *at++ = (char) v->type;
                if (!has_bytes(v->type)) {
                        at = put_number(at, (uint64_t) v->integer);
                        continue;
                }
                at = put_number(at, v->n);
                memcpy(at, v->data, v->n);
                at += v->n;
        }
        head.size = (uint32_t) (at - begin - (ptrdiff_t) sizeof(head));
        memcpy(begin, &head, sizeof(head));
        rows->buf.n += (size_t) (at - begin);
}

static uint8_t table_of(const Rows *rows, unsigned table) {
        assert(rows->first_table + table < ROW_TABLES_MAX);
        return (uint8_t) (rows->first_table + table);
}

void rows_put(Rows *rows, unsigned table, const RowValue *values, unsigned n) {
        assert(n <= ROW_COLUMNS_MAX);
        put(rows, (RowHead){ .verb = ROW_PUT, .table = table_of(rows, table), .n = (uint8_t) n }, values);
}

static void put_condition(Rows *rows, RowVerb verb, unsigned table, unsigned column, RowValue value) {
        const RowHead head = {
                .verb = (uint8_t) verb,
                .table = table_of(rows, table),
                .column = (uint8_t) column,
                .n = 1,
        };

        put(rows, head, &value);
}

void rows_forget(Rows *rows, RowVerb verb, unsigned table, unsigned column, RowValue value) {
        put_condition(rows, verb, table, column, value);
}

void rows_find(Rows *query, unsigned table, unsigned column, RowValue value) {
        put_condition(query, ROW_FIND_EQUAL, table, column, value);
}

void rows_find_all(Rows *query, unsigned table) {
        put(query, (RowHead){ .verb = ROW_FIND_ALL, .table = table_of(query, table) }, NULL);
}

void rows_clear(Rows *rows) {
        buf_clear(&rows->buf);
        rows->n = 0;
}

void rows_done(Rows *rows) {
        buf_done(&rows->buf);
        rows->n = 0;
}

static const char *take_number(const char *at, uint64_t *ret) {
        uint64_t v = 0;

        for (unsigned shift = 0;; shift += 7) {
                uint8_t c = (uint8_t) *at++;

                v |= (uint64_t) (c & 0x7f) << shift;
                if (c < 0x80)
                        break;
        }
        *ret = v;
        return at;
}

static const char *take_value(const char *at, RowValue *ret) {
        RowType type = (RowType) *at++;
        uint64_t v;

        at = take_number(at, &v);
        if (has_bytes(type)) {
                *ret = (RowValue){ .type = type, .data = at, .n = v };
                return at + v;
        }
        *ret = (RowValue){ .type = type, .integer = (int64_t) v };
        return at;
}

bool rows_next(const Rows *rows, size_t *at, Row *ret) {
        const char *p;
        RowHead head;

        if (rows->buf.error < 0 || *at >= rows->buf.n)
                return false;
        p = buf_data(&rows->buf) + *at;
        memcpy(&head, p, sizeof(head));
        p += sizeof(head);
        *at += sizeof(head) + head.size;
        assert(*at <= rows->buf.n);
        /* Sets only the members that are used: clearing the rest would cost more than all else. */
        ret->verb = head.verb;
        ret->table = head.table;
        ret->column = head.column;
        ret->n = head.n;
        for (unsigned i = 0; i < head.n; i++)
                p = take_value(p, ret->values + i);
        return true;
}

/* --- the order for a store --- */

typedef struct RowPlace {
        uint32_t rank, at;
} RowPlace;

#define RANK_BITS  24U /* the table, and of a key as many as are left: its first 18 bits */
#define TABLE_BITS 6U
#define DIGIT_BITS 12U
#define DIGITS     (1U << DIGIT_BITS)

#define SORTED_FROM 256U

_Static_assert(ROW_TABLES_MAX <= 1U << TABLE_BITS, "a table's number has no room in the rank");

/* The table, then the beginning of the key: big-endian, in the order of keys. */
static uint32_t rank_of(const char *at, const RowHead *head) {
        uint32_t rank = 0;
        RowValue key;

        (void) take_value(at + sizeof(*head), &key);
        if (has_bytes(key.type))
                for (size_t i = 0; i < 3; i++)
                        rank = rank << 8 | (i < key.n ? (uint8_t) key.data[i] : 0U);
        return (uint32_t) head->table << (RANK_BITS - TABLE_BITS) | rank >> TABLE_BITS;
}

/* Sorts by one digit, stably: of two rows with one key the later one stays later. */
static void sort_digit(const RowPlace *from, RowPlace *to, size_t n, unsigned shift) {
        uint32_t starts[DIGITS] = {}, sum = 0;

        for (size_t i = 0; i < n; i++)
                starts[from[i].rank >> shift & (DIGITS - 1)]++;
        for (size_t i = 0; i < DIGITS; i++) {
                uint32_t count = starts[i];

                starts[i] = sum;
                sum += count;
        }
        for (size_t i = 0; i < n; i++)
                to[starts[from[i].rank >> shift & (DIGITS - 1)]++] = from[i];
}

static void sort_run(RowPlace *places, RowPlace *other, size_t n) {
        if (n < SORTED_FROM)
                return; /* so few rows take a store less time unsorted */
        sort_digit(places, other, n, 0);
        sort_digit(other, places, n, DIGIT_BITS);
}

int rows_order(const Rows *rows, size_t **ret) {
        _cleanup_free_ RowPlace *places = calloc(2 * MAX(rows->n, 1U), sizeof(RowPlace));
        _cleanup_free_ size_t *order = calloc(MAX(rows->n, 1U), sizeof(size_t));
        size_t n = 0, run = 0;

        if (!places || !order)
                return -ENOMEM;
        for (size_t at = 0; rows->buf.error == 0 && at < rows->buf.n; n++) {
                const char *p = buf_data(&rows->buf) + at;
                RowHead head;

                memcpy(&head, p, sizeof(head));
                places[n].at = (uint32_t) at;
                at += sizeof(head) + head.size;
                if (head.verb == ROW_PUT) {
                        places[n].rank = rank_of(p, &head);
                        continue;
                }
                /* Rows are not moved across a ROW_FORGET_*. */
                sort_run(places + run, places + rows->n, n - run);
                run = n + 1;
        }
        sort_run(places + run, places + rows->n, n - run);
        for (size_t i = 0; i < n; i++)
                order[i] = places[i].at;
        *ret = TAKE_PTR(order);
        return 0;
}

bool row_fits(const RowTable *t, const RowValue *values, unsigned n) {
        if (n != t->n_columns)
                return false;
        for (unsigned i = 0; i < n; i++)
                if (!(values[i].type & t->columns[i].types))
                        return false;
        return true;
}

unsigned row_n_key(const RowTable *t) {
        unsigned n = 0;

        while (n < t->n_columns && t->columns[n].merge == ROW_KEY)
                n++;
        return n;
}

static bool is_number(RowMerge m) {
        return m == ROW_SUM || m == ROW_MAX || m == ROW_PERIOD || m == ROW_PERIOD_SUM;
}

bool row_table_is_sound(const RowTable *t) {
        unsigned n_key = row_n_key(t), n_periods = 0, n_in_period = 0;

        if (t->n_columns > ROW_COLUMNS_MAX || n_key == 0 || t->also_by >= t->n_columns)
                return false;
        for (unsigned i = n_key; i < t->n_columns; i++) {
                RowMerge m = t->columns[i].merge;

                if (m <= ROW_KEY || m > ROW_PERIOD_SUM || (is_number(m) && t->columns[i].types != ROW_INT))
                        return false;
                n_periods += m == ROW_PERIOD;
                n_in_period += m == ROW_PERIOD_SUM;
        }
        return n_periods <= 1 && (n_in_period == 0 || n_periods == 1);
}

static int64_t add(int64_t a, int64_t b) {
        int64_t sum;

        return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* < 0: the period of `a` is the earlier one. */
static int compare_periods(const RowColumn *columns, unsigned n, const RowValue *a, const RowValue *b) {
        for (unsigned i = 0; i < n; i++)
                if (columns[i].merge == ROW_PERIOD)
                        return (a[i].integer > b[i].integer) - (a[i].integer < b[i].integer);
        return 0;
}

void row_merge(const RowColumn *columns, unsigned n, RowValue *into, const RowValue *from) {
        int period = compare_periods(columns, n, into, from);

        for (unsigned i = 0; i < n; i++)
                switch (columns[i].merge) {
                case ROW_KEY:
                        break;
                case ROW_SUM:
                        into[i].integer = add(into[i].integer, from[i].integer);
                        break;
                case ROW_MAX:
                case ROW_PERIOD:
                        into[i].integer = MAX(into[i].integer, from[i].integer);
                        break;
                case ROW_LATEST:
                        into[i] = from[i];
                        break;
                case ROW_PERIOD_SUM:
                        if (period == 0)
                                into[i].integer = add(into[i].integer, from[i].integer);
                        else if (period < 0)
                                into[i].integer = from[i].integer;
                        break;
                }
}
