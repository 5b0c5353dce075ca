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

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_order),
        };

        return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
