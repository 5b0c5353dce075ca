/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parts of the pool that are kept over restarts, as rows of tables (base/rows). The state in memory is
 * the valid one: the pool notes what has changed, the state writer takes the changed rows from time to
 * time, and gives all rows back to the pool at the next start. Pure: no file, no clock; io/store writes the
 * rows, daemon/state-writer connects the two. docs/STATE.md describes each table.
 */

#include "base/rows.h"
#include "base/state-source.h"
#include "pool/daybook.h"
#include "core/digest.h"
#include "pool/pool.h"

typedef enum PoolTable {
        POOL_META, /* first: without its secret no other row is understood */
        POOL_TOTAL,
        POOL_CLIENT_TOTAL,
        POOL_MODELS, /* before the tables that name models */
        POOL_ALIASES,
        POOL_MISSING_MODELS,
        POOL_KEYS,
        POOL_KEY_PROJECTS, /* before the tables with rows of projects */
        POOL_KEY_MODELS,
        POOL_PROJECTS,
        POOL_QUOTAS,
        POOL_ERRORS, /* after the tables with the breakers that they explain */
        POOL_CEILINGS,
        POOL_BINDINGS,
        POOL_DAYS,
        POOL_CLIENT_DAYS,
        _POOL_TABLE_MAX,
} PoolTable;

extern const RowSchema pool_schema;

/* The pool as a StateSource, for daemon/state-writer (pool/state/source.c). The functions that it consists
 * of follow. */
extern const StateSource pool_state_source;

/* --- saving what has changed (save.c) --- */

/* As StateSource.keep. Changes of health and quota and an administrator's orders are urgent; counters are
 * not. A key that was removed lives on until its last row is saved. */
void pool_keep(Pool *p, StateNotedFn noted, void *userdata);

/* The secret under which the keys' digests are made, if rows that were restored have brought none. */
int pool_set_state_secret(Pool *p, const uint8_t secret[static DIGEST_KEY_SIZE]);

/* As StateSource.save. */
int pool_save(Pool *p, bool all, Rows *out);

void pool_note_all(Pool *p); /* for an empty store. O(keys + slots) */

/* --- restoring (restore.c, restore-part.c) --- */

/* As StateSource.restore_begin and restore_part. Rows of unknown keys are skipped. */
typedef struct PoolRestore PoolRestore;

int pool_restore_begin(Pool *p, usec_t now, PoolRestore **ret);
int pool_restore_part(Pool *p, usec_t now, Rows *query, PoolRestore **ret);
int pool_restore_row(PoolRestore *r, PoolTable table, const RowValue *values, unsigned n); /* -ENOMEM */
size_t pool_restore_end(PoolRestore *r); /* how many rows made no sense */

bool pool_is_restored(const Pool *p); /* everything was restored, and no key or project was added since */

/* --- days (pool/state/days.c) --- */

/* How many days are kept, today included. */
void pool_keep_days(Pool *p, unsigned days);

/* Each row of the latest `n` days, from the earliest: first the day as a whole (model ""), then by model,
 * where models that never answered are left out. */
void pool_each_day(Pool *p, unsigned n, usec_t now, void (*f)(const DayRow *row, void *userdata),
                   void *userdata);

/* The same for one day of them: the first one that is not before *date, which becomes the day after it.
 * False: there is none. */
bool pool_next_day(Pool *p, unsigned n, usec_t now, uint32_t *date,
                   void (*f)(const DayRow *row, void *userdata), void *userdata);
