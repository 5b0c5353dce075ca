/* SPDX-License-Identifier: MIT */
#pragma once

/* What sqlite-file.c and sqlite-rows.c share. */

#include <sqlite3.h>
#include <sys/types.h>

#include "io/sqlite-file.h"

#define SQLITE_PUTS 16U

/* Which file a path names. */
typedef struct FileId {
        dev_t device;
        ino_t inode; /* 0: none */
} FileId;

struct SqliteFile {
        char *path;
        FileId id, wal, shm, lock;
        const SqliteFormat *format;
        const RowSchema *schema;
        int lock_fd;
        sqlite3 *db;
        sqlite3_stmt **puts, **puts_many; /* one a table, of a row and of SQLITE_PUTS */
        struct {
                const Rows *query; /* NULL: none is under way */
                size_t at;         /* what comes next in it */
                Row row;           /* what is searched for now */
                sqlite3_stmt *s;   /* for it, and perhaps for the next one; or NULL */
                bool has_more;     /* it may have more rows */
        } find;
};

static inline void db_closep(sqlite3 **db) {
        (void) sqlite3_close(*db);
}

static inline void statement_freep(sqlite3_stmt **s) {
        (void) sqlite3_finalize(*s);
}

int sqlite_fail(sqlite3 *db, int code, SqliteReport *report); /* the -errno of SQLite's code */
int sqlite_run(sqlite3 *db, const char *sql, SqliteReport *report);
int sqlite_open(const char *path, int flags, sqlite3 **ret, SqliteReport *report);

void sqlite_close_db(SqliteFile *f);

/* Renames the file and those that belong to it, to a name that is not in use. */
int sqlite_rename_aside(const char *path, const char *why, SqliteReport *report);

void sqlite_note_place(SqliteFile *f); /* sqlite-place.c: notes which files the paths name now */

/* sqlite-rows.c */
int sqlite_make_table(sqlite3 *db, const RowTable *t, SqliteReport *report); /* if there is none */
int sqlite_prepare_put(sqlite3 *db, const RowTable *t, unsigned n, sqlite3_stmt **ret, SqliteReport *report);
void sqlite_end_find(SqliteFile *f);
