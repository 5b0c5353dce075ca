/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "folder.h"
#include "io/sqlite-file.h"
#include "io/store-sqlite.h"

/* The store in an SQLite file, beyond what every store does (test-store.c): whatever is wrong with the
 * file is reported, and nothing is lost. Each test has a separate directory. */

static const RowColumn things[] = {
        { "name", ROW_TEXT, ROW_KEY }, { "kind", ROW_INT, ROW_KEY }, { "value", ROW_INT, ROW_LATEST }
};
static const RowColumn blobs[] = {
        { "id", ROW_TEXT | ROW_BLOB, ROW_KEY }, { "note", ROW_TEXT | ROW_NULL, ROW_LATEST }
};
static const RowTable tables[] = {
        { "things", things, ELEMENTSOF(things) },
        { "blobs", blobs, ELEMENTSOF(blobs) },
};
static const RowSchema schema = { tables, ELEMENTSOF(tables) };
static const SqliteFormat format = { 0x12345678, 1, NULL };

/* The next version has one more column, and a table that the first has not. */
static const RowColumn more_things[] = {
        { "name", ROW_TEXT, ROW_KEY },
        { "kind", ROW_INT, ROW_KEY },
        { "value", ROW_INT, ROW_LATEST },
        { "weight", ROW_INT, ROW_LATEST },
};
static const RowColumn extras[] = { { "x", ROW_INT, ROW_KEY } };
static const RowTable next_tables[] = {
        { "things", more_things, ELEMENTSOF(more_things) },
        { "blobs", blobs, ELEMENTSOF(blobs) },
        { "extras", extras, ELEMENTSOF(extras) },
};
static const char *const migrations[] = {
        "ALTER TABLE things ADD COLUMN weight INTEGER NOT NULL DEFAULT 7"
};
static const RowSchema next_schema = { next_tables, ELEMENTSOF(next_tables) };
static const SqliteFormat next_format = { 0x12345678, 2, migrations };

typedef struct World {
        char directory[64], path[96];
        Loop *loop;
        Store *store;
        unsigned n_done;
        int error;
        bool is_new;
        char aside[256], trouble[512];
} World;

static void on_done(const StoreReport *r, void *userdata) {
        World *w = userdata;

        w->n_done++;
        w->error = r->error;
        w->is_new = r->is_new;
        (void) snprintf(w->aside, sizeof(w->aside), "%s", r->aside);
        (void) snprintf(w->trouble, sizeof(w->trouble), "%s", r->trouble);
}

static void begin(World *w) {
        *w = (World){ .directory = "/tmp/test-store-sqlite-XXXXXX" };
        assert_non_null(mkdtemp(w->directory));
        (void) snprintf(w->path, sizeof(w->path), "%s/x.db", w->directory);
        assert_int_equal(loop_new(&w->loop), 0);
}

/* Its first job: opens the file. */
static int open_with(World *w, const RowSchema *s) {
        const SqliteFormat *f = s == &next_schema ? &next_format : &format;

        assert_null(w->store);
        assert_int_equal(store_sqlite_new(w->loop, w->path, f, &w->store), 0);
        assert_int_equal(store_start(w->store, s, on_done, w), 0);
        store_write(w->store, NULL);
        store_wait(w->store);
        return w->error;
}

static void close_store(World *w) {
        w->store = store_free(w->store);
}

static void done(World *w) {
        close_store(w);
        (void) loop_free(w->loop);
        folder_remove(w->directory);
}

static void put(Rows *rows, const char *name, int kind, uint64_t value) {
        rows_put(rows, 0, (const RowValue[]){ row_text(name), row_int((uint64_t) kind), row_int(value) }, 3);
}

static int write_rows(World *w, Rows *rows) {
        store_write(w->store, rows);
        store_wait(w->store);
        return w->error;
}

static int write_one(World *w, const char *name, uint64_t value) {
        Rows rows = ROWS_INIT(4096);
        int r;

        put(&rows, name, 0, value);
        r = write_rows(w, &rows);
        rows_done(&rows);
        return r;
}

static int on_row(unsigned table, const RowValue *v, unsigned n, void *userdata) {
        Buf *b = userdata;

        (void) buf_printf(b, "%u:", table);
        for (unsigned i = 0; i < n; i++) {
                if (v[i].type == ROW_INT)
                        (void) buf_printf(b, " %lld", (long long) v[i].integer);
                else if (v[i].type == ROW_NULL)
                        (void) buf_puts(b, " null");
                else
                        (void) buf_printf(b, " %s%.*s", v[i].type == ROW_BLOB ? "blob " : "", (int) v[i].n,
                                          v[i].data);
        }
        (void) buf_puts(b, "; ");
        return 0;
}

static void assert_holds(World *w, const char *expected) {
        _cleanup_buf_ Buf b = BUF_INIT(1U << 20);
        char trouble[512];

        assert_int_equal(store_read(w->store, on_row, &b, trouble), 0);
        assert_string_equal(buf_cstr(&b), expected);
}

/* How many files in the directory begin so. */
static size_t n_files(const World *w, const char *prefix) {
        DIR *d = opendir(w->directory);
        struct dirent *e;
        size_t n = 0;

        assert_non_null(d);
        while ((e = readdir(d)))
                n += startswith(e->d_name, prefix) != NULL;
        (void) closedir(d);
        return n;
}

static void write_file(const char *path, const void *data, size_t n) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, n), n);
        (void) close(fd);
}

/* With the ordinary program: what other people do with such files. */
static void sqlite(const World *w, const char *sql) {
        char *const argv[] = { (char *) "sqlite3", (char *) w->path, (char *) sql, NULL };
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                execvp(argv[0], argv);
                _exit(127);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* --- */

static void test_rows(void **state) {
        Rows rows = ROWS_INIT(4096);
        World w;

        begin(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_true(w.is_new);
        assert_string_equal(w.aside, "");
        put(&rows, "b", 2, 20);
        put(&rows, "a", 1, 10);
        put(&rows, "a", 2, UINT64_MAX);
        put(&rows, "b", 2, 21);
        rows_put(&rows, 1, (const RowValue[]){ row_blob("x", 1), row_text(NULL) }, 2);
        rows_put(&rows, 1, (const RowValue[]){ row_text("x"), row_text("a 'note'") }, 2);
        assert_int_equal(write_rows(&w, &rows), 0);
        assert_false(w.is_new);
        assert_holds(&w,
                     "0: a 1 10; 0: a 2 9223372036854775807; 0: b 2 21; 1: x a 'note'; 1: blob x null; ");

        rows_clear(&rows);
        rows_forget(&rows, ROW_FORGET_EQUAL, 0, 0, row_text("b"));
        rows_forget(&rows, ROW_FORGET_BELOW, 0, 1, row_int(2));
        put(&rows, "b", 9, 1);
        assert_int_equal(write_rows(&w, &rows), 0);
        assert_holds(&w, "0: a 2 9223372036854775807; 0: b 9 1; 1: x a 'note'; 1: blob x null; ");

        /* And the next one finds it. */
        close_store(&w);
        assert_int_equal(n_files(&w, "x.db-wal"), 0); /* it was moved into the file */
        assert_int_equal(open_with(&w, &schema), 0);
        assert_false(w.is_new);
        assert_holds(&w, "0: a 2 9223372036854775807; 0: b 9 1; 1: x a 'note'; 1: blob x null; ");
        rows_done(&rows);
        done(&w);
}

static mode_t mode_of(const World *w, const char *suffix) {
        char path[128];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s%s", w->path, suffix);
        assert_int_equal(stat(path, &st), 0);
        return st.st_mode & 07777;
}

static void test_modes(void **state) {
        static const char *const suffixes[] = { "", "-wal", "-shm", "-lock" };
        mode_t before = umask(0);
        World w;

        begin(&w);
        for (unsigned round = 0; round < 2; round++) {
                assert_int_equal(open_with(&w, &schema), 0);
                assert_int_equal(write_one(&w, "a", 1), 0);
                for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                        assert_int_equal(mode_of(&w, suffixes[i]), 0600);
                close_store(&w);
                assert_int_equal(chmod(w.path, 0666), 0); /* as after a copy */
        }
        (void) umask(before);
        done(&w);
}

/* A disk that hangs: the end waits for a while, and leaves the store to it. */
static int hanging[2] = { -1, -1 };

int __real_sqlite_file_write(SqliteFile *f, const Rows *rows, SqliteReport *report);
int __wrap_sqlite_file_write(SqliteFile *f, const Rows *rows, SqliteReport *report);

int __wrap_sqlite_file_write(SqliteFile *f, const Rows *rows, SqliteReport *report) {
        char c;

        if (hanging[0] >= 0)
                (void) !read(hanging[0], &c, 1);
        return __real_sqlite_file_write(f, rows, report);
}

static _unused_ void test_disk_hangs(void **state) {
        static Rows rows; /* the thread that is left behind may read them later */
        usec_t began;
        World w;

        rows = ROWS_INIT(4096);
        begin(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(pipe2(hanging, O_CLOEXEC), 0);
        put(&rows, "a", 1, 10);
        store_write(w.store, &rows);
        began = clock_monotonic();
        assert_false(store_wait_until(w.store, began + 10 * USEC_PER_MSEC));
        close_store(&w);
        assert_true(clock_monotonic() - began < 2 * STORE_END_WAIT);
        assert_int_equal(write(hanging[1], "x", 1), 1); /* the thread goes on with what it has */
        (void) loop_free(w.loop);
        hanging[0] = -1;
}

static bool keeps_names;

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int __wrap_rename(const char *from, const char *to) {
        if (!keeps_names)
                return __real_rename(from, to);
        errno = EACCES;
        return -1;
}

/* As long as the file that has replaced ours cannot be set aside, no batch is written to it, although it is
 * a file of gemgate's form. */
static void test_replaced_and_stays(void **state) {
        char ours[128];
        World w;

        begin(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(write_one(&w, "a", 1), 0);
        (void) snprintf(ours, sizeof(ours), "%s/ours", w.directory);
        assert_int_equal(rename(w.path, ours), 0);
        sqlite(&w, "PRAGMA application_id=0x12345678; PRAGMA user_version=1; "
                   "CREATE TABLE things (name, kind, value, PRIMARY KEY (name, kind))");
        keeps_names = true;
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(write_one(&w, "b", i), -EACCES);
                assert_non_null(strstr(w.trouble, "it is replaced, and could not be set aside"));
        }
        keeps_names = false;
        assert_int_equal(write_one(&w, "c", 3), 0);
        assert_true(w.is_new);
        assert_non_null(strstr(w.aside, "was replaced and is now x.db.replaced-"));
        assert_holds(&w, "0: c 0 3; ");
        done(&w);
}

/* A link to a file that is not there makes the file that it names. */
static void test_dangling_link(void **state) {
        char target[128];
        struct stat st;
        World w;

        begin(&w);
        (void) snprintf(target, sizeof(target), "%s/target.db", w.directory);
        assert_int_equal(symlink(target, w.path), 0);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(write_one(&w, "a", 1), 0);
        assert_holds(&w, "0: a 0 1; ");
        assert_int_equal(lstat(target, &st), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_int_equal(st.st_mode & 07777, 0600);
        done(&w);
}

/* --- files that are not ours, or not whole --- */

static void make_garbage(const World *w) {
        char bytes[8192];

        memset(bytes, 'x', sizeof(bytes));
        write_file(w->path, bytes, sizeof(bytes));
}

static void make_cut(const World *w) {
        sqlite(w, "PRAGMA application_id=0x12345678; PRAGMA user_version=1; CREATE TABLE things (name, "
                  "kind, value)");
        assert_int_equal(truncate(w->path, 3000), 0);
}

static void make_other_columns(const World *w) {
        sqlite(w,
               "PRAGMA application_id=0x12345678; PRAGMA user_version=1; CREATE TABLE things (something)");
}

static void make_view(const World *w) {
        sqlite(w,
               "PRAGMA application_id=0x12345678; PRAGMA user_version=1; CREATE TABLE a (name, kind, value);"
               "CREATE VIEW things AS SELECT * FROM a");
}

static void make_foreign(const World *w) {
        sqlite(w, "CREATE TABLE bookmarks (url)");
}

static void make_foreign_id(const World *w) {
        sqlite(w, "PRAGMA application_id=7; PRAGMA user_version=1");
}

static void make_without_version(const World *w) {
        sqlite(w, "PRAGMA application_id=0x12345678; CREATE TABLE things (name, kind, value)");
}

static void make_newer(const World *w) {
        sqlite(w, "PRAGMA application_id=0x12345678; PRAGMA user_version=2; CREATE TABLE wings (span)");
}

static void test_set_aside(void **state) {
        static const struct {
                void (*make)(const World *w);
                const char *why;
        } rows[] = {
                { make_garbage, "corrupt" },       { make_cut, "corrupt" },
                { make_other_columns, "corrupt" }, { make_view, "corrupt" },
                { make_foreign, "foreign" },       { make_foreign_id, "foreign" },
                { make_newer, "newer" },           { make_without_version, "foreign" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char expected[64], prefix[64];
                struct stat before, after;
                World w;

                begin(&w);
                rows[i].make(&w);
                assert_int_equal(stat(w.path, &before), 0);
                assert_int_equal(open_with(&w, &schema), 0);
                assert_true(w.is_new);
                (void) snprintf(expected, sizeof(expected), "was %s and is now x.db.%s-", rows[i].why,
                                rows[i].why);
                assert_non_null(startswith(w.aside, expected));
                (void) snprintf(prefix, sizeof(prefix), "x.db.%s-", rows[i].why);
                assert_int_equal(n_files(&w, prefix), 1);

                /* The same file, and nothing was written to it: another program may need it. */
                (void) snprintf(prefix, sizeof(prefix), "%s", strstr(w.aside, "x.db"));
                assert_int_equal(write_one(&w, "a", 1), 0);
                assert_holds(&w, "0: a 0 1; ");
                {
                        char path[192];

                        (void) snprintf(path, sizeof(path), "%s/%s", w.directory, prefix);
                        assert_int_equal(stat(path, &after), 0);
                        assert_int_equal(after.st_ino, before.st_ino);
                        if (!streq(rows[i].why, "corrupt"))
                                assert_int_equal(after.st_size, before.st_size);
                }
                done(&w);
        }
}

static void test_set_aside_twice(void **state) {
        World w;

        begin(&w);
        for (unsigned i = 0; i < 3; i++) {
                make_garbage(&w);
                assert_int_equal(open_with(&w, &schema), 0);
                close_store(&w);
                assert_int_equal(remove(w.path), 0);
        }
        assert_int_equal(n_files(&w, "x.db.corrupt-"), 3); /* within one second: each has a name */
        done(&w);
}

/* Its header is good, and what is behind it is not: found when it is read, or written. */
static void break_pages(World *w) {
        char bytes[4096];
        struct stat st;
        int fd;

        assert_int_equal(open_with(w, &schema), 0);
        {
                Rows rows = ROWS_INIT(1U << 20);

                for (int i = 0; i < 2000; i++)
                        put(&rows, "a name that takes some room", i, 1);
                assert_int_equal(write_rows(w, &rows), 0);
                rows_done(&rows);
        }
        close_store(w);
        fd = open(w->path, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0 && fstat(fd, &st) == 0);
        assert_true(st.st_size > 10 * 4096);
        memset(bytes, 0xee, sizeof(bytes));
        for (off_t at = 3 * 4096; at < st.st_size; at += 4096)
                assert_int_equal(pwrite(fd, bytes, sizeof(bytes), at), sizeof(bytes));
        (void) close(fd);
}

static void test_corrupt_when_written(void **state) {
        World w;

        begin(&w);
        break_pages(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_false(w.is_new);
        assert_int_equal(write_one(&w, "a name that takes some room", 2), 0);
        assert_true(w.is_new);
        assert_non_null(startswith(w.aside, "was corrupt and is now x.db.corrupt-"));
        assert_holds(&w, "0: a name that takes some room 0 2; ");
        done(&w);
}

static void test_corrupt_when_read(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(1U << 20);
        char trouble[512] = "";
        World w;

        begin(&w);
        break_pages(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(store_read(w.store, on_row, &b, trouble), -EUCLEAN);
        assert_string_not_equal(trouble, "");
        store_replace(w.store);
        store_wait(w.store);
        assert_int_equal(w.error, 0);
        assert_true(w.is_new);
        assert_non_null(startswith(w.aside, "was corrupt and is now x.db.corrupt-"));
        assert_holds(&w, "");
        done(&w);
}

/* --- versions --- */

static void test_migration(void **state) {
        World w;

        begin(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(write_one(&w, "a", 1), 0);
        close_store(&w);
        assert_int_equal(open_with(&w, &next_schema), 0);
        assert_false(w.is_new);
        assert_string_equal(w.aside, "");
        assert_holds(&w, "0: a 0 1 7; ");
        close_store(&w);
        assert_int_equal(open_with(&w, &next_schema), 0);
        assert_holds(&w, "0: a 0 1 7; ");

        /* And the older program does not touch it. */
        close_store(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_non_null(startswith(w.aside, "was newer and is now x.db.newer-"));
        done(&w);
}

/* A new table, in this version or in another one, needs no migration. */
static void test_more_tables(void **state) {
        static const RowSchema one = { tables, 1 };
        World w;

        begin(&w);
        assert_int_equal(open_with(&w, &one), 0);
        assert_int_equal(write_one(&w, "a", 1), 0);
        close_store(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_holds(&w, "0: a 0 1; ");
        close_store(&w);
        assert_int_equal(open_with(&w, &one), 0);
        assert_string_equal(w.aside, "");
        assert_holds(&w, "0: a 0 1; ");
        done(&w);
}

/* --- places where nothing can be written --- */

static void test_no_directory(void **state) {
        World w;

        begin(&w);
        (void) snprintf(w.path, sizeof(w.path), "%s/not/x.db", w.directory);
        assert_int_equal(open_with(&w, &schema), -ENOENT);
        assert_string_not_equal(w.trouble, "");
        (void) snprintf(w.path, sizeof(w.path), "%s", w.directory); /* it is a directory itself */
        close_store(&w);
        assert_int_equal(open_with(&w, &schema), -EACCES);
        {
                char lock[128];

                (void) snprintf(lock, sizeof(lock), "%s-lock", w.directory);
                assert_int_equal(remove(lock), 0);
        }
        done(&w);
}

static void test_somebody_has_it(void **state) {
        World w, other;

        begin(&w);
        begin(&other);
        assert_int_equal(rmdir(other.directory), 0);
        (void) snprintf(other.path, sizeof(other.path), "%s", w.path);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(open_with(&other, &schema), -EBUSY);
        assert_string_equal(other.trouble, "another gemgated has it");

        /* When it is free again, the next job has it. */
        close_store(&w);
        assert_int_equal(write_one(&other, "a", 1), 0);
        assert_holds(&other, "0: a 0 1; ");
        close_store(&other);
        (void) loop_free(other.loop);
        done(&w);
}

/* Another process reads the file meanwhile. */
static void test_read_by_others(void **state) {
        World w;

        begin(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(write_one(&w, "a", 1), 0);
        sqlite(&w, "SELECT * FROM things WHERE value > 1");
        assert_int_equal(write_one(&w, "b", 2), 0);
        sqlite(&w, "DELETE FROM things WHERE value = 1"); /* one may even change it */
        assert_int_equal(write_one(&w, "c", 3), 0);
        assert_holds(&w, "0: b 0 2; 0: c 0 3; ");
        done(&w);
}

/* No file may grow any more, as on a disk that is full. */
static void test_full(void **state) {
        struct rlimit before, none = {};
        Rows rows = ROWS_INIT(4096);
        World w;

        begin(&w);
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(write_one(&w, "a", 1), 0);
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        none = (struct rlimit){ 4096, before.rlim_max };
        put(&rows, "b", 0, 2);

        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
                assert_true(write_rows(&w, &rows) < 0);
                assert_string_not_equal(w.trouble, "");
                assert_string_equal(w.aside, ""); /* not the file's fault */
        }

        /* There is room again: the batch is as it was. */
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(write_rows(&w, &rows), 0);
        assert_false(w.is_new);
        assert_holds(&w, "0: a 0 1; 0: b 0 2; ");
        rows_done(&rows);
        done(&w);
}

/* Real ones, where we may mount: a disk of 128 KiB, and one that cannot be written. */
static void test_small_and_read_only_disk(void **state) {
        Rows rows = ROWS_INIT(1U << 20);
        World w;

        begin(&w);
        if (mount("none", w.directory, "tmpfs", 0, "size=192k") < 0) {
                assert_int_not_equal(geteuid(), 0); /* only where we may not */
                done(&w);
                return;
        }
        assert_int_equal(open_with(&w, &schema), 0);
        assert_int_equal(write_one(&w, "a", 1), 0);
        for (int i = 0; i < 5000; i++)
                put(&rows, "a name that takes some room", i, 1);
        assert_true(write_rows(&w, &rows) < 0);
        assert_string_equal(w.aside, "");
        assert_int_equal(mount("none", w.directory, "tmpfs", MS_REMOUNT, "size=16m"), 0);
        assert_int_equal(write_rows(&w, &rows), 0);
        assert_false(w.is_new);
        close_store(&w);

        assert_int_equal(mount("none", w.directory, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
        assert_int_equal(open_with(&w, &schema), -EROFS);
        assert_string_equal(w.aside, "");
        assert_int_equal(mount("none", w.directory, "tmpfs", MS_REMOUNT, NULL), 0);
        assert_int_equal(write_one(&w, "b", 1), 0);
        assert_false(w.is_new);
        close_store(&w);
        assert_int_equal(umount(w.directory), 0);
        rows_done(&rows);
        done(&w);
}

/* What was committed when the process is killed is there, by the log that it left. */
static void test_killed(void **state) {
        World w;

        begin(&w);
        for (uint64_t i = 1; i <= 5; i++) {
                char expected[64];
                int status;
                pid_t pid = fork();

                if (pid == 0) {
                        SqliteReport report = {};
                        Rows rows = ROWS_INIT(4096);
                        SqliteFile *f;

                        if (sqlite_file_open(w.path, &format, &schema, &f, &report) < 0)
                                _exit(1);
                        put(&rows, "a", 0, i);
                        if (sqlite_file_write(f, &rows, &report) < 0)
                                _exit(2);
                        (void) kill(getpid(), SIGKILL);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status));
                assert_int_equal(n_files(&w, "x.db-wal"), 1);
                if (i % 2)
                        continue; /* the log of two */
                assert_int_equal(open_with(&w, &schema), 0);
                (void) snprintf(expected, sizeof(expected), "0: a 0 %llu; ", (unsigned long long) i);
                assert_holds(&w, expected);
                close_store(&w);
        }
        done(&w);
}

/* As many as a second has at most, each time with the next number. */
#define KILLED_ROWS 5000U

static void put_all(Rows *rows, uint64_t value) {
        for (unsigned i = 0; i < KILLED_ROWS; i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "%u", i * 2654435761U);
                put(rows, name, 0, value);
        }
}

static int on_sum(unsigned table, const RowValue *v, unsigned n, void *userdata) {
        uint64_t *seen = userdata; /* how many there are, the least and the most of them */

        if (table != 0)
                return 0;
        seen[0]++;
        seen[1] = MIN(seen[1], (uint64_t) v[2].integer);
        seen[2] = MAX(seen[2], (uint64_t) v[2].integer);
        return 0;
}

/* In the middle of a batch, wherever that is: none of it is there, or all. The parent reads from a pipe
 * which batches have been written, and kills a little later each time. */
static void test_killed_while_it_writes(void **state) {
        uint64_t before = 0;
        World w;

        begin(&w);
        for (unsigned i = 0; i < 30; i++) {
                char trouble[512];
                int status, fds[2];
                uint64_t heard = 0, seen[3] = { 0, UINT64_MAX, 0 };
                pid_t pid;

                assert_int_equal(pipe(fds), 0);
                pid = fork();
                if (pid == 0) {
                        Rows rows = ROWS_INIT(1U << 20);
                        SqliteReport report = {};
                        SqliteFile *f;

                        if (sqlite_file_open(w.path, &format, &schema, &f, &report) < 0)
                                _exit(1);
                        for (uint64_t value = before + 1;; value++) {
                                rows_clear(&rows);
                                put_all(&rows, value);
                                if (sqlite_file_write(f, &rows, &report) < 0)
                                        _exit(2);
                                if (write(fds[1], &value, sizeof(value)) != sizeof(value))
                                        _exit(3);
                        }
                }
                (void) close(fds[1]);
                for (unsigned j = 0; j < 2; j++)
                        assert_int_equal(read(fds[0], &heard, sizeof(heard)), sizeof(heard));
                for (usec_t end = clock_monotonic() + i * 500; clock_monotonic() < end;)
                        ;
                (void) kill(pid, SIGKILL);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status));
                while (read(fds[0], &heard, sizeof(heard)) == sizeof(heard))
                        ;
                (void) close(fds[0]);

                assert_int_equal(open_with(&w, &schema), 0);
                assert_int_equal(store_read(w.store, on_sum, seen, trouble), 0);
                assert_int_equal(seen[0], KILLED_ROWS);
                assert_int_equal(seen[1], seen[2]);
                assert_in_range(seen[1], heard, heard + 1); /* perhaps written, but not reported */
                before = seen[1];
                close_store(&w);
        }
        done(&w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_modes),
#ifndef __SANITIZE_ADDRESS__ /* the thread that is left behind is a leak, on purpose */
                cmocka_unit_test(test_disk_hangs),
#endif
                cmocka_unit_test(test_replaced_and_stays),
                cmocka_unit_test(test_dangling_link),
                cmocka_unit_test(test_set_aside),
                cmocka_unit_test(test_set_aside_twice),
                cmocka_unit_test(test_corrupt_when_written),
                cmocka_unit_test(test_corrupt_when_read),
                cmocka_unit_test(test_migration),
                cmocka_unit_test(test_more_tables),
                cmocka_unit_test(test_no_directory),
                cmocka_unit_test(test_somebody_has_it),
                cmocka_unit_test(test_read_by_others),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_small_and_read_only_disk),
                cmocka_unit_test(test_killed),
                cmocka_unit_test(test_killed_while_it_writes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
