/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whose rows are nobody's: keys and projects that the configuration does not name (any more). Their rows
 * wait for them, and are forgotten when they were used last before the days that are kept. A part of the
 * pool: looked for when rows are read (restore-index), forgotten with what is saved next (save).
 */

#include "base/list.h"
#include "base/rows.h"
#include "pool/pool.h"

typedef struct RestoreAbsent {
        void *by_id;
        List list;
        size_t n;
} RestoreAbsent;

void restore_absent_init(RestoreAbsent *a);
void restore_absent_done(RestoreAbsent *a);

/* One of its rows says that it was used then. */
int restore_absent_note(RestoreAbsent *a, const RowValue *id, usec_t used);
/* All rows were read: who is to be forgotten now is the pool's. */
void restore_absent_end(RestoreAbsent *a, Pool *p);

void restore_absent_free(List *list); /* those that were not forgotten yet */
/* Tells the store of some of them; true if there are more. */
bool pool_save_absent(Pool *p, Rows *out);
