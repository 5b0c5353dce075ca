/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Keys and projects that have rows but are not configured. Their rows are kept for their return, and are
 * deleted if their last use was before the days that are kept. Part of the pool: restore-index finds them
 * while rows are read, save deletes them with its next batch.
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

/* Notes a row of the key or project, with its time of last use. */
int restore_absent_note(RestoreAbsent *a, const RowValue *id, usec_t used);
/* All rows were read: passes those that must be deleted to the pool. */
void restore_absent_end(RestoreAbsent *a, Pool *p);

void restore_absent_free(List *list); /* those that were not deleted yet */
/* Appends the deletion of some of them; true if there are more. */
bool pool_save_absent(Pool *p, Rows *out);
