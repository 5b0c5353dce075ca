/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Something whose rows are stored over restarts; the pool is one. It describes its tables, notes what has
 * changed, fills a batch with the rows of that, and takes all of them back after a start. The state writer
 * has several sources and one store; the tables of one source follow those of the one before. A source
 * numbers its tables from 0: Rows.first_table and the state writer translate.
 */

#include "base/clock.h"
#include "base/rows.h"

#define STATE_SECRET_SIZE 32U

typedef void (*StateNotedFn)(bool urgent, void *userdata);

typedef struct StateSource {
        const RowSchema *schema;

        /* From now on changes are noted; with NULL no more. `noted` is called when there is something to
         * be saved, and once more when some of it is urgent. It calls nothing of the source. */
        void (*keep)(void *source, StateNotedFn noted, void *userdata);
        void (*note_all)(void *source); /* as if everything had changed */

        /* Appends rows of what has changed, the urgent ones first, to about STATE_BATCH_ROWS in the batch;
         * of the others only if `all`. 1 if more are left. After a failure the batch is empty, and
         * everything of this source is noted. */
        int (*save)(void *source, bool all, Rows *out);

        /* False as long as something in it has not got its rows: before the first restore, and after a
         * reload. */
        bool (*is_restored)(const void *source);

        /* Rows are given in the order of the tables, those that make no sense are passed over and counted,
         * and what has happened meanwhile is added. restore_end() must follow, before anything is saved.
         * */
        int (*restore_begin)(void *source, usec_t now, void **ret);
        int (*restore_row)(void *restore, unsigned table, const RowValue *values, unsigned n);
        size_t (*restore_end)(void *restore); /* how many rows made no sense */

        /* Random bytes for digests in its rows, if none were restored; may be NULL. */
        int (*set_secret)(void *source, const uint8_t secret[static STATE_SECRET_SIZE]);
} StateSource;
