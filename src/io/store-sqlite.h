/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A store of rows in an SQLite file, of which the loop never waits for the disk: a thread of the store's own
 * opens and writes. One job is under way at a time; what it came to is told on the loop. See store-sqlite.c.
 */

#include "base/rows.h"
#include "io/loop.h"

typedef struct Store Store;

typedef struct StoreReport {
        int error;           /* 0, or why the job has failed: the batch is still to be written */
        bool is_new;         /* the file is empty but for this batch: it wants everything */
        const char *aside;   /* "was corrupt and is now NAME": a file that was set aside; or "" */
        const char *trouble; /* the error in words */
} StoreReport;

/* Called from the loop, or in store_wait(); it may begin the next job. */
typedef void (*StoreDoneFn)(const StoreReport *r, void *userdata);

int store_new(Loop *l, const char *path, const RowSchema *schema, StoreDoneFn done, void *userdata,
              Store **ret);
Store *store_free(Store *s); /* waits for the job under way, without telling, and closes the file */
DEFINE_CLEANUP(Store *, store_free);

/*
 * Opens the file if it isn't open, and writes the rows, which the store has until it is done; it may be
 * none. A write that fails leaves the rows as they are, and closes the file: the next job opens it again.
 */
void store_write(Store *s, Rows *rows);
bool store_is_busy(const Store *s);
void store_wait(Store *s); /* until the job under way is done; of those that its end begins, too */

/* Closes the file and sets it aside as corrupt, and opens a new one: a job like store_write(). */
void store_replace(Store *s);

/* Every row, in the order of the tables, at once: for the start, when there is nothing else to do. The file
 * must be open. Else, or if it cannot be read, an error; -EUCLEAN if it is corrupt. */
int store_read(Store *s, int (*fn)(unsigned table, const RowValue *values, unsigned n, void *userdata),
               void *userdata, char ret_trouble[static 512]);
