/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A source is something whose rows are stored over restarts, such as the pool. It describes its tables,
 * notes what has changed, fills a batch with the changed rows, and takes all rows back after a start. The
 * state writer has one or more sources and one store. In the store's schema the tables of one source follow
 * those of the previous one. A source numbers its tables from 0: Rows.first_table and the state writer
 * translate.
 */

#include "base/clock.h"
#include "base/rows.h"

#define STATE_SECRET_SIZE 32U

typedef void (*StateNotedFn)(bool urgent, void *userdata);

typedef struct StateSource {
        const RowSchema *schema;

        /* From now on changes are noted; with NULL no more. `noted` is called when there is something to
         * save, and once more when some of that is urgent. It must not call the source. */
        void (*keep)(void *source, StateNotedFn noted, void *userdata);
        void (*note_all)(void *source); /* as if everything had changed */

        /* Appends rows of what has changed, to about STATE_BATCH_ROWS in the batch: first the urgent ones,
         * the others only if `all`. Returns 1 if more are left. After a failure the batch is empty, and
         * everything of this source is noted. */
        int (*save)(void *source, bool all, Rows *out);

        /* False while something in the source has not been restored: before the first restore, and after a
         * reload that added something. Then nothing may be saved. */
        bool (*is_restored)(const void *source);

        /* At the start: the caller gives all rows, in the order of the tables. Rows that make no sense are
         * skipped and counted. The stored values are merged with what has happened since the start.
         * restore_end() must follow. */
        int (*restore_begin)(void *source, usec_t now, void **ret);
        /* While the source is in use: restores a part of what is not restored, as much as one turn of the
         * loop can take. Appends to the query what rows it needs, STATE_QUERY_MAX at most of all sources;
         * there is memory for them. The rows come in the query's order, in several turns. */
        int (*restore_part)(void *source, usec_t now, Rows *query, void **ret);
        int (*restore_row)(void *restore, unsigned table, const RowValue *values, unsigned n);
        size_t (*restore_end)(void *restore); /* how many rows made no sense */

        /* Random bytes for digests in its rows, if none were restored; may be NULL. */
        int (*set_secret)(void *source, const uint8_t secret[static STATE_SECRET_SIZE]);
} StateSource;
