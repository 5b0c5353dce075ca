/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file of rows, with SQLite. Everything here waits for the disk, so it is called in the store's thread
 * (io/store-sqlite), except for reading at the start. What is not ours, or is broken, is never overwritten:
 * it is renamed, and a new file takes its place.
 */

#include "base/rows.h"

typedef struct SqliteFile SqliteFile;

/*
 * Identifies a file of these rows, and its version. A new table needs no new version: it is created where
 * it is missing, and older programs leave it alone. A new or changed column needs a new version and a
 * migration: migrations[v - 2] leads from version v - 1 to v.
 */
typedef struct SqliteFormat {
        uint32_t application_id;
        unsigned version;              /* from 1 */
        const char *const *migrations; /* SQL, version - 1 of them */
} SqliteFormat;

/* What happened to a file. The sentences have no full stop. */
typedef struct SqliteReport {
        bool is_new;       /* the file is empty: made just now, or in the place of one that was set aside */
        char aside[256];   /* what was set aside, why and where it is now; "" */
        char trouble[512]; /* why the call failed; "" */
} SqliteReport;

/*
 * Opens the file, creates it if it is missing, sets it aside if it is corrupt, of another program or of a
 * newer gemgate, and migrates an older one. Its mode becomes 0600. -EBUSY if another gemgated has opened it;
 * -ENOSPC, -EROFS, -EACCES, -EIO …
 */
int sqlite_file_open(const char *path, const SqliteFormat *format, const RowSchema *schema,
                     SqliteFile **ret, SqliteReport *report);
SqliteFile *sqlite_file_close(SqliteFile *f);

/* Whether the path still names this file. A person can remove it, or put another one in its place: then what
 * is written to this file is lost with it. */
typedef enum SqlitePlace {
        SQLITE_THERE,
        SQLITE_REMOVED,
        SQLITE_REPLACED,
        SQLITE_UNLOCKED, /* the file is there, but its lock file is not */
} SqlitePlace;

SqlitePlace sqlite_file_place(const SqliteFile *f);

/* Closes a file that is no longer there. A file that has replaced it is renamed, unchanged. The next open
 * makes a new one. */
int sqlite_file_leave(SqliteFile *f, SqlitePlace place, SqliteReport *report);
/* Again, if the replacing file could not be renamed. It may be gone meanwhile. */
int sqlite_set_replaced_aside(const char *path, SqliteReport *report);

/* All rows, or none, in one transaction. -EUCLEAN: the file is corrupt. */
int sqlite_file_write(SqliteFile *f, const Rows *rows, SqliteReport *report);

/* To be called when the file has turned out to be corrupt; closes it and renames it. The next open makes a
 * new one. */
int sqlite_file_set_aside(SqliteFile *f, SqliteReport *report);

/* Appends rows that the query asks for, in its order, as many as STATE_FIND_ROWS allow: 1 if there may be
 * more. They come with the next calls, with NULL; until then the query must stay, and nothing be written. */
int sqlite_file_find(SqliteFile *f, const Rows *query, Rows *answer, SqliteReport *report);

/* Reads every row of every table of the schema, over a separate connection, so that another thread may call
 * it. A failure of the function ends the reading. -EUCLEAN: the file is corrupt. */
typedef int (*SqliteRowFn)(unsigned table, const RowValue *values, unsigned n, void *userdata);
int sqlite_file_read(const char *path, const RowSchema *schema, SqliteRowFn fn, void *userdata,
                     SqliteReport *report);
