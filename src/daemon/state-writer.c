/* SPDX-License-Identifier: MIT */

/*
 * When rows are saved. A source notifies once that there is something to save, and once more that some of
 * it is urgent (health, quota, an administrator's order). Then a timer is set: urgent rows are written
 * within 50 ms, the rest within a second, each together with what else has changed until then. With
 * nothing to do no timer runs. While a batch is being written nothing is saved; what changes meanwhile
 * goes with the next.
 *
 * Rows are whole: they have a value's total, not what was added to it. So a batch can be written again
 * without harm, and a batch that was lost with the process is at most the last second's.
 *
 * When a batch cannot be written (no room, no right, another process has the file), it stays as it is and
 * is tried again, at growing intervals up to a minute. What changes meanwhile is only noted, which takes
 * no memory. So there is one warning when it begins and one line when it is over, and only the end of the
 * process loses data.
 *
 * When the store can be opened but not read, it is the same: it stays as it is, and is read again at these
 * intervals.
 *
 * The store sets aside what cannot be understood (corrupt, another program's, a newer gemgate's), and only
 * that.
 *
 * Members of a source that leave take along what was counted of them. So a change of members begins once
 * all that was noted before is in a batch. A batch that is under way has to end first, for which the change
 * waits STATE_CHANGE_WAIT at most: a disk that hangs holds no reload up.
 *
 * All sources save into one batch, so a store sees one transaction. Nothing is written before every source
 * has been restored: rows of a source that has not read its own yet would replace them. state-reader.c reads
 * them.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/limits-state.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/message-ids.h"
#include "daemon/state-reader.h"
#include "daemon/state-writer.h"
#include "io/timer.h"

/* The limits above, less the time that the loop and the disk may take. */
#define URGENT_AFTER (20 * USEC_PER_MSEC)
#define REST_AFTER   (900 * USEC_PER_MSEC)
#define ACCURACY     USEC_PER_MSEC

#define RETRY_FIRST USEC_PER_SEC
#define RETRY_MAX   USEC_PER_MINUTE
#define RETRY_END   (100 * USEC_PER_MSEC) /* at the end, which waits for it */

struct StateWriter {
        Loop *loop;
        Store *store;
        StateReader reader;
        RowTable tables[ROW_TABLES_MAX]; /* of all sources, in their order */
        RowSchema schema;
        Rows rows; /* the batch under way, or one that could not be written */
        sd_event_source *timer;
        usec_t due_urgent, due_rest; /* USEC_INFINITY: nothing is noted */
        bool failing;
        usec_t due_retry, retry_after;
        bool starting;
        bool ending;
        int error; /* while failing: the last one */
        void (*ended)(void *userdata);
        void *userdata;
        void (*saved)(void *userdata); /* a change of members waits for what was noted */
        void *saved_userdata;
        Timer *saved_late;
};

static void arm(StateWriter *k) {
        usec_t due = k->failing ? k->due_retry : MIN(k->due_urgent, k->due_rest);

        if (due == USEC_INFINITY || store_is_busy(k->store))
                return;
        (void) sd_event_source_set_time(k->timer, due);
        (void) sd_event_source_set_enabled(k->timer, SD_EVENT_ONESHOT);
}

static void on_noted(bool urgent, void *userdata) {
        StateWriter *k = userdata;
        usec_t now = loop_now(k->loop);

        if (urgent)
                k->due_urgent = MIN(k->due_urgent, usec_add(now, URGENT_AFTER));
        else
                k->due_rest = MIN(k->due_rest, usec_add(now, REST_AFTER));
        arm(k);
}

/* --- writing --- */

static void note_all(StateWriter *k) {
        for (size_t i = 0; i < k->reader.n_sources; i++)
                k->reader.sources[i].ops->note_all(k->reader.sources[i].source);
}

/* 1 if more is left. A failure empties the batch, and so everything is noted again. */
static int save(StateWriter *k, bool all) {
        int more = 0, r;

        for (size_t i = 0; i < k->reader.n_sources; i++) {
                ReaderSource *s = k->reader.sources + i;

                if (k->rows.n >= STATE_BATCH_ROWS)
                        return 1; /* the batch after this one has room for it */
                k->rows.first_table = s->first_table;
                r = s->ops->save(s->source, all, &k->rows);
                if (r < 0) {
                        rows_clear(&k->rows);
                        note_all(k);
                        return r;
                }
                more |= r;
        }
        return more;
}

static int begin(StateWriter *k) {
        bool all = k->ending || loop_now(k->loop) >= k->due_rest;
        usec_t now = loop_now(k->loop);
        int r;

        if (!state_reader_is_restored(&k->reader)) {
                store_write(k->store, &k->rows); /* its end reads them */
                return 0;
        }
        r = save(k, all);
        if (r < 0) {
                k->due_urgent = USEC_INFINITY;
                k->due_rest = usec_add(now, RETRY_FIRST);
                arm(k);
                return r;
        }
        if (r == 0)
                k->due_urgent = USEC_INFINITY;
        if (all)
                k->due_rest = r == 0 ? USEC_INFINITY : now;
        if (k->rows.n > 0)
                store_write(k->store, &k->rows);
        arm(k);
        return 0;
}

/* At the end: nothing is left to wait for. Only the lock of a file that was open is waited for: its holder
 * is in the middle of a transaction. */
static bool is_over(const StateWriter *k) {
        if (store_is_busy(k->store))
                return false;
        if (k->failing)
                return k->error != -EBUSY || !state_reader_is_restored(&k->reader);
        return k->due_urgent == USEC_INFINITY && k->due_rest == USEC_INFINITY;
}

static void look_at_end(StateWriter *k) {
        void (*ended)(void *userdata) = k->ended;

        if (!ended || !is_over(k))
                return;
        k->ended = NULL;
        ended(k->userdata);
}

static bool is_saved(const StateWriter *k) {
        return k->failing || (k->due_urgent == USEC_INFINITY && k->due_rest == USEC_INFINITY);
}

static void go_on(void *userdata) {
        StateWriter *k = userdata;
        void (*saved)(void *userdata) = k->saved;

        k->saved = NULL;
        k->saved_late = timer_free(k->saved_late);
        saved(k->saved_userdata);
}

static void look_at_change(StateWriter *k) {
        if (k->saved && is_saved(k))
                go_on(k);
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        StateWriter *k = userdata;

        if (store_is_busy(k->store))
                return 0; /* its end arms the timer again */
        if (k->failing)
                store_write(k->store, &k->rows);
        else
                (void) begin(k);
        look_at_change(k);
        look_at_end(k);
        return 0;
}

void state_writer_end(StateWriter *k, void (*ended)(void *userdata), void *userdata) {
        k->ending = true;
        k->ended = ended;
        k->userdata = userdata;
        k->due_rest = k->due_retry = loop_now(k->loop);
        if (store_is_busy(k->store))
                return; /* the end of that job goes on with it */
        if (!k->failing)
                (void) begin(k);
        if (!store_is_busy(k->store)) /* nothing has changed; is the file still there? */
                store_write(k->store, &k->rows);
}

static const char *remedy(int error) {
        static const struct {
                int error;
                const char *what;
        } rows[] = {
                { -ENOSPC, "make room on its disk" },
                { -EROFS, "make its file system writable" },
                { -EACCES, "let gemgated's user write the file and its directory" },
                { -EPERM, "let gemgated's user write the file and its directory" },
                { -ENOENT, "make its directory" },
                { -ENOTDIR, "name another path" },
                { -ENOMEM, "leave gemgated more memory" },
                { -EBUSY, "give each instance a separate file, and close what writes to it" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].error == error)
                        return rows[i].what;
        return "look after its disk";
}

/* `what` could not be done: "read", "opened" or "written". */
static void on_failed(StateWriter *k, const char *what, int error, const char *trouble) {
        char message[STATE_PATH_MAX + 1024];

        k->error = error;
        if (k->ended)
                k->retry_after = RETRY_END;
        else
                k->retry_after = k->failing ? MIN(2 * k->retry_after, RETRY_MAX) : RETRY_FIRST;
        k->due_retry = usec_add(loop_now(k->loop), k->retry_after);
        if (k->failing)
                return;
        k->failing = true;
        (void) snprintf(message, sizeof(message),
                        "STATE_URL: %s: cannot be %s (%s): %scounters and health are kept in memory until "
                        "it can; %s",
                        k->store->name, what, trouble[0] ? trouble : strerror(-error),
                        streq(what, "read") ? "it stays as it is, and " : "", remedy(error));
        log_event(LOG_LEVEL_WARNING, MESSAGE_STATE_FAILED, message, { "state_file", k->store->name });
}

/* 1: all is restored. */
static void on_read(StateWriter *k, int r) {
        if (r < 0)
                return on_failed(k, state_reader_is_restored(&k->reader) ? "written" : "read", r,
                                 k->reader.trouble);
        if (r > 0 && k->failing)
                log_info("STATE_URL: %s: is written again, with all that was counted meanwhile",
                         k->store->name);
        if (r > 0)
                k->failing = false;
}

static void on_written(StateWriter *k, bool is_new) {
        rows_clear(&k->rows);
        on_read(k, k->starting ? state_reader_read(&k->reader) : state_reader_find(&k->reader));
        if (is_new)
                note_all(k);
}

static void on_done(const StoreReport *r, void *userdata) {
        StateWriter *k = userdata;

        if (r->aside[0]) {
                char message[STATE_PATH_MAX + 512];

                (void) snprintf(message, sizeof(message), "STATE_URL: %s: %s: a new file is in its place",
                                k->store->name, r->aside);
                log_event(LOG_LEVEL_WARNING, MESSAGE_STATE_ASIDE, message, { "state_file", k->store->name });
        }
        if (k->reader.finding)
                on_read(k, state_reader_found(&k->reader, r));
        else if (r->error < 0)
                on_failed(k, state_reader_is_restored(&k->reader) ? "written" : "opened", r->error,
                          r->trouble);
        else
                on_written(k, r->is_new);
        arm(k);
        look_at_change(k);
        look_at_end(k);
}

/* Saves everything that can be written, and waits for it up to `until`: false if it took longer. Also with
 * nothing to save, the store looks whether its file is still there. */
static bool write_all(StateWriter *k, usec_t until) {
        if (!store_wait_until(k->store, until))
                return false;
        store_write(k->store, &k->rows);
        if (!store_wait_until(k->store, until))
                return false;
        while (!k->failing && (k->due_rest != USEC_INFINITY || k->due_urgent != USEC_INFINITY)) {
                k->due_rest = MIN(k->due_rest, loop_now(k->loop));
                if (begin(k) < 0)
                        return true;
                if (!store_wait_until(k->store, until))
                        return false;
        }
        return true;
}

void state_writer_before_change(StateWriter *k, void (*saved)(void *userdata), void *userdata) {
        if (!k) {
                saved(userdata);
                return;
        }
        assert(!k->saved);
        k->saved = saved;
        k->saved_userdata = userdata;
        if (!k->failing)
                k->due_rest = loop_now(k->loop);
        if (!k->failing && !store_is_busy(k->store) && begin(k) >= 0 && !store_is_busy(k->store))
                store_write(k->store, &k->rows); /* is the file still there? */
        look_at_change(k);
        if (k->saved && timer_new(k->loop, STATE_CHANGE_WAIT, go_on, k, &k->saved_late) < 0)
                go_on(k);
}

void state_writer_after_change(StateWriter *k) {
        if (!k || k->failing || store_is_busy(k->store) || state_reader_is_restored(&k->reader))
                return;
        store_write(k->store, &k->rows); /* its end reads them, as that of a batch under way does */
}

/* --- the state writer --- */

static void add_source(StateWriter *k, const StateWriterSource *source) {
        const RowSchema *schema = source->ops->schema;

        assert(k->reader.n_sources < STATE_SOURCES_MAX);
        assert(k->schema.n_tables + schema->n_tables <= ROW_TABLES_MAX);
        k->reader.sources[k->reader.n_sources++] = (ReaderSource){
                .ops = source->ops,
                .source = source->source,
                .first_table = k->schema.n_tables,
        };
        for (unsigned i = 0; i < schema->n_tables; i++) {
                assert(row_table_is_sound(schema->tables + i));
                k->tables[k->schema.n_tables++] = schema->tables[i];
        }
}

int state_writer_new(Loop *l, Store *store, const StateWriterSource *sources, size_t n_sources,
                     StateWriter **ret) {
        _cleanup_(state_writer_freep) StateWriter *k = NULL;
        int r;

        k = calloc(1, sizeof(StateWriter));
        if (!k)
                return -ENOMEM;
        *k = (StateWriter){
                .loop = l,
                .rows = ROWS_INIT(STATE_BATCH_MAX),
                .due_urgent = USEC_INFINITY,
                .due_rest = USEC_INFINITY,
                .due_retry = USEC_INFINITY,
                .starting = true,
        };
        k->schema.tables = k->tables;
        state_reader_init(&k->reader);
        for (size_t i = 0; i < n_sources; i++)
                add_source(k, sources + i);
        r = sd_event_add_time(loop_event(l), &k->timer, CLOCK_MONOTONIC, 0, ACCURACY, on_timer, k);
        if (r >= 0)
                r = sd_event_source_set_enabled(k->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = store_start(store, &k->schema, on_done, k);
        if (r < 0)
                return r;
        k->store = k->reader.store = store;
        for (size_t i = 0; i < k->reader.n_sources; i++)
                k->reader.sources[i].ops->keep(k->reader.sources[i].source, on_noted, k);
        store_write(store, &k->rows);
        store_wait(store);
        k->starting = false;
        *ret = TAKE_PTR(k);
        return 0;
}

StateWriter *state_writer_free(StateWriter *k) {
        bool hangs = false;

        if (!k)
                return NULL;
        if (k->store) {
                k->ending = true;
                hangs = !write_all(k, usec_add(clock_monotonic(), STORE_END_WAIT));
                if (hangs || k->failing || !state_reader_is_restored(&k->reader))
                        log_warning("STATE_URL: %s: %swhat could not be written is lost with the end",
                                    k->store->name, hangs ? "its disk does not answer: " : "");
                for (size_t i = 0; i < k->reader.n_sources; i++)
                        k->reader.sources[i].ops->keep(k->reader.sources[i].source, NULL, NULL);
        }
        (void) store_free(k->store);
        timer_free(k->saved_late);
        sd_event_source_unref(k->timer);
        if (hangs)
                return NULL; /* the store still uses the rows */
        state_reader_done(&k->reader);
        rows_done(&k->rows);
        free(k);
        return NULL;
}
