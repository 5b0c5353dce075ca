/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <systemd/sd-event.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/row-reader.h"
#include "daemon/state-writer.h"
#include "store-memory.h"

/* Several sources and one store: each gets its own rows back and no others, nothing is written before all
 * have been restored, and a failure of one, or of the store, loses nothing of any. */

#define N_COUNTS 3U

/* A source: some counts, by number, in the second of its two tables. */
typedef struct Source {
        uint64_t counts[N_COUNTS];
        bool dirty[N_COUNTS], urgent, restored;
        StateNotedFn noted;
        void *userdata;
        int save_error, begin_error, row_error; /* of the next call only */
        unsigned n_saves, n_restores, n_note_all, n_rows_seen;
        uint8_t secret[STATE_SECRET_SIZE];
        bool has_secret;
} Source;

static const RowColumn names[] = { { "name", ROW_TEXT, ROW_KEY }, { "note", ROW_TEXT, ROW_LATEST } };
static const RowColumn counts[] = { { "number", ROW_INT, ROW_KEY }, { "count", ROW_INT, ROW_SUM } };
static const RowTable tables[] = { { "names", names, 2 }, { "counts", counts, 2 } };
static const RowSchema schema = { tables, ELEMENTSOF(tables) };

static void source_keep(void *source, StateNotedFn noted, void *userdata) {
        Source *s = source;

        s->noted = noted;
        s->userdata = userdata;
}

static void count(Source *s, unsigned i, uint64_t n, bool urgent) {
        bool was = s->urgent;

        s->counts[i] += n;
        s->dirty[i] = true;
        s->urgent = s->urgent || urgent;
        if (s->noted)
                s->noted(urgent && !was, s->userdata);
}

static void source_note_all(void *source) {
        Source *s = source;

        s->n_note_all++;
        for (unsigned i = 0; i < N_COUNTS; i++)
                if (s->counts[i] > 0)
                        count(s, i, 0, true);
}

static int source_save(void *source, bool all, Rows *out) {
        Source *s = source;
        int r = s->save_error;

        s->n_saves++;
        s->save_error = 0;
        if (r < 0) {
                rows_clear(out);
                return r;
        }
        if (!all && !s->urgent)
                return 0;
        for (unsigned i = 0; i < N_COUNTS; i++)
                if (s->dirty[i]) {
                        rows_put(out, 1, (const RowValue[]){ row_int(i), row_int(s->counts[i]) }, 2);
                        s->dirty[i] = false;
                }
        s->urgent = false;
        return 0;
}

static bool source_is_restored(const void *source) {
        return ((const Source *) source)->restored;
}

static int source_restore_begin(void *source, usec_t now, void **ret) {
        Source *s = source;
        int r = s->begin_error;

        s->begin_error = 0;
        if (r >= 0)
                *ret = s;
        return r;
}

static int source_restore_part(void *source, usec_t now, Rows *query, void **ret) {
        rows_find_all(query, 1);
        return source_restore_begin(source, now, ret);
}

static int source_restore_row(void *restore, unsigned table, const RowValue *values, unsigned n) {
        RowReader reader = { values };
        Source *s = restore;
        int r = s->row_error;
        uint64_t i;

        s->row_error = 0;
        if (r < 0)
                return r;
        assert_int_equal(table, 1);
        assert_true(row_fits(tables + table, values, n));
        i = row_get_number(&reader, N_COUNTS - 1);
        s->counts[i] += row_get_number(&reader, UINT32_MAX);
        s->n_rows_seen++;
        return 0;
}

static size_t source_restore_end(void *restore) {
        Source *s = restore;

        s->n_restores++;
        s->restored = true;
        return 0;
}

static int source_set_secret(void *source, const uint8_t secret[static STATE_SECRET_SIZE]) {
        Source *s = source;

        memcpy(s->secret, secret, STATE_SECRET_SIZE);
        s->has_secret = true;
        return 0;
}

#define SOURCE(set)                                                                                         \
        {                                                                                                   \
                .schema = &schema,                                                                          \
                .keep = source_keep,                                                                        \
                .note_all = source_note_all,                                                                \
                .save = source_save,                                                                        \
                .is_restored = source_is_restored,                                                          \
                .restore_begin = source_restore_begin,                                                      \
                .restore_part = source_restore_part,                                                        \
                .restore_row = source_restore_row,                                                          \
                .restore_end = source_restore_end,                                                          \
                .set_secret = (set),                                                                        \
        }

static const StateSource with_secret = SOURCE(source_set_secret);
static const StateSource without_secret = SOURCE(NULL);

/* --- */

typedef struct World {
        Loop *loop;
        StateWriter *writer;
        Store *store; /* the writer's */
        MemoryMedium medium;
        Source a, b;
} World;

static void start(World *w) {
        const StateWriterSource sources[] = { { &with_secret, &w->a }, { &without_secret, &w->b } };

        w->a = (Source){ .begin_error = w->a.begin_error };
        w->b = (Source){ .begin_error = w->b.begin_error };
        assert_int_equal(store_memory_new(w->loop, &w->medium, &w->store), 0);
        assert_int_equal(state_writer_new(w->loop, w->store, sources, 2, &w->writer), 0);
}

static void stop(World *w) {
        w->writer = state_writer_free(w->writer);
        assert_true(!w->a.noted && !w->b.noted); /* it has taken its leave of both */
}

static void turn(World *w) {
        assert_true(sd_event_run(loop_event(w->loop), 10 * USEC_PER_SEC) >= 0);
}

static void await_find(World *w) {
        unsigned n = w->medium.n_finds;

        while (w->medium.n_finds == n)
                turn(w);
}

/* The timer has fired, and what it wrote is written. */
static void await_write(World *w) {
        unsigned n = w->medium.n_writes;

        while (w->medium.n_writes == n)
                turn(w);
}

static void assert_counts(const Source *s, uint64_t a, uint64_t b, uint64_t c) {
        assert_int_equal(s->counts[0], a);
        assert_int_equal(s->counts[1], b);
        assert_int_equal(s->counts[2], c);
}

static int set_up(void **state) {
        World *w = calloc(1, sizeof(World));

        assert_non_null(w);
        assert_int_equal(loop_new(&w->loop), 0);
        *state = w;
        return 0;
}

static int tear_down(void **state) {
        World *w = *state;

        (void) state_writer_free(w->writer);
        shelf_done(&w->medium.shelf);
        (void) loop_free(w->loop);
        free(w);
        return 0;
}

static void test_two_sources(void **state) {
        World *w = *state;

        start(w);
        assert_true(w->a.restored && w->b.restored);
        assert_true(w->a.has_secret && !w->b.has_secret);
        count(&w->a, 0, 5, false);
        count(&w->a, 2, 7, false);
        count(&w->b, 0, 100, true);
        await_write(w);
        /* The urgent source has been written, in the second source's table, and the other one is still
         * due. */
        assert_int_equal(w->medium.n_rows, 1);
        assert_int_equal(shelf_count(&w->medium.shelf, 3), 1);
        stop(w);
        assert_int_equal(shelf_count(&w->medium.shelf, 1), 2);
        assert_int_equal(shelf_count(&w->medium.shelf, 0) + shelf_count(&w->medium.shelf, 2), 0);

        start(w);
        assert_counts(&w->a, 5, 0, 7);
        assert_counts(&w->b, 100, 0, 0);
        stop(w);
}

/* Within a second, and with no timer when nothing is due. */
static void test_rest(void **state) {
        World *w = *state;
        usec_t began;

        start(w);
        began = clock_monotonic();
        count(&w->b, 1, 1, false);
        await_write(w);
        assert_true(clock_monotonic() - began >= 500 * USEC_PER_MSEC);
        assert_int_equal(w->medium.n_rows, 1);
        stop(w);
}

/* What the store cannot take stays, with what comes meanwhile, of both; it is written when it can be. */
static void test_store_fails(void **state) {
        World *w = *state;

        start(w);
        w->medium.error = -ENOSPC;
        count(&w->a, 0, 1, true);
        await_write(w);
        count(&w->a, 0, 1, true);
        count(&w->b, 2, 3, true);
        assert_int_equal(w->medium.shelf.n, 0);
        w->medium.error = 0;
        await_write(w); /* the same batch again */
        assert_int_equal(w->medium.shelf.n, 1);
        await_write(w);
        stop(w);
        start(w);
        assert_counts(&w->a, 2, 0, 0);
        assert_counts(&w->b, 0, 0, 3);
        stop(w);
}

/* Out of reach at the start: what is counted until it comes is added to what it has. */
static void test_store_comes_late(void **state) {
        World *w = *state;

        start(w);
        count(&w->a, 0, 10, false);
        stop(w);

        w->medium.error = -EACCES;
        start(w);
        assert_false(w->a.restored || w->b.restored);
        count(&w->a, 0, 1, true);
        count(&w->b, 0, 2, true);
        w->medium.error = 0;
        while (!w->a.restored)
                turn(w);
        stop(w);
        start(w);
        assert_counts(&w->a, 11, 0, 0);
        assert_counts(&w->b, 2, 0, 0);
        stop(w);
}

/* The batch is lost with the failure of one source, and so everything of all is noted again. */
static void test_save_fails(void **state) {
        World *w = *state;

        start(w);
        count(&w->a, 0, 1, true);
        count(&w->b, 0, 2, true);
        w->b.save_error = -ENOMEM;
        while (w->a.n_note_all == 0)
                turn(w);
        assert_int_equal(w->medium.shelf.n, 0);
        assert_int_equal(w->b.n_note_all, 1);
        await_write(w);
        stop(w);
        start(w);
        assert_counts(&w->a, 1, 0, 0);
        assert_counts(&w->b, 2, 0, 0);
        stop(w);
}

/* A source that cannot begin to be restored holds back the writing of all, or its rows would be replaced. */
static void test_restore_fails(void **state) {
        World *w = *state;

        start(w);
        count(&w->a, 0, 1, false);
        count(&w->b, 0, 2, false);
        stop(w);

        w->b.begin_error = -ENOMEM;
        start(w);
        assert_true(w->a.restored && !w->b.restored);
        count(&w->a, 0, 10, true);
        count(&w->b, 0, 20, true);
        while (!w->b.restored)
                turn(w);
        assert_counts(&w->a, 11, 0, 0); /* and the first one's were not given twice */
        assert_counts(&w->b, 22, 0, 0);
        stop(w);
        start(w);
        assert_counts(&w->a, 11, 0, 0);
        assert_counts(&w->b, 22, 0, 0);
        stop(w);
}

static void on_saved(void *userdata) {
        unsigned *n = userdata;

        (*n)++;
}

/* Only the source that has changed reads again. */
static void test_change(void **state) {
        World *w = *state;
        unsigned n_saved = 0;

        start(w);
        count(&w->a, 0, 1, false);
        count(&w->b, 0, 2, false);
        state_writer_before_change(w->writer, on_saved, &n_saved);
        assert_int_equal(n_saved, 1);
        assert_int_equal(shelf_count(&w->medium.shelf, 1), 0); /* nothing is waited for */
        w->b = (Source){ .noted = w->b.noted, .userdata = w->b.userdata };
        state_writer_after_change(w->writer);
        assert_false(w->b.restored);
        while (!w->b.restored)
                turn(w);
        assert_int_equal(shelf_count(&w->medium.shelf, 1), 1); /* what was noted before is read, too */
        assert_counts(&w->a, 1, 0, 0);
        assert_counts(&w->b, 2, 0, 0);
        assert_int_equal(w->a.n_restores, 1);
        assert_int_equal(w->b.n_restores, 1);
        while (n_saved < 2) {
                state_writer_before_change(w->writer, on_saved, &n_saved);
                turn(w);
        }
        state_writer_after_change(w->writer); /* nothing to read */
        assert_int_equal(w->b.n_restores, 1);
        stop(w);
}

/* What was counted while a batch is being written is in the next batch before the members change. */
static void test_change_while_writing(void **state) {
        World *w = *state;
        unsigned n_saved = 0;

        start(w);
        count(&w->b, 0, 1, true);
        w->medium.hangs = true;
        state_writer_before_change(w->writer, on_saved, &n_saved);
        assert_int_equal(n_saved, 1); /* it is in the batch */
        count(&w->b, 1, 2, false);
        state_writer_before_change(w->writer, on_saved, &n_saved);
        for (unsigned i = 0; i < 3; i++)
                assert_true(sd_event_run(loop_event(w->loop), 0) >= 0);
        assert_int_equal(n_saved, 1);
        w->medium.hangs = false;
        store_wait(w->store);
        while (n_saved < 2)
                turn(w);
        assert_false(w->b.dirty[1]);
        w->b = (Source){ .noted = w->b.noted, .userdata = w->b.userdata };
        state_writer_after_change(w->writer);
        while (!w->b.restored)
                turn(w);
        assert_counts(&w->b, 1, 2, 0);
        stop(w);
}

/* A disk that hangs holds no change up for long, and one that fails does not at all. */
static void test_change_without_a_disk(void **state) {
        World *w = *state;
        unsigned n_saved = 0;

        start(w);
        count(&w->b, 0, 1, true);
        w->medium.hangs = true;
        state_writer_before_change(w->writer, on_saved, &n_saved);
        count(&w->b, 0, 1, true);
        state_writer_before_change(w->writer, on_saved, &n_saved);
        while (n_saved < 2)
                assert_true(sd_event_run(loop_event(w->loop), 10 * USEC_PER_SEC) > 0);
        assert_true(w->b.dirty[0]);
        w->medium.hangs = false;
        w->medium.error = -ENOSPC;
        count(&w->b, 0, 1, true);
        state_writer_before_change(w->writer, on_saved, &n_saved);
        while (n_saved < 3)
                turn(w);
        w->medium.error = 0;
        stop(w);
}

/* A disk that hangs while rows are searched for holds nothing up, and they come when it answers. What is
 * counted meanwhile is added, and written after that. */
static void test_disk_hangs_at_a_change(void **state) {
        World *w = *state;

        start(w);
        for (unsigned i = 0; i < N_COUNTS; i++)
                count(&w->b, i, 10 + i, false);
        stop(w);
        start(w);
        w->b = (Source){ .noted = w->b.noted, .userdata = w->b.userdata };
        w->medium.finds_hang = true;
        state_writer_after_change(w->writer);
        count(&w->b, 0, 1, true);
        for (unsigned i = 0; i < 3; i++)
                assert_true(sd_event_run(loop_event(w->loop), 0) >= 0);
        assert_counts(&w->b, 1, 0, 0);
        w->medium.finds_hang = false;
        stop(w);
        assert_counts(&w->b, 11, 11, 12);
        assert_int_equal(w->b.n_rows_seen, N_COUNTS);
        start(w);
        assert_counts(&w->b, 11, 11, 12);
        stop(w);
}

/* The end does not wait for a disk that hangs. */
static _unused_ void test_disk_hangs(void **state) {
        World *w = *state;

        start(w);
        count(&w->a, 0, 1, false);
        w->medium.hangs = true;
        stop(w);
        assert_int_equal(shelf_count(&w->medium.shelf, 1), 0);
        w->medium.hangs = false;
}

static unsigned n_warnings, n_lines;

static void on_line(const LogRecord *r) {
        n_lines++;
        if (strstr(r->message, "cannot be read (") && strstr(r->message, "): it stays as it is"))
                n_warnings += r->level == LOG_LEVEL_WARNING;
}

static void watch_log(void) {
        n_warnings = n_lines = 0;
        log_setup(LOG_LEVEL_INFO, LOG_FORMAT_SINK, on_line);
}

/* Three rows of `a` and one of `b`. */
static void start_with_rows(World *w) {
        start(w);
        for (unsigned i = 0; i < N_COUNTS; i++)
                count(&w->a, i, 1 + i, false);
        count(&w->b, 1, 100, false);
        stop(w);
        assert_int_equal(w->medium.shelf.n, 4);
}

/* An error that may pass, at the start, behind the last row: nothing is restored, nothing is written, and
 * the store stays. When it can be read again, all is restored, once. */
static void test_not_read_at_the_start(void **state) {
        static const int errors[] = { -EIO, -EBUSY, -EACCES, -ENOMEM, -EPROTO };
        World *w = *state;

        start_with_rows(w);
        for (unsigned i = 0; i < ELEMENTSOF(errors); i++) {
                watch_log();
                w->medium.read_error = errors[i];
                start(w);
                assert_false(w->a.restored || w->b.restored);
                assert_int_equal(w->a.n_rows_seen, 0);
                count(&w->a, 0, 10, true);
                if (i == 0) {
                        await_find(w); /* which fails, too */
                        w->medium.read_error = 0;
                        while (!w->a.restored)
                                turn(w);
                        assert_int_equal(n_lines, 3); /* the others: it was read, and is written */
                }
                assert_int_equal(w->medium.n_rows, 0);
                w->medium.read_error = 0;
                stop(w);
                assert_int_equal(n_warnings, 1);
                assert_int_equal(w->medium.n_replaced, 0);
                assert_counts(&w->a, 11 + 10 * i, 2, 3);
                assert_counts(&w->b, 0, 100, 0);
        }
        start(w);
        assert_counts(&w->a, 1 + 10 * ELEMENTSOF(errors), 2, 3);
        assert_counts(&w->b, 0, 100, 0);
        stop(w);
}

/* Nor at the end: the next start has what the store had. */
static void test_not_read_until_the_end(void **state) {
        World *w = *state;

        start_with_rows(w);
        w->medium.read_error = -EIO;
        start(w);
        count(&w->a, 0, 10, true);
        stop(w);
        w->medium.read_error = 0;
        start(w);
        assert_counts(&w->a, 1, 2, 3);
        assert_counts(&w->b, 0, 100, 0);
        stop(w);
}

/* A part that fails behind some of its rows goes on with the others. */
static void test_not_read_at_a_change(void **state) {
        World *w = *state;

        start_with_rows(w);
        start(w);
        watch_log();
        w->a = (Source){ .noted = w->a.noted, .userdata = w->a.userdata };
        w->b = (Source){ .noted = w->b.noted, .userdata = w->b.userdata };
        w->medium.read_error = -EIO;
        state_writer_after_change(w->writer);
        await_find(w);
        assert_int_equal(w->a.n_rows_seen, 2);
        assert_false(w->a.restored);
        count(&w->a, 0, 10, true);
        await_find(w); /* these rows again */
        assert_int_equal(w->a.n_rows_seen, 2);
        assert_int_equal(w->a.n_restores, 0);
        w->medium.read_error = 0;
        stop(w);
        assert_int_equal(n_warnings, 1);
        assert_int_equal(w->medium.n_replaced, 0);
        assert_int_equal(w->a.n_rows_seen, 3);
        assert_int_equal(w->b.n_rows_seen, 1);
        start(w);
        assert_counts(&w->a, 11, 2, 3);
        assert_counts(&w->b, 0, 100, 0);
        stop(w);
}

/* A source without memory for a row, or to begin a part, gets its rows later; the other one has them. */
static void test_no_memory_at_a_change(void **state) {
        World *w = *state;

        start_with_rows(w);
        start(w);
        w->a = (Source){ .noted = w->a.noted, .userdata = w->a.userdata, .row_error = -ENOMEM };
        w->b = (Source){ .noted = w->b.noted, .userdata = w->b.userdata };
        state_writer_after_change(w->writer);
        while (!w->b.restored)
                turn(w);
        assert_counts(&w->a, 1, 2, 3);

        w->a = (Source){ .noted = w->a.noted, .userdata = w->a.userdata };
        w->b = (Source){ .noted = w->b.noted, .userdata = w->b.userdata, .begin_error = -ENOMEM };
        state_writer_after_change(w->writer);
        while (!w->b.restored)
                turn(w);
        assert_counts(&w->a, 1, 2, 3);
        assert_counts(&w->b, 0, 100, 0);
        assert_int_equal(w->medium.n_replaced, 0);
        stop(w);
        start(w);
        assert_counts(&w->a, 1, 2, 3);
        assert_counts(&w->b, 0, 100, 0);
        stop(w);
}

/* What could be read of a store that turns out to be corrupt is written to the one that takes its place. */
static void test_corrupt(void **state) {
        World *w = *state;

        start(w);
        count(&w->a, 0, 1, false);
        count(&w->b, 0, 2, false);
        stop(w);
        w->medium.read_error = -EUCLEAN;
        start(w);
        assert_int_equal(w->medium.n_replaced, 1);
        w->medium.read_error = 0;
        stop(w);
        start(w);
        assert_counts(&w->a, 1, 0, 0);
        assert_counts(&w->b, 2, 0, 0);
        stop(w);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_two_sources, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_rest, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_store_fails, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_store_comes_late, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_save_fails, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_restore_fails, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_change, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_change_while_writing, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_change_without_a_disk, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_disk_hangs_at_a_change, set_up, tear_down),
#ifndef __SANITIZE_ADDRESS__ /* the thread that is left behind is a leak, on purpose */
                cmocka_unit_test_setup_teardown(test_disk_hangs, set_up, tear_down),
#endif
                cmocka_unit_test_setup_teardown(test_corrupt, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_not_read_at_the_start, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_not_read_until_the_end, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_not_read_at_a_change, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_no_memory_at_a_change, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("state-writer", tests, NULL, NULL);
}
