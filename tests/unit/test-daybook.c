/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/limits.h"
#include "base/rows.h"
#include "pool/daybook.h"

/* Rows in a batch, and the book of days. */

static void put(Daybook *b, uint32_t date, const char *model, uint64_t requests) {
        assert_int_equal(daybook_put(b, date, model, &(const DayCounters){ .requests = requests }), 0);
}

/* "20261124/ 3, 20261124/a 2" */
static void assert_book(const Daybook *b, const char *expected) {
        _cleanup_buf_ Buf text = BUF_INIT(4096);

        for (size_t i = 0; i < daybook_n(b); i++) {
                DayRow row = daybook_row(b, i);

                (void) buf_printf(&text, "%s%u/%s %llu", i > 0 ? ", " : "", row.date, row.model,
                                  (unsigned long long) row.counters.requests);
        }
        assert_string_equal(buf_cstr(&text), expected);
}

static void assert_dirty(Daybook *b, const char *expected) {
        _cleanup_buf_ Buf text = BUF_INIT(4096);
        DayRow row;

        while (daybook_take_dirty(b, &row))
                (void) buf_printf(&text, "%u/%s ", row.date, row.model);
        assert_string_equal(buf_cstr(&text), expected);
}

static void test_book(void **state) {
        _cleanup_(daybook_freep) Daybook *b = NULL;
        DayCounters c;

        assert_int_equal(daybook_new(&b), 0);
        put(b, 20261125, "b", 1);
        put(b, 20261124, "", 3);
        put(b, 20261125, "", 4);
        put(b, 20261124, "a", 2);
        assert_book(b, "20261124/ 3, 20261124/a 2, 20261125/ 4, 20261125/b 1");
        put(b, 20261125, "b", 7);
        assert_true(daybook_get(b, 20261125, "b", &c));
        assert_int_equal(c.requests, 7);
        assert_false(daybook_get(b, 20261124, "b", &c));
        assert_dirty(b, "20261125/b 20261125/ 20261124/a 20261124/ ");

        /* A row with equal values is not dirty; a changed one is, at any place. */
        put(b, 20261125, "b", 7);
        assert_dirty(b, "");
        put(b, 20261124, "", 4);
        assert_dirty(b, "20261124/ ");
        put(b, 20261125, "b", 8);
        put(b, 20261123, "", 1);
        assert_dirty(b, "20261125/b 20261123/ ");
        daybook_dirty_all(b);
        daybook_clean_all(b);
        assert_dirty(b, "");

        put(b, 20261124, "", 5);
        put(b, 20261125, "", 5);
        daybook_keep(b, 20261125, 1);
        assert_book(b, "20261125/ 5, 20261125/b 8");
        assert_dirty(b, "20261125/ ");
        daybook_keep(b, 20261201, 1); /* the latest date, however long ago */
        assert_book(b, "20261125/ 5, 20261125/b 8");
}

/* Dates are dropped by their number: a clock that is wrong for a moment costs one date at most. */
static void test_wrong_clock(void **state) {
        _cleanup_(daybook_freep) Daybook *b = NULL;
        static const uint32_t dates[] = { 20261123, 20261124, 20261125, 20261126 };

        assert_int_equal(daybook_new(&b), 0);
        assert_int_equal(daybook_first_date(b), 0);
        assert_int_equal(daybook_nth_date(b, 20261126, 1), 0);
        for (size_t i = 0; i < ELEMENTSOF(dates); i++)
                put(b, dates[i], "", i + 1);
        assert_int_equal(daybook_first_date(b), 20261123);
        assert_int_equal(daybook_nth_date(b, 20261126, 1), 20261126);
        assert_int_equal(daybook_nth_date(b, 20261126, 4), 20261123);
        assert_int_equal(daybook_nth_date(b, 20261126, 5), 0);
        assert_int_equal(daybook_nth_date(b, 20261124, 2), 20261123);

        /* Years ahead, and back. */
        put(b, 20300313, "", 9);
        daybook_keep(b, 20300313, 4);
        assert_book(b, "20261124/ 2, 20261125/ 3, 20261126/ 4, 20300313/ 9");
        daybook_keep(b, 20261126, 4);
        assert_book(b, "20261124/ 2, 20261125/ 3, 20261126/ 4, 20300313/ 9");

        /* Without a battery: 1970 at the start. The first days to come are kept. */
        daybook_keep(b, 19700101, 4);
        assert_book(b, "20261124/ 2, 20261125/ 3, 20261126/ 4, 20300313/ 9");
        put(b, 19700101, "", 1);
        daybook_keep(b, 19700101, 3);
        assert_book(b, "19700101/ 1, 20261124/ 2, 20261125/ 3, 20261126/ 4");
        daybook_keep(b, 20261126, 3);
        assert_book(b, "20261124/ 2, 20261125/ 3, 20261126/ 4");
}

static void test_ceiling(void **state) {
        _cleanup_(daybook_freep) Daybook *b = NULL;

        assert_int_equal(daybook_new(&b), 0);
        for (uint32_t i = 0; i < DAYBOOK_ROWS_MAX; i++)
                put(b, i, "", 1);
        assert_int_equal(daybook_put(b, UINT32_MAX, "", &(const DayCounters){}), -E2BIG);
        put(b, 1, "", 2); /* existing rows go on */
}

static void test_rows(void **state) {
        static const RowColumn columns[] = { { "a", ROW_INT, ROW_KEY },
                                             { "b", ROW_TEXT | ROW_NULL, ROW_LATEST },
                                             { "c", ROW_BLOB, ROW_LATEST } };
        static const RowTable table = { "t", columns, ELEMENTSOF(columns) };
        Rows rows = ROWS_INIT(4096);
        size_t at = 0;
        Row row;

        rows_put(&rows, 3, (const RowValue[]){ row_int(7), row_text("text"), row_blob("\0x", 2) }, 3);
        rows_put(&rows, 4, (const RowValue[]){ row_int(UINT64_MAX), row_text(NULL), row_blob("", 0) }, 3);
        rows_forget(&rows, ROW_FORGET_BELOW, 5, 2, row_int(9));
        assert_int_equal(rows.n, 3);

        assert_true(rows_next(&rows, &at, &row));
        assert_int_equal(row.verb, ROW_PUT);
        assert_int_equal(row.table, 3);
        assert_int_equal(row.n, 3);
        assert_true(row_fits(&table, row.values, row.n));
        assert_int_equal(row.values[0].integer, 7);
        assert_int_equal(row.values[1].n, 4);
        assert_memory_equal(row.values[1].data, "text", 4);
        assert_memory_equal(row.values[2].data, "\0x", 2);
        assert_true(rows_next(&rows, &at, &row));
        assert_int_equal(row.values[0].integer, INT64_MAX);
        assert_int_equal(row.values[1].type, ROW_NULL);
        assert_true(row_fits(&table, row.values, row.n));
        assert_true(rows_next(&rows, &at, &row));
        assert_int_equal(row.verb, ROW_FORGET_BELOW);
        assert_int_equal(row.table, 5);
        assert_int_equal(row.column, 2);
        assert_int_equal(row.values[0].integer, 9);
        assert_false(row_fits(&table, row.values, row.n));
        assert_false(rows_next(&rows, &at, &row));

        row.values[0] = row_text("a number, it should be");
        row.values[1] = row_text("b");
        row.values[2] = row_blob("c", 1);
        assert_false(row_fits(&table, row.values, 3));
        row.values[0] = row_int(1);
        assert_true(row_fits(&table, row.values, 3));

        /* One that does not fit spoils the batch, and nothing of it is read. */
        for (size_t i = 0; i < 1000; i++)
                rows_put(&rows, 1, row.values, 3);
        assert_int_equal(rows.buf.error, -E2BIG);
        at = 0;
        assert_false(rows_next(&rows, &at, &row));
        rows_clear(&rows);
        rows_put(&rows, 1, row.values, 3);
        assert_true(rows_next(&rows, &at, &row));
        rows_done(&rows);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_book),
                cmocka_unit_test(test_wrong_clock),
                cmocka_unit_test(test_ceiling),
                cmocka_unit_test(test_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
