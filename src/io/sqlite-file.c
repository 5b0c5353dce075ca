/* SPDX-License-Identifier: MIT */

/*
 * Durability. The file is in WAL mode with synchronous=NORMAL: a transaction is written, but nothing waits
 * for the disk. SQLite waits for it when the log is moved into the file, every few thousand pages and at the
 * end.
 *
 *   - If the process dies, by kill -9 or otherwise, no committed transaction is lost, with NORMAL or FULL:
 *     the kernel has it.
 *   - If the machine loses its power, NORMAL loses what the kernel had not written yet, seconds up to half a
 *     minute, but never the file itself. FULL would lose nothing, at the price of a wait for the disk with
 *     each transaction, up to forty a second while keys fail. What can be lost is counters, and cooldowns
 *     that Google's next answer restores: not worth the waits or the wear.
 *
 * The file may have been written by anyone: the reader checks every value, and SQLite is set to trust
 * nothing (no triggers, views or functions from the file, sizes of cells checked).
 *
 * Another process must not write the file at the same time, or each would undo the other's counting. A lock
 * file beside it prevents that. SQLite's own locks only last for a transaction, so people may look into the
 * file while gemgate runs.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "io/sqlite-internal.h"

#define BUSY_PATIENCE_MSEC 250 /* for a person who has the file open and writes */
#define VALUE_MAX          (64 << 10)

/* Without room in the cache, pages of a transaction would be written before its end, and then again. Memory
 * is taken as needed: ten keys need some pages. */
#define CACHE_SIZE "-16384" /* negative: SQLite's unit is KiB then */
#define MEMORY_ENOUGH (32U << 20) /* twice the cache: more than SQLite takes for a sound file */
/* With ten thousand keys, each second changes the same thousand pages. With this value they are moved into
 * the file in every eighth second. The log may grow to 32 MiB. */
#define CHECKPOINT_PAGES "8000"

static int error_of(int code) {
        static const struct {
                int code, error;
        } rows[] = {
                { SQLITE_CORRUPT, -EUCLEAN },  { SQLITE_NOTADB, -EUCLEAN },     { SQLITE_FORMAT, -EUCLEAN },
                { SQLITE_MISMATCH, -EUCLEAN }, { SQLITE_CONSTRAINT, -EUCLEAN }, { SQLITE_TOOBIG, -EUCLEAN },
                { SQLITE_ERROR, -EPROTO },     { SQLITE_SCHEMA, -EPROTO },      { SQLITE_FULL, -ENOSPC },
                { SQLITE_READONLY, -EROFS },   { SQLITE_CANTOPEN, -EACCES },    { SQLITE_PERM, -EACCES },
                { SQLITE_AUTH, -EACCES },      { SQLITE_BUSY, -EBUSY },         { SQLITE_LOCKED, -EBUSY },
                { SQLITE_NOMEM, -ENOMEM },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].code == (code & 0xff))
                        return rows[i].error;
        return -EIO;
}

static int last_errno(sqlite3 *db, int which) {
        sqlite3_file *file = NULL;
        int e = 0;

        if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK || !file || !file->pMethods ||
            file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &e) != SQLITE_OK)
                return 0;
        return e;
}

/* SQLite also calls a file corrupt if the disk could not read it (EIO, ENXIO). Then the file or its log has
 * an errno. A failure closes the file, so it is none of an earlier one. */
static int errno_of_corrupt(sqlite3 *db) {
        return last_errno(db, SQLITE_FCNTL_FILE_POINTER) ?: last_errno(db, SQLITE_FCNTL_JOURNAL_POINTER);
}

int sqlite_fail(sqlite3 *db, int code, SqliteReport *report) {
        int e = db ? sqlite3_system_errno(db) : 0;
        const char *what = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);

        if (db && (code & 0xff) == SQLITE_CORRUPT && (e = errno_of_corrupt(db)) > 0) {
                code = SQLITE_IOERR;
                what = sqlite3_errstr(code);
        }
        if (report)
                (void) snprintf(report->trouble, sizeof(report->trouble), "%s%s%s", what,
                                e > 0 ? ": " : "", e > 0 ? strerror(e) : "");
        return error_of(code);
}

int sqlite_run(sqlite3 *db, const char *sql, SqliteReport *report) {
        int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

        return code == SQLITE_OK ? 0 : sqlite_fail(db, code, report);
}

static int ask_number(sqlite3 *db, const char *sql, int64_t *ret, SqliteReport *report) {
        _cleanup_(statement_freep) sqlite3_stmt *s = NULL;
        int code;

        code = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
        if (code == SQLITE_OK)
                code = sqlite3_step(s);
        if (code != SQLITE_ROW)
                return sqlite_fail(db, code, report);
        *ret = sqlite3_column_int64(s, 0);
        return 0;
}

/* --- opening --- */

int sqlite_open(const char *path, int flags, sqlite3 **ret, SqliteReport *report) {
        _cleanup_(db_closep) sqlite3 *db = NULL;
        int code;

        code = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
        if (code != SQLITE_OK)
                return sqlite_fail(db, code, report);
        (void) sqlite3_extended_result_codes(db, 1);
        (void) sqlite3_busy_timeout(db, BUSY_PATIENCE_MSEC);
        (void) sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void) sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        (void) sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        (void) sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
        (void) sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
        (void) sqlite3_exec(db, "PRAGMA cell_size_check=ON", NULL, NULL, NULL);
        *ret = TAKE_PTR(db);
        return 0;
}

/* Sets the mode, which SQLite also gives to the files beside it. The file must not be opened here: closing
 * it would drop SQLite's locks on it. */
static int make_private(const char *path, SqliteReport *report) {
        struct stat st;
        int fd;

        if (stat(path, &st) < 0) {
                /* Without O_EXCL a link makes the file that it names. */
                fd = errno == ENOENT ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
                if (fd < 0)
                        goto fail;
                (void) close(fd);
                return 0;
        }
        if (!S_ISREG(st.st_mode)) {
                (void) snprintf(report->trouble, sizeof(report->trouble), "it is no regular file");
                return -EACCES;
        }
        if ((st.st_mode & 07777) == 0600 || chmod(path, 0600) >= 0)
                return 0;
fail:
        (void) snprintf(report->trouble, sizeof(report->trouble), "%s", strerror(errno));
        return -errno;
}

static int take_lock(const char *path, int *ret, SqliteReport *report) {
        char lock[STATE_PATH_MAX + 16];
        _cleanup_close_ int fd = -1;
        int r;

        (void) snprintf(lock, sizeof(lock), "%s-lock", path);
        fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) >= 0) {
                *ret = TAKE_FD(fd);
                return 0;
        }
        r = errno == EWOULDBLOCK ? -EBUSY : -errno;
        (void) snprintf(report->trouble, sizeof(report->trouble), "%s",
                        r == -EBUSY ? "another gemgated has it" : strerror(errno));
        return r;
}

int sqlite_rename_aside(const char *path, const char *why, SqliteReport *report) {
        static const char *const parts[] = { "", "-wal", "-shm", "-journal" };
        char to[STATE_PATH_MAX + 96], stamp[TIMESTAMP_STRING_MAX];
        const char *base = strrchr(path, '/');
        int n = 0;

        timestamp_format(clock_realtime(), 0, stamp);
        stamp[strcspn(stamp, "+")] = 0;
        for (unsigned i = 1;; i++) {
                n = snprintf(to, sizeof(to) - 16, i > 1 ? "%s.%s-%sZ.%u" : "%s.%s-%sZ", path, why, stamp, i);
                if (access(to, F_OK) < 0)
                        break;
        }
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                char from[STATE_PATH_MAX + 16];

                (void) snprintf(from, sizeof(from), "%s%s", path, parts[i]);
                (void) snprintf(to + n, sizeof(to) - (size_t) n, "%s", parts[i]);
                if (rename(from, to) < 0 && (i == 0 || errno != ENOENT)) {
                        int r = -errno;

                        (void) snprintf(report->trouble, sizeof(report->trouble),
                                        "it is %s, and could not be set aside: %s", why, strerror(-r));
                        return r;
                }
        }
        to[n] = 0;
        (void) snprintf(report->aside, sizeof(report->aside), "was %s and is now %.200s", why,
                        base ? strrchr(to, '/') + 1 : to);
        report->trouble[0] = 0;
        return 0;
}

static int migrate(sqlite3 *db, const SqliteFormat *format, int64_t from, SqliteReport *report) {
        char sql[64];
        int r;

        for (int64_t v = from; v < format->version; v++) {
                r = sqlite_run(db, format->migrations[v - 1], report);
                if (r < 0)
                        return r;
        }
        (void) snprintf(sql, sizeof(sql), "PRAGMA user_version=%u", format->version);
        return sqlite_run(db, sql, report);
}

static int make_tables(SqliteFile *f, int64_t version, SqliteReport *report) {
        const SqliteFormat *format = f->format;
        char sql[64];
        int r = 0;

        if (version > 0)
                r = migrate(f->db, format, version, report);
        for (unsigned i = 0; r >= 0 && i < f->schema->n_tables; i++)
                r = sqlite_make_table(f->db, f->schema->tables + i, report);
        if (r < 0 || version > 0)
                return r;
        (void) snprintf(sql, sizeof(sql), "PRAGMA application_id=%u; PRAGMA user_version=%u",
                        format->application_id, format->version);
        return sqlite_run(f->db, sql, report);
}

static bool has_memory(void) {
        void *p = mmap(NULL, MEMORY_ENOUGH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return p != MAP_FAILED && munmap(p, MEMORY_ENOUGH) >= 0;
}

/* Corrupt, or without a table or column that must be there. A corrupt schema can also make SQLite ask for
 * too much memory. Where memory is short, the file may be sound. */
static bool is_senseless(int r) {
        return r == -EUCLEAN || r == -EPROTO || (r == -ENOMEM && has_memory());
}

/* Whose file it is. If not ours, `ret_why` has the reason. Version 0: the file is empty. */
static int recognise(sqlite3 *db, const SqliteFormat *format, int64_t *ret_version, const char **ret_why,
                     SqliteReport *report) {
        int64_t application = 0, version = 0, n = 0;
        int r;

        r = ask_number(db, "PRAGMA application_id", &application, report);
        if (r >= 0)
                r = ask_number(db, "PRAGMA user_version", &version, report);
        if (r >= 0)
                r = ask_number(db, "SELECT count(*) FROM sqlite_schema", &n, report);
        if (r < 0) {
                *ret_why = is_senseless(r) ? "corrupt" : NULL;
                return r;
        }
        *ret_version = version;
        if (application == 0 && version == 0 && n == 0)
                return 0;
        if (application != (int64_t) format->application_id || version < 1)
                *ret_why = "foreign";
        else if (version > (int64_t) format->version)
                *ret_why = "newer";
        return *ret_why ? -EUCLEAN : 0;
}

static int prepare(SqliteFile *f, unsigned table, SqliteReport *report) {
        const RowTable *t = f->schema->tables + table;
        int r;

        r = sqlite_prepare_put(f->db, t, 1, f->puts + table, report);
        return r < 0 ? r : sqlite_prepare_put(f->db, t, SQLITE_PUTS, f->puts_many + table, report);
}

static int set_up(SqliteFile *f, const char **ret_why, SqliteReport *report) {
        int64_t version = 0;
        int r;

        r = recognise(f->db, f->format, &version, ret_why, report);
        if (r < 0)
                return r;
        report->is_new = version == 0;

        /* Without WAL, as on a network file system, the ordinary journal is used. */
        r = sqlite_run(f->db,
                       "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=" CACHE_SIZE
                       "; "
                       "PRAGMA wal_autocheckpoint=" CHECKPOINT_PAGES "; BEGIN IMMEDIATE",
                       report);
        if (r >= 0)
                r = make_tables(f, version, report);
        if (r >= 0)
                r = sqlite_run(f->db, "COMMIT", report);
        for (unsigned i = 0; r >= 0 && i < f->schema->n_tables; i++)
                r = prepare(f, i, report);
        if (is_senseless(r))
                *ret_why = "corrupt";
        return r;
}

void sqlite_close_db(SqliteFile *f) {
        sqlite_end_find(f);
        for (unsigned i = 0; i < f->schema->n_tables; i++) {
                (void) sqlite3_finalize(f->puts[i]);
                (void) sqlite3_finalize(f->puts_many[i]);
                f->puts[i] = f->puts_many[i] = NULL;
        }
        (void) sqlite3_close(f->db);
        f->db = NULL;
}

static int open_once(SqliteFile *f, const char **ret_why, SqliteReport *report) {
        int r;

        r = make_private(f->path, report);
        if (r >= 0)
                r = sqlite_open(f->path, SQLITE_OPEN_READWRITE, &f->db, report);
        if (r >= 0)
                r = set_up(f, ret_why, report);
        if (r < 0)
                sqlite_close_db(f);
        return r;
}

static void file_freep(SqliteFile **f) {
        if (*f)
                (void) sqlite_file_close(*f);
}

int sqlite_file_open(const char *path, const SqliteFormat *format, const RowSchema *schema,
                     SqliteFile **ret, SqliteReport *report) {
        _cleanup_(file_freep) SqliteFile *f = NULL;
        const char *why = NULL;
        int r;

        assert(strlen(path) <= STATE_PATH_MAX);

        f = calloc(1, sizeof(SqliteFile));
        if (!f)
                return -ENOMEM;
        f->lock_fd = -1;
        f->format = format;
        f->schema = schema;
        f->path = strdup(path);
        f->puts = calloc(2 * schema->n_tables, sizeof(sqlite3_stmt *));
        f->puts_many = f->puts ? f->puts + schema->n_tables : NULL;
        if (!f->path || !f->puts)
                return -ENOMEM;

        r = take_lock(path, &f->lock_fd, report);
        if (r >= 0)
                r = open_once(f, &why, report);
        if (r < 0 && why) {
                r = sqlite_rename_aside(path, why, report);
                if (r >= 0)
                        r = open_once(f, &why, report);
        }
        if (r < 0)
                return r;
        sqlite_note_place(f);
        *ret = TAKE_PTR(f);
        return 0;
}

SqliteFile *sqlite_file_close(SqliteFile *f) {
        if (!f)
                return NULL;
        if (f->puts)
                sqlite_close_db(f);
        (void) safe_close(f->lock_fd);
        free(f->puts);
        free(f->path);
        free(f);
        return NULL;
}

int sqlite_file_set_aside(SqliteFile *f, SqliteReport *report) {
        int r;

        sqlite_close_db(f);
        r = sqlite_rename_aside(f->path, "corrupt", report);
        (void) sqlite_file_close(f);
        return r;
}
