/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "base/limits-state.h"
#include "base/text.h"
#include "folder.h"
#include "io/sqlite-file.h"
#include "io/store-sqlite.h"

/* Faults of the disk and of memory that pass: the SQLite store reports them, and keeps its file. */

#define N_ROWS 3000U

static const RowColumn things[] = { { "name", ROW_INT, ROW_KEY }, { "note", ROW_TEXT, ROW_LATEST } };
static const RowTable tables[] = { { "things", things, ELEMENTSOF(things) } };
static const RowSchema schema = { tables, ELEMENTSOF(tables) };
static const SqliteFormat format = { 0x12345678, 1, NULL };

typedef struct World {
        char directory[64], path[96];
        Loop *loop;
        Store *store;
        int error;
        bool is_new, more;
} World;

static void on_done(const StoreReport *r, void *userdata) {
        World *w = userdata;

        assert_string_equal(r->aside, "");
        assert_true(r->error >= 0 || r->error == -ENOTCONN || r->trouble[0]);
        w->error = r->error;
        w->is_new = r->is_new;
        w->more = r->more;
}

static void start(World *w) {
        assert_int_equal(store_sqlite_new(w->loop, w->path, &format, &w->store), 0);
        assert_int_equal(store_start(w->store, &schema, on_done, w), 0);
}

/* NULL: only opens it. */
static int write_rows(World *w, Rows *rows) {
        store_write(w->store, rows);
        store_wait(w->store);
        return w->error;
}

/* A file with rows, which no store has open. `ret_other`: it is open, so its log is not moved into it. */
static void begin(World *w, sqlite3 **ret_other) {
        Rows rows = ROWS_INIT(1U << 20);

        *w = (World){ .directory = "/tmp/test-store-faults-XXXXXX" };
        assert_non_null(mkdtemp(w->directory));
        (void) snprintf(w->path, sizeof(w->path), "%s/x.db", w->directory);
        assert_int_equal(loop_new(&w->loop), 0);
        start(w);
        for (unsigned i = 0; i < N_ROWS; i++)
                rows_put(&rows, 0, (const RowValue[]){ row_int(i), row_text("a text of some length") }, 2);
        assert_int_equal(write_rows(w, &rows), 0);
        assert_true(w->is_new);
        rows_done(&rows);
        if (ret_other) {
                assert_int_equal(sqlite3_open(w->path, ret_other), SQLITE_OK);
                assert_int_equal(sqlite3_exec(*ret_other, "SELECT * FROM things", NULL, NULL, NULL),
                                 SQLITE_OK);
        }
        w->store = store_free(w->store);
}

/* The file and its lock are all there is. */
static void done(World *w) {
        struct dirent *e;
        DIR *d;

        w->store = store_free(w->store);
        (void) loop_free(w->loop);
        d = opendir(w->directory);
        assert_non_null(d);
        while ((e = readdir(d)))
                assert_true(e->d_name[0] == '.' || streq(e->d_name, "x.db") ||
                            streq(e->d_name, "x.db-lock"));
        (void) closedir(d);
        folder_remove(w->directory);
}

static int on_row(unsigned table, const RowValue *v, unsigned n, void *userdata) {
        *(unsigned *) userdata += 1;
        return 0;
}

static int read_rows(World *w, unsigned *ret) {
        char trouble[STORE_TEXT_MAX] = "";
        int r;

        *ret = 0;
        r = store_read(w->store, on_row, ret, trouble);
        assert_true(r >= 0 || r == -ENOTCONN || trouble[0]);
        return r;
}

static int find_rows(World *w, unsigned *ret) {
        Rows query = ROWS_INIT(4096), answer = ROWS_INIT(2 * STATE_FIND_BYTES), *asked = &query;

        *ret = 0;
        rows_find_all(&query, 0);
        do {
                rows_clear(&answer);
                store_find(w->store, asked, &answer);
                store_wait(w->store);
                *ret += (unsigned) answer.n;
                asked = NULL;
        } while (w->error >= 0 && w->more);
        rows_done(&query);
        rows_done(&answer);
        return w->error;
}

/* --- the disk --- */

static int n_reads_left = -1; /* then each fails; -1: none fails */

static ssize_t pread_or_fail(int fd, void *p, size_t n, off_t at) {
        if (n_reads_left == 0) {
                errno = EIO;
                return -1;
        }
        n_reads_left -= n_reads_left > 0;
        return pread(fd, p, n, at);
}

static void hook_reads(bool on) {
        static const char *const names[] = { "pread", "pread64" };
        sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void) vfs->xSetSystemCall(vfs, names[i], on ? (sqlite3_syscall_ptr) pread_or_fail : NULL);
}

static void check_reads(World *w) {
        unsigned n, n_failed = 0;
        bool passed = false;

        hook_reads(true);
        for (int i = 0; !passed; i++) {
                start(w);
                n_reads_left = i;
                passed = write_rows(w, NULL) == 0 && read_rows(w, &n) == 0;
                n_reads_left = i; /* the store has another connection */
                passed = find_rows(w, &n) == 0 && passed;
                n_failed += !passed;
                assert_true(passed || w->error == -EIO || w->error == -ENOTCONN || n == N_ROWS);

                /* The same store, when it is over. */
                n_reads_left = -1;
                assert_int_equal(write_rows(w, NULL), 0);
                assert_false(w->is_new);
                assert_int_equal(read_rows(w, &n), 0);
                assert_int_equal(n, N_ROWS);
                assert_int_equal(find_rows(w, &n), 0);
                assert_int_equal(n, N_ROWS);
                w->store = store_free(w->store);
        }
        hook_reads(false);
        assert_true(n_failed > 10);
}

static void test_disk_cannot_be_read(void **state) {
        sqlite3 *other = NULL;
        World w;

        begin(&w, NULL);
        check_reads(&w);
        done(&w);

        begin(&w, &other); /* rows are in the log, too */
        check_reads(&w);
        assert_int_equal(sqlite3_close(other), SQLITE_OK);
        done(&w);
}

/* --- memory --- */

/* From here on the process gets no more memory, and SQLite `n` bytes. */
static void limit_memory(struct rlimit *before, sqlite3_int64 n) {
        unsigned long pages = 0;
        struct rlimit limit;
        FILE *f = fopen("/proc/self/statm", "re");

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%lu", &pages), 1);
        (void) fclose(f);
        assert_int_equal(getrlimit(RLIMIT_AS, before), 0);
        limit = (struct rlimit){ pages * 4096 + (4U << 20), before->rlim_max };
        (void) sqlite3_hard_heap_limit64(n);
        assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static void unlimit_memory(const struct rlimit *before) {
        assert_int_equal(setrlimit(RLIMIT_AS, before), 0);
        (void) sqlite3_hard_heap_limit64(0);
}

static _unused_ void test_memory_is_short(void **state) {
        unsigned n_failed = 0, n;
        int r = -ENOMEM;
        World w;

        begin(&w, NULL);
        for (sqlite3_int64 room = 1024; r < 0; room += 1024) {
                struct rlimit before;

                start(&w);
                limit_memory(&before, sqlite3_memory_used() + room);
                r = write_rows(&w, NULL);
                unlimit_memory(&before);
                n_failed += r < 0;
                assert_true(r >= 0 || r == -ENOMEM || r == -EIO);
                assert_int_equal(write_rows(&w, NULL), 0);
                assert_false(w.is_new);
                assert_int_equal(read_rows(&w, &n), 0);
                assert_int_equal(n, N_ROWS);
                w.store = store_free(w.store);
        }
        assert_true(n_failed > 10);
        done(&w);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_disk_cannot_be_read),
#ifndef __SANITIZE_ADDRESS__ /* which needs more address space than there is */
                cmocka_unit_test(test_memory_is_short),
#endif
        };

        return cmocka_run_group_tests_name("store-faults", tests, NULL, NULL);
}
