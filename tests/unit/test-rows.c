/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/rows.h"

/* A batch gives back what was put into it, and in the order for a store nothing is lost, nothing that is
 * forgotten changes its place, and of two rows with one key the later one is behind. */

static unsigned draw(uint64_t *random, unsigned below) {
        *random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
        return (unsigned) (*random >> 33) % below;
}

static void test_values(void **state) {
        static const uint64_t numbers[] = { 0,         1,         127, 128, 16383, 16384, 1795334400000000,
                                            INT64_MAX, UINT64_MAX };
        Rows rows = ROWS_INIT(1U << 20);
        char text[300];
        size_t at = 0;
        Row row;

        memset(text, 'x', sizeof(text));
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                const RowValue v[] = {
                        row_int(numbers[i]),    row_text(NULL),
                        row_blob(text, i * 30), { .type = ROW_INT, .integer = -(int64_t) i },
                        row_text("\xc3\xa4"),
                };

                rows_put(&rows, (unsigned) i, v, ELEMENTSOF(v));
                rows_forget(&rows, ROW_FORGET_BELOW, 3, 2, row_text(""));
        }
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                assert_true(rows_next(&rows, &at, &row));
                assert_int_equal(row.verb, ROW_PUT);
                assert_int_equal(row.table, i);
                assert_int_equal(row.n, 5);
                assert_int_equal(row.values[0].type, ROW_INT);
                assert_int_equal(row.values[0].integer, MIN(numbers[i], (uint64_t) INT64_MAX));
                assert_int_equal(row.values[1].type, ROW_NULL);
                assert_int_equal(row.values[2].type, ROW_BLOB);
                assert_int_equal(row.values[2].n, i * 30);
                assert_memory_equal(row.values[2].data, text, i * 30);
                assert_int_equal(row.values[3].integer, -(int64_t) i);
                assert_int_equal(row.values[4].type, ROW_TEXT);
                assert_memory_equal(row.values[4].data, "\xc3\xa4", 2);
                assert_true(rows_next(&rows, &at, &row));
                assert_int_equal(row.verb, ROW_FORGET_BELOW);
                assert_int_equal(row.column, 2);
                assert_int_equal(row.n, 1);
                assert_int_equal(row.values[0].n, 0);
        }
        assert_false(rows_next(&rows, &at, &row));
        rows_done(&rows);
        at = 0;
        assert_false(rows_next(&rows, &at, &row));
}

static void check_order(unsigned n, unsigned n_keys, uint64_t random) {
        uint64_t *last = calloc(4 * n_keys, sizeof(uint64_t));
        Rows rows = ROWS_INIT(16U << 20);
        unsigned n_back = 0, rank, before = 0;
        uint64_t barrier = 0;
        size_t *order = NULL;
        Row row;

        for (uint64_t i = 1; i <= n; i++) {
                uint32_t key = draw(&random, n_keys), digest = key * 2654435761U;
                unsigned table = draw(&random, 4);
                const RowValue v[] = { row_blob(&digest, sizeof(digest)), row_int(i), row_int(key) };

                if (draw(&random, 2000) == 0)
                        rows_forget(&rows, ROW_FORGET_EQUAL, table, 0, row_int(i));
                else
                        rows_put(&rows, table, v, ELEMENTSOF(v));
        }
        assert_int_equal(rows_order(&rows, &order), 0);
        for (size_t i = 0; i < rows.n; i++) {
                size_t at = order[i];
                uint64_t *seen, number;

                assert_true(rows_next(&rows, &at, &row));
                if (row.verb != ROW_PUT) {
                        barrier = (uint64_t) row.values[0].integer;
                        assert_int_equal(barrier, i + 1); /* in its place */
                        continue;
                }
                number = (uint64_t) row.values[1].integer;
                assert_true(number > barrier);
                rank = row.table << 16 | (unsigned) (uint8_t) row.values[0].data[0] << 8 |
                       (uint8_t) row.values[0].data[1];
                n_back += rank < before;
                before = rank;
                seen = last + row.table * n_keys + row.values[2].integer;
                assert_true(number > *seen);
                *seen = number;
        }
        /* Memory is given back only with enough of it. */
        assert_true(n < 1000 || n_back < n / 50);
        free(order);
        free(last);
        rows_done(&rows);
}

static void test_order(void **state) {
        check_order(0, 1, 1);
        check_order(1, 1, 2);
        check_order(255, 10, 3);
        check_order(257, 10, 4);
        check_order(5000, 7, 5);
        check_order(40000, 20000, 6);
}

/* A source's tables follow those of the one before it. */
static void test_first_table(void **state) {
        Rows rows = ROWS_INIT(4096);
        const RowValue v[] = { row_int(1) };
        size_t at = 0;
        Row row;

        rows.first_table = 12;
        rows_put(&rows, 3, v, 1);
        rows_forget(&rows, ROW_FORGET_EQUAL, 0, 0, v[0]);
        assert_true(rows_next(&rows, &at, &row));
        assert_int_equal(row.table, 15);
        assert_true(rows_next(&rows, &at, &row));
        assert_int_equal(row.table, 12);
        rows_done(&rows);
}

static const RowColumn counted[] = {
        { "key", ROW_TEXT, ROW_KEY },         { "all", ROW_INT, ROW_SUM },
        { "most", ROW_INT, ROW_MAX },         { "today", ROW_INT, ROW_PERIOD_SUM },
        { "day", ROW_INT, ROW_PERIOD },       { "note", ROW_TEXT | ROW_NULL, ROW_LATEST },
};

static void test_merge(void **state) {
        /* all, most, today, day, note: of a row, of a later one, and of both. */
        static const struct {
                int64_t into[4], from[4], both[4];
                const char *note[2], *of_both;
        } rows[] = {
                { { 5, 3, 2, 10 }, { 7, 9, 4, 10 }, { 12, 9, 6, 10 }, { "a", "b" }, "b" },
                { { 5, 9, 2, 10 }, { 7, 3, 4, 11 }, { 12, 9, 4, 11 }, { "a", NULL }, NULL },
                { { 5, 3, 2, 11 }, { 7, 9, 4, 10 }, { 12, 9, 2, 11 }, { NULL, "b" }, "b" },
                { { 0, 0, 0, 0 }, { 7, 9, 4, 10 }, { 7, 9, 4, 10 }, { "a", "b" }, "b" },
                { { INT64_MAX - 1, 0, INT64_MAX, 1 },
                  { 2, 0, 1, 1 },
                  { INT64_MAX, 0, INT64_MAX, 1 },
                  { "a", "b" },
                  "b" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                RowValue into[6] = { row_text("k"), [5] = row_text(rows[i].note[0]) };
                RowValue from[6] = { row_text("k"), [5] = row_text(rows[i].note[1]) };

                for (size_t j = 0; j < 4; j++) {
                        into[1 + j] = row_int((uint64_t) rows[i].into[j]);
                        from[1 + j] = row_int((uint64_t) rows[i].from[j]);
                }
                row_merge(counted, ELEMENTSOF(counted), into, from);
                assert_int_equal(into[0].n, 1);
                for (size_t j = 0; j < 4; j++)
                        assert_int_equal(into[1 + j].integer, rows[i].both[j]);
                if (rows[i].of_both)
                        assert_memory_equal(into[5].data, rows[i].of_both, 1);
                else
                        assert_int_equal(into[5].type, ROW_NULL);
        }
}

static void test_sound(void **state) {
        static const RowColumn no_key[] = { { "a", ROW_INT, ROW_SUM } };
        static const RowColumn no_kind[] = { { "a", ROW_INT, ROW_KEY }, { "b", ROW_INT } };
        static const RowColumn late_key[] = { { "a", ROW_INT, ROW_KEY },
                                              { "b", ROW_INT, ROW_SUM },
                                              { "c", ROW_INT, ROW_KEY } };
        static const RowColumn sum_of_text[] = { { "a", ROW_INT, ROW_KEY }, { "b", ROW_TEXT, ROW_SUM } };
        static const RowColumn sum_of_null[] = { { "a", ROW_INT, ROW_KEY },
                                                 { "b", ROW_INT | ROW_NULL, ROW_MAX } };
        static const RowColumn no_period[] = { { "a", ROW_INT, ROW_KEY }, { "b", ROW_INT, ROW_PERIOD_SUM } };
        static const RowColumn two_periods[] = { { "a", ROW_INT, ROW_KEY },
                                                 { "b", ROW_INT, ROW_PERIOD },
                                                 { "c", ROW_INT, ROW_PERIOD } };
        static const struct {
                RowTable table;
                unsigned n_key;
                bool is_sound;
        } rows[] = {
                { { "counted", counted, ELEMENTSOF(counted) }, 1, true },
                { { "key alone", two_periods, 1 }, 1, true },
                { { "no key", no_key, ELEMENTSOF(no_key) }, 0, false },
                { { "no kind", no_kind, ELEMENTSOF(no_kind) }, 1, false },
                { { "late key", late_key, ELEMENTSOF(late_key) }, 1, false },
                { { "sum of text", sum_of_text, ELEMENTSOF(sum_of_text) }, 1, false },
                { { "sum of null", sum_of_null, ELEMENTSOF(sum_of_null) }, 1, false },
                { { "no period", no_period, ELEMENTSOF(no_period) }, 1, false },
                { { "two periods", two_periods, ELEMENTSOF(two_periods) }, 1, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(row_n_key(&rows[i].table), rows[i].n_key);
                assert_int_equal(row_table_is_sound(&rows[i].table), rows[i].is_sound);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_first_table),
                cmocka_unit_test(test_merge),
                cmocka_unit_test(test_sound),
        };

        return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
