/* SPDX-License-Identifier: MIT */

/*
 * At the start all rows are read at once, and waited for. Later, when a reload has added keys or the store
 * can be opened at last, the sources ask for rows part by part: a part is what one turn of the loop can
 * begin and end. The store's thread finds its rows, STATE_FIND_ROWS at a time, and one turn of the loop
 * restores them. If the disk hangs, only these rows come late.
 *
 * A store that turns out to be corrupt (-EUCLEAN) is set aside, after what could be read of it was restored.
 *
 * Every other failure may pass: the store stays as it is, and is read again later. No row is restored twice,
 * because counts are added. So at the start no row is restored before all have been read: a start that fails
 * has restored none, and the parts come later. A part that fails stays begun. The same query finds the same
 * rows in the same order, because nothing is written meanwhile, and those that were restored are skipped.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/limits.h"
#include "base/limits-state.h"
#include "base/log.h"
#include "core/day-clock.h"
#include "daemon/state-reader.h"

void state_reader_init(StateReader *r) {
        *r = (StateReader){
                .query = ROWS_INIT(STATE_QUERY_MAX),
                .answer = ROWS_INIT(STATE_BATCH_MAX),
        };
}

static int on_row(unsigned table, const RowValue *values, unsigned n, void *userdata) {
        StateReader *r = userdata;
        size_t i = r->n_sources - 1;
        ReaderSource *s;

        while (table < r->sources[i].first_table)
                i--;
        s = r->sources + i;
        return s->restore ? s->ops->restore_row(s->restore, table - s->first_table, values, n) : 0;
}

bool state_reader_is_restored(const StateReader *r) {
        for (size_t i = 0; i < r->n_sources; i++)
                if (r->sources[i].restore || !r->sources[i].ops->is_restored(r->sources[i].source))
                        return false;
        return true;
}

/* A part was begun and is not ended. */
static bool is_restoring(const StateReader *r) {
        for (size_t i = 0; i < r->n_sources; i++)
                if (r->sources[i].restore)
                        return true;
        return false;
}

/* Up to the first row that its source cannot take for lack of memory. */
static int give(StateReader *r, const Rows *rows) {
        size_t at = 0;
        Row row;
        int e;

        if (rows->buf.error < 0)
                return rows->buf.error;
        while (rows_next(rows, &at, &row)) {
                if (r->n_skip > 0) {
                        r->n_skip--;
                        continue;
                }
                e = on_row(row.table, row.values, row.n, r);
                if (e < 0)
                        return e;
                r->n_given++;
        }
        return 0;
}

/* A source that cannot begin for lack of memory stays as it is; the others go on. */
static int restore_begin(StateReader *r, bool all) {
        usec_t now = day_clock_now();
        int e = 0, one;

        if (r->began == 0)
                r->began = clock_monotonic();
        for (size_t i = 0; i < r->n_sources; i++) {
                ReaderSource *s = r->sources + i;

                if (s->ops->is_restored(s->source))
                        continue;
                r->query.first_table = s->first_table;
                one = all ? s->ops->restore_begin(s->source, now, &s->restore)
                          : s->ops->restore_part(s->source, now, &r->query, &s->restore);
                if (one < 0)
                        e = one;
        }
        return e;
}

static void restore_end(StateReader *r) {
        for (size_t i = 0; i < r->n_sources; i++) {
                ReaderSource *s = r->sources + i;

                if (s->restore)
                        r->n_senseless += s->ops->restore_end(s->restore);
                s->restore = NULL;
        }
}

void state_reader_done(StateReader *r) {
        restore_end(r);
        rows_done(&r->query);
        rows_done(&r->answer);
}

/* For sources that have restored none: the store is new, or its secret was removed. */
static int make_secret(StateReader *r) {
        uint8_t secret[STATE_SECRET_SIZE];
        int e = 0;

        if (r->has_secret)
                return 0;
        if (getrandom(secret, sizeof(secret), 0) != (ssize_t) sizeof(secret)) {
                (void) snprintf(r->trouble, sizeof(r->trouble), "no random bytes");
                return -EIO;
        }
        for (size_t i = 0; e >= 0 && i < r->n_sources; i++)
                if (r->sources[i].ops->set_secret)
                        e = r->sources[i].ops->set_secret(r->sources[i].source, secret);
        explicit_bzero(secret, sizeof(secret));
        r->has_secret = e >= 0;
        return e;
}

/* After the first time these are the parts of a reload, not worth a line unless something is wrong. */
static void log_read(const StateReader *r, int e) {
        const char *name = r->store->name;

        if (r->n_senseless > 0)
                log_warning("STATE_URL: %s: %zu row%s no sense and %s passed over", name, r->n_senseless,
                            r->n_senseless == 1 ? " makes" : "s make", r->n_senseless == 1 ? "was" : "were");
        if (e >= 0)
                log_full(r->was_read ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "state of %s read in %llu ms", name,
                         (unsigned long long) ((clock_monotonic() - r->began) / USEC_PER_MSEC));
        else
                log_warning("STATE_URL: %s: could be read only in part (%s)", name,
                            r->trouble[0] ? r->trouble : strerror(-e));
}

/* What can be read is restored. `e`: why it is not all. */
static int end(StateReader *r, int e) {
        if (r->began > 0) {
                log_read(r, e);
                r->was_read = true;
        }
        r->began = r->n_senseless = 0;
        r->trouble[0] = 0;
        rows_done(&r->query);
        rows_done(&r->answer);
        if (e == -EUCLEAN) {
                store_replace(r->store);
                return 0;
        }
        e = make_secret(r);
        return e < 0 ? e : 1;
}

/* A source that cannot begin is asked again later, for parts. A row that its source has no memory for is
 * lost: the others of this source cannot wait for it. */
static int restore_all(StateReader *r, const Rows *all, int *ret_begun) {
        size_t at = 0;
        int e = 0, one;
        Row row;

        *ret_begun = restore_begin(r, true);
        while (rows_next(all, &at, &row)) {
                one = on_row(row.table, row.values, row.n, r);
                if (one < 0)
                        e = one;
        }
        restore_end(r);
        return e;
}

static int on_read(unsigned table, const RowValue *values, unsigned n, void *userdata) {
        Rows *all = userdata;

        rows_put(all, table, values, n);
        return all->buf.error;
}

int state_reader_read(StateReader *r) {
        Rows all = ROWS_INIT(STATE_READ_MAX);
        int e, restored, begun = 0;

        if (state_reader_is_restored(r))
                return end(r, 0);
        r->trouble[0] = 0;
        r->began = clock_monotonic();
        e = store_read(r->store, on_read, &all, r->trouble);
        if (e >= 0 || e == -EUCLEAN) {
                restored = restore_all(r, &all, &begun);
                e = end(r, e < 0 ? e : restored);
        }
        rows_done(&all);
        return e > 0 && begun < 0 ? begun : e;
}

static int find(StateReader *r) {
        r->finding = true;
        r->n_skip = r->n_given;
        rows_clear(&r->answer);
        store_find(r->store, &r->query, &r->answer);
        return 0;
}

int state_reader_find(StateReader *r) {
        int e;

        r->trouble[0] = 0;
        if (is_restoring(r))
                return find(r);
        if (state_reader_is_restored(r))
                return end(r, 0);
        rows_clear(&r->query);
        e = buf_reserve(&r->query.buf, STATE_QUERY_MAX);
        if (e >= 0)
                e = restore_begin(r, false);
        if (!is_restoring(r))
                return e; /* one that cannot begin yet is asked again when the others have their part */
        assert(r->query.buf.error == 0);
        r->n_given = 0;
        return find(r);
}

int state_reader_found(StateReader *r, const StoreReport *report) {
        int e = report->error, given;

        r->finding = false;
        given = give(r, &r->answer);
        rows_clear(&r->answer);
        if (given >= 0 && e >= 0 && report->more) {
                r->finding = true;
                store_find(r->store, NULL, &r->answer);
                return 0;
        }
        if (given < 0)
                return given;
        (void) snprintf(r->trouble, sizeof(r->trouble), "%s", report->trouble);
        if (e < 0 && e != -EUCLEAN)
                return e;
        restore_end(r);
        if (e < 0)
                return end(r, e);
        e = make_secret(r); /* a source may need it for the next part */
        return e < 0 ? e : state_reader_find(r);
}
