/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>

#include "base/limits-state.h"
#include "folder.h"
#include "io/store-sqlite.h"
#include "store-memory.h"

/* What every store does (io/store.h), run with each of them. */

static const RowColumn things[] = {
        { "name", ROW_TEXT, ROW_KEY }, { "kind", ROW_INT, ROW_KEY }, { "value", ROW_INT, ROW_LATEST }
};
static const RowColumn blobs[] = {
        { "id", ROW_TEXT | ROW_BLOB, ROW_KEY }, { "note", ROW_TEXT | ROW_NULL, ROW_LATEST }
};
static const RowTable tables[] = {
        { "things", things, ELEMENTSOF(things), .also_by = 1 },
        { "blobs", blobs, ELEMENTSOF(blobs) },
};
static const RowSchema schema = { tables, ELEMENTSOF(tables) };
static const SqliteFormat format = { 0x12345678, 1, NULL };

typedef struct World {
        Loop *loop;
        Store *store;
        char directory[64], path[96];
        MemoryMedium *medium;
        unsigned n_done;
        int error;
        bool is_new, is_on_loop, more;
        Rows *next; /* the job that the end of one starts */
} World;

static int sqlite_new(World *w) {
        return store_sqlite_new(w->loop, w->path, &format, &w->store);
}

static int memory_new(World *w) {
        return store_memory_new(w->loop, w->medium, &w->store);
}

typedef int (*New)(World *w);

static void on_done(const StoreReport *r, void *userdata) {
        World *w = userdata;
        Rows *next = w->next;

        assert_false(store_is_busy(w->store));
        w->n_done++;
        w->error = r->error;
        w->is_new = r->is_new;
        w->more = r->more;
        w->next = NULL;
        if (next)
                store_write(w->store, next);
        else if (w->is_on_loop)
                loop_exit(w->loop, 5);
}

static void begin(World *w) {
        *w = (World){ .directory = "/tmp/test-store-XXXXXX", .medium = calloc(1, sizeof(MemoryMedium)) };
        assert_non_null(w->medium);
        assert_non_null(mkdtemp(w->directory));
        (void) snprintf(w->path, sizeof(w->path), "%s/x.db", w->directory);
        assert_int_equal(loop_new(&w->loop), 0);
}

static void open_store(World *w, New new) {
        w->store = store_free(w->store);
        assert_int_equal(new(w), 0);
        assert_int_equal(store_start(w->store, &schema, on_done, w), 0);
}

static void done(World *w) {
        w->store = store_free(w->store);
        (void) loop_free(w->loop);
        shelf_done(&w->medium->shelf);
        free(w->medium);
        folder_remove(w->directory);
}

static void put(Rows *rows, const char *name, int kind, uint64_t value) {
        rows_put(rows, 0, (const RowValue[]){ row_text(name), row_int((uint64_t) kind), row_int(value) }, 3);
}

static void write_now(World *w, Rows *rows) {
        store_write(w->store, rows);
        assert_true(store_is_busy(w->store));
        store_wait(w->store);
        assert_false(store_is_busy(w->store));
}

/* Sorted, as the order within a table is the store's. */
typedef struct Lines {
        char *line[64];
        size_t n;
        unsigned table;
} Lines;

static int on_row(unsigned table, const RowValue *v, unsigned n, void *userdata) {
        Lines *l = userdata;
        Buf b = BUF_INIT(4096);

        assert_true(table >= l->table); /* the tables are in order */
        l->table = table;
        assert_int_equal(n, tables[table].n_columns);
        (void) buf_printf(&b, "%u:", table);
        for (unsigned i = 0; i < n; i++) {
                if (v[i].type == ROW_INT)
                        (void) buf_printf(&b, " %lld", (long long) v[i].integer);
                else if (v[i].type == ROW_NULL)
                        (void) buf_puts(&b, " null");
                else
                        (void) buf_printf(&b, " %s%.*s", v[i].type == ROW_BLOB ? "blob " : "", (int) v[i].n,
                                          v[i].data);
        }
        assert_in_range(l->n, 0, ELEMENTSOF(l->line) - 1);
        assert_int_equal(buf_steal(&b, &l->line[l->n++], NULL), 0);
        return 0;
}

static int compare_lines(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void assert_holds(World *w, const char *expected) {
        _cleanup_buf_ Buf b = BUF_INIT(1U << 20);
        char trouble[STORE_TEXT_MAX];
        Lines l = {};

        assert_int_equal(store_read(w->store, on_row, &l, trouble), 0);
        qsort(l.line, l.n, sizeof(char *), compare_lines);
        for (size_t i = 0; i < l.n; i++) {
                (void) buf_printf(&b, "%s; ", l.line[i]);
                free(l.line[i]);
        }
        assert_string_equal(buf_cstr(&b) ?: "", expected);
}

static void check_rows(New new) {
        Rows rows = ROWS_INIT(4096);
        World w;

        begin(&w);
        open_store(&w, new);
        write_now(&w, NULL);
        assert_int_equal(w.error, 0);
        assert_true(w.is_new);
        assert_holds(&w, "");

        put(&rows, "b", 2, 20);
        put(&rows, "a", 1, 10);
        put(&rows, "a", 2, UINT64_MAX);
        put(&rows, "b", 2, 21);
        rows_put(&rows, 1, (const RowValue[]){ row_blob("x", 1), row_text(NULL) }, 2);
        rows_put(&rows, 1, (const RowValue[]){ row_text("x"), row_text("a 'note'") }, 2);
        write_now(&w, &rows);
        assert_int_equal(w.error, 0);
        assert_false(w.is_new);
        assert_holds(&w,
                     "0: a 1 10; 0: a 2 9223372036854775807; 0: b 2 21; 1: blob x null; 1: x a 'note'; ");
        /* The same batch again does no harm. */
        write_now(&w, &rows);
        assert_holds(&w,
                     "0: a 1 10; 0: a 2 9223372036854775807; 0: b 2 21; 1: blob x null; 1: x a 'note'; ");

        rows_clear(&rows);
        rows_forget(&rows, ROW_FORGET_EQUAL, 0, 0, row_text("b"));
        rows_forget(&rows, ROW_FORGET_BELOW, 0, 1, row_int(2));
        put(&rows, "b", 9, 1);
        write_now(&w, &rows);
        assert_holds(&w, "0: a 2 9223372036854775807; 0: b 9 1; 1: blob x null; 1: x a 'note'; ");

        /* And the next one finds it. */
        open_store(&w, new);
        write_now(&w, NULL);
        assert_false(w.is_new);
        assert_holds(&w, "0: a 2 9223372036854775807; 0: b 9 1; 1: blob x null; 1: x a 'note'; ");
        rows_done(&rows);
        done(&w);
}

static void check_on_the_loop(New new) {
        Rows rows = ROWS_INIT(4096), more = ROWS_INIT(4096);
        World w;

        begin(&w);
        open_store(&w, new);
        w.is_on_loop = true;
        w.next = &more;
        put(&rows, "a", 0, 1);
        put(&more, "b", 0, 2);
        store_write(w.store, &rows);
        assert_int_equal(loop_run(w.loop), 5);
        assert_false(store_is_busy(w.store));
        assert_int_equal(w.n_done, 2); /* the end of a job may start the next one */
        assert_int_equal(w.error, 0);
        assert_holds(&w, "0: a 0 1; 0: b 0 2; ");

        /* Freed with a job under way: it is carried out, and `done` is not called. */
        put(&rows, "c", 0, 3);
        store_write(w.store, &rows);
        w.store = store_free(w.store);
        assert_int_equal(w.n_done, 2);
        open_store(&w, new);
        write_now(&w, NULL);
        assert_holds(&w, "0: a 0 1; 0: b 0 2; 0: c 0 3; ");
        rows_done(&rows);
        rows_done(&more);
        done(&w);
}

static void check_replace(New new) {
        char trouble[STORE_TEXT_MAX];
        Rows rows = ROWS_INIT(4096);
        Lines none = {};
        World w;

        begin(&w);
        open_store(&w, new);
        assert_int_equal(store_read(w.store, on_row, &none, trouble), -ENOTCONN);
        put(&rows, "a", 0, 1);
        write_now(&w, &rows);
        assert_true(w.is_new);
        store_replace(w.store);
        store_wait(w.store);
        assert_int_equal(w.error, 0);
        assert_true(w.is_new);
        assert_holds(&w, "");
        write_now(&w, &rows);
        assert_false(w.is_new);
        assert_holds(&w, "0: a 0 1; ");
        rows_done(&rows);
        done(&w);
}

static char *find(World *w, Rows *query) {
        Rows answer = ROWS_INIT(1U << 20);
        Buf b = BUF_INIT(4096);
        const Rows *asked = query;
        char *s;

        do {
                size_t at = 0;
                Row row;

                rows_clear(&answer);
                store_find(w->store, asked, &answer);
                store_wait(w->store);
                assert_int_equal(w->error, 0);
                while (rows_next(&answer, &at, &row)) {
                        assert_int_equal(row.verb, ROW_PUT);
                        (void) buf_printf(&b, "%u %.*s; ", row.table, (int) row.values[0].n,
                                          row.values[0].data);
                }
                asked = NULL;
        } while (w->more);
        rows_done(&answer);
        rows_done(query);
        (void) buf_puts(&b, "");
        assert_int_equal(buf_steal(&b, &s, NULL), 0);
        return s;
}

/* Rows are found by the key's first column, or by another one that the table names, in the query's order. */
static void check_find(New new) {
        _cleanup_free_ char *by_key = NULL, *by_kind = NULL, *whole = NULL, *none = NULL;
        Rows rows = ROWS_INIT(4096), query = ROWS_INIT(4096);
        World w;

        begin(&w);
        open_store(&w, new);
        put(&rows, "a", 1, 10);
        put(&rows, "b", 1, 20);
        put(&rows, "c", 2, 30);
        rows_put(&rows, 1, (const RowValue[]){ row_blob("x", 1), row_text(NULL) }, 2);
        rows_put(&rows, 1, (const RowValue[]){ row_text("x"), row_text("note") }, 2);
        write_now(&w, &rows);
        query.first_table = 1; /* as the second source would ask */
        rows_find(&query, 0, 0, row_text("x"));
        query.first_table = 0;
        rows_find(&query, 0, 0, row_text("c"));
        rows_find(&query, 0, 0, row_text("no such"));
        rows_find(&query, 0, 0, row_text("a"));
        by_key = find(&w, &query);
        assert_string_equal(by_key, "1 x; 0 c; 0 a; ");
        rows_find(&query, 0, 1, row_int(2));
        by_kind = find(&w, &query);
        assert_string_equal(by_kind, "0 c; ");
        rows_find_all(&query, 0);
        rows_find(&query, 1, 0, row_blob("x", 1));
        whole = find(&w, &query);
        assert_string_equal(whole, "0 a; 0 b; 0 c; 1 x; ");
        rows_find(&query, 0, 0, row_text("d"));
        none = find(&w, &query);
        assert_string_equal(none, "");
        /* A batch in between does no harm. */
        write_now(&w, &rows);
        assert_holds(&w, "0: a 1 10; 0: b 1 20; 0: c 2 30; 1: blob x null; 1: x note; ");
        rows_done(&rows);
        done(&w);
}

/* More rows than one answer takes. */
static void test_many_found(void **state) {
        Rows rows = ROWS_INIT(1U << 20), query = ROWS_INIT(4096), answer = ROWS_INIT(1U << 20);
        const Rows *asked = &query;
        size_t n = 0, n_answers = 0;
        World w;

        begin(&w);
        open_store(&w, sqlite_new);
        for (int i = 0; i < 2 * (int) STATE_FIND_ROWS + 5; i++)
                put(&rows, "a", i, 1);
        write_now(&w, &rows);
        rows_find(&query, 0, 0, row_text("a"));
        rows_find(&query, 0, 1, row_int(3));
        do {
                rows_clear(&answer);
                store_find(w.store, asked, &answer);
                store_wait(w.store);
                assert_int_equal(w.error, 0);
                assert_true(answer.n <= STATE_FIND_ROWS);
                n += answer.n;
                n_answers++;
                asked = NULL;
        } while (w.more);
        assert_int_equal(n, rows.n + 1);
        assert_int_equal(n_answers, 3);
        rows_done(&rows);
        rows_done(&query);
        rows_done(&answer);
        done(&w);
}

static const New all[] = { sqlite_new, memory_new };

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                check_rows(all[i]);
}

static void test_on_the_loop(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                check_on_the_loop(all[i]);
}

static void test_replace(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                check_replace(all[i]);
}

static void test_find(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                check_find(all[i]);
}

/* One that was never started can be freed, too. */
static void test_not_started(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                World w;

                begin(&w);
                assert_int_equal(all[i](&w), 0);
                done(&w);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_on_the_loop),
                cmocka_unit_test(test_replace),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_many_found),
                cmocka_unit_test(test_not_started),
        };

        return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
