/* SPDX-License-Identifier: MIT */
#include "pool-shelf.h"

#include <sys/wait.h>

#include "daemon/state-format.h"

/* Files of earlier versions, made with their SQL. Today's pool reads them and goes on counting, and an
 * earlier version can read what it writes. */

/* Version 1, from 2026-11-25 on. */
static const char version_1[] =
        "PRAGMA application_id=1735223156; PRAGMA user_version=1;"
        "CREATE TABLE \"meta\" (\"name\" TEXT, \"value\" BLOB, PRIMARY KEY (\"name\")) WITHOUT ROWID;"
        "CREATE TABLE \"total\" (\"name\" TEXT, \"total\" INTEGER, \"today\" INTEGER, \"day\" INTEGER,"
        " \"errors\" INTEGER, \"tokens_in\" INTEGER, \"tokens_out\" INTEGER,"
        " \"last_used\" INTEGER,"
        " PRIMARY KEY (\"name\")) WITHOUT ROWID;"
        "CREATE TABLE \"models\" (\"model\" TEXT, \"total\" INTEGER, \"today\" INTEGER, \"day\" INTEGER,"
        " \"errors\" INTEGER, \"tokens_in\" INTEGER, \"tokens_out\" INTEGER,"
        " \"last_used\" INTEGER,"
        " \"succeeded\" INTEGER, PRIMARY KEY (\"model\")) WITHOUT ROWID;"
        "CREATE TABLE \"projects\" (\"project\" BLOB, \"until\" INTEGER, \"since\" INTEGER,"
        " \"strikes\" INTEGER,"
        " \"billing\" INTEGER, PRIMARY KEY (\"project\")) WITHOUT ROWID;"
        "CREATE TABLE \"quotas\" (\"project\" BLOB, \"model\" TEXT, \"until\" INTEGER, \"since\" INTEGER,"
        " \"strikes\" INTEGER, \"closed\" INTEGER, \"daily\" INTEGER, PRIMARY KEY (\"project\", \"model\"))"
        " WITHOUT ROWID;"
        "CREATE TABLE \"ceilings\" (\"project\" BLOB, \"model\" TEXT, \"rpm_learned\" INTEGER,"
        " \"rpm_learned_at\" INTEGER, \"rpm_guessed\" INTEGER, \"tpm_learned\" INTEGER,"
        " \"tpm_learned_at\" INTEGER, \"tpm_guessed\" INTEGER, \"rpd_learned\" INTEGER,"
        " \"rpd_learned_at\" INTEGER, \"rpd_guessed\" INTEGER, \"today\" INTEGER, \"day\" INTEGER,"
        " \"warned\" INTEGER, PRIMARY KEY (\"project\", \"model\")) WITHOUT ROWID;"
        "CREATE TABLE \"days\" (\"date\" INTEGER, \"model\" TEXT, \"requests\" INTEGER, \"errors\" INTEGER,"
        " \"tokens_in\" INTEGER, \"tokens_out\" INTEGER, PRIMARY KEY (\"date\", \"model\")) WITHOUT ROWID;"
        /* MIDNIGHT and NOON of 2026-11-22 in Los Angeles; key_models and the like came to be empty */
        "INSERT INTO meta VALUES ('secret',"
        " x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');"
        "INSERT INTO total VALUES ('all', 50, 4, 1795334400000000, 5, 1000, 500, 1795370000000000);"
        "INSERT INTO models VALUES ('m', 50, 4, 1795334400000000, 5, 1000, 500, 1795370000000000, 1);"
        "INSERT INTO quotas VALUES ('p', 'm', 1795381200000000, 1795370000000000, 2, 0, 1);"
        "INSERT INTO ceilings VALUES ('p', 'm', 10, 1795370000000000, 0, 0, 0, 0, 0, 0, 0, 4,"
        " 1795334400000000, 0);"
        "INSERT INTO days VALUES (20261121, '', 46, 5, 900, 450);"
        "INSERT INTO days VALUES (20261121, 'm', 46, 5, 900, 450);"
        "INSERT INTO days VALUES (20261122, '', 4, 0, 100, 50);"
        "INSERT INTO days VALUES (20261122, 'm', 4, 0, 100, 50);";

static char directory[] = "/tmp/test-state-file-XXXXXX", path[64];

static void sqlite(const char *sql) {
        char *const argv[] = { (char *) "sqlite3", path, (char *) sql, NULL };
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                execvp(argv[0], argv);
                _exit(127);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static int on_row(unsigned table, const RowValue *values, unsigned n, void *userdata) {
        return pool_restore_row(userdata, (PoolTable) table, values, n);
}

/* The file into the pool; what the pool has to save into the file. */
static void read_file(World *w) {
        SqliteReport report = {};
        PoolRestore *restore;
        SqliteFile *f;

        assert_int_equal(sqlite_file_open(path, &state_format, &pool_schema, &f, &report), 0);
        assert_string_equal(report.aside, "");
        assert_false(report.is_new);
        assert_int_equal(pool_restore_begin(w->pool, w->now, &restore), 0);
        assert_int_equal(sqlite_file_read(path, &pool_schema, on_row, restore, &report), 0);
        assert_int_equal(pool_restore_end(restore), 0);
        (void) sqlite_file_close(f);
}

static void write_file(World *w) {
        Rows rows = ROWS_INIT(1U << 20);
        SqliteReport report = {};
        SqliteFile *f;

        assert_int_equal(sqlite_file_open(path, &state_format, &pool_schema, &f, &report), 0);
        assert_int_equal(pool_save(w->pool, true, &rows), 0);
        assert_int_equal(sqlite_file_write(f, &rows, &report), 0);
        rows_done(&rows);
        (void) sqlite_file_close(f);
}

static void assert_state(World *w, uint64_t total, uint64_t today) {
        _cleanup_free_ char *shown = world_show(w);
        PoolCounters c;

        pool_counters(w->pool, w->now, &c);
        assert_int_equal(c.total, total);
        assert_int_equal(c.today, today);
        assert_int_equal(c.errors, 5);
        assert_non_null(strstr(shown, "day 20261121 m: 46 5 900 450\n"));
        assert_non_null(strstr(shown, "learned 10 at 1795370000000000"));
        /* The quota of project p is left alone until 13:00. */
        assert_non_null(strstr(shown, "not usable"));
        assert_int_equal(world_days(w, 10), 4);
}

static void test_version_1(void **state) {
        /* What that version reads, by its own statements. */
        static const char reads[] =
                "SELECT CASE WHEN (SELECT user_version FROM pragma_user_version) = 1"
                " AND (SELECT application_id FROM pragma_application_id) = 1735223156"
                " AND (SELECT count(*) FROM total WHERE total = 51 AND today = 5"
                " AND day = 1795334400000000) = 1"
                " AND (SELECT count(*) FROM models WHERE model = 'm' AND total = 51 AND succeeded = 1) = 1"
                " AND (SELECT count(*) FROM days WHERE date = 20261122 AND requests = 5) = 2"
                " AND (SELECT count(*) FROM key_models WHERE total = 1) = 1"
                " THEN 1 ELSE abs(-9223372036854775808) END"; /* which is an error */
        World *w = calloc(1, sizeof(World));

        assert_non_null(w);
        w->now = NOON;
        sqlite(version_1);
        world_begin_unread(w, four, 4);
        read_file(w);
        assert_state(w, 50, 4);
        world_ask(w, "m", VERDICT_OK, 0);
        assert_state(w, 51, 5);
        write_file(w);
        world_end(w);
        sqlite(reads);

        world_begin_unread(w, four, 4);
        read_file(w);
        assert_state(w, 51, 5);
        world_done(w);
        free(w);
}

static int set_up(void **state) {
        assert_non_null(mkdtemp(directory));
        (void) snprintf(path, sizeof(path), "%s/state.db", directory);
        return world_set_up(state);
}

static int tear_down(void **state) {
        static const char *const suffixes[] = { "", "-lock", "-wal", "-shm" };

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                char part[80];

                (void) snprintf(part, sizeof(part), "%s%s", path, suffixes[i]);
                (void) remove(part);
        }
        assert_int_equal(rmdir(directory), 0);
        return world_tear_down(state);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_version_1),
        };

        return cmocka_run_group_tests_name("state-file", tests, set_up, tear_down);
}
