/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Keys and projects that have rows but are not configured (any more). Their rows are kept in case they come
 * back. Rows whose last use is before the latest days that were counted, as many as are kept, are deleted.
 * With fewer days in the book nothing is, so a clock that is ahead at one start deletes nothing. Part of the
 * pool: restore-index finds such keys and projects while rows are read, save deletes their rows with its
 * next batch.
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

/* Notes that a row of the absent key or project `id` has this time of last use. */
int restore_absent_note(RestoreAbsent *a, const RowValue *id, usec_t used);
/* All rows were read: passes to the pool the keys and projects whose rows are to be deleted. */
void restore_absent_end(RestoreAbsent *a, Pool *p);

void restore_absent_free(List *list); /* those that were not deleted yet */
/* Appends the deletion of some of them; true if there are more. */
bool pool_save_absent(Pool *p, Rows *out);
