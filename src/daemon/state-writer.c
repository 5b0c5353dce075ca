/* SPDX-License-Identifier: MIT */

/*
 * When rows are taken. The pool says once that there is something, and once more that some of it is urgent
 * (health, quota, an administrator's will). Then a timer is set: what is urgent goes out within 50 ms, the
 * rest within a second, each together with what else has come until then. With nothing to do no timer runs.
 * While a batch is being written nothing is taken; what changes meanwhile goes with the next.
 *
 * When they cannot be written (no room, no right, somebody else has the file), the batch stays as it is and
 * is tried again, at growing intervals up to a minute; what changes meanwhile is only noted, which takes no
 * memory. So there is one warning when it begins and one line when it is over, and nothing in between is
 * lost but by the end of the process.
 *
 * What cannot be understood (corrupt, another program's, a newer gemgate's) the store has set aside. A file
 * that turns out to be corrupt while it is read is set aside too, after what could be read of it was taken.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <systemd/sd-event.h>

#include "base/limits.h"
#include "base/log.h"
#include "pool/state/schema.h"
#include "daemon/state-writer.h"
#include "daemon/message-ids.h"
#include "io/store-sqlite.h"

/* As late as it may be, less what the loop and the disk may take. */
#define URGENT_AFTER (20 * USEC_PER_MSEC)
#define REST_AFTER   (900 * USEC_PER_MSEC)
#define ACCURACY     USEC_PER_MSEC

#define RETRY_FIRST USEC_PER_SEC
#define RETRY_MAX   USEC_PER_MINUTE

struct StateWriter {
        Loop *loop;
        Pool *pool;
        char *path;
        Store *store;
        Rows rows; /* the batch under way, or one that could not be written */
        sd_event_source *timer;
        usec_t due_urgent, due_rest; /* USEC_INFINITY: nothing is noted */
        bool failing;
        usec_t due_retry, retry_after;
        bool unread; /* rows are to be read before anything is written */
        bool has_secret;
        bool ending;
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

/* --- reading --- */

static int on_row(unsigned table, const RowValue *values, unsigned n, void *userdata) {
        return pool_restore_row(userdata, (PoolTable) table, values, n);
}

/* A file that has no secret has no keys either: it is new, or it was looked after by somebody. */
static int make_secret(StateWriter *k) {
        uint8_t secret[DIGEST_KEY_SIZE];
        int r;

        if (getrandom(secret, sizeof(secret), 0) != (ssize_t) sizeof(secret))
                return -EIO;
        r = pool_set_state_secret(k->pool, secret);
        explicit_bzero(secret, sizeof(secret));
        return r;
}

static int read_all(StateWriter *k) {
        usec_t began = clock_monotonic();
        char trouble[512] = "";
        PoolRestore *restore;
        size_t n_senseless;
        int r;

        r = pool_restore_begin(k->pool, clock_realtime(), &restore);
        if (r < 0)
                return r;
        k->unread = false;
        r = store_read(k->store, on_row, restore, trouble);
        n_senseless = pool_restore_end(restore);
        if (n_senseless > 0)
                log_warning("STATE_URL: %s: %zu rows make no sense and were passed over", k->path,
                            n_senseless);
        if (r >= 0)
                log_info("state of %s read in %llu ms", k->path,
                         (unsigned long long) ((clock_monotonic() - began) / USEC_PER_MSEC));
        else
                log_warning("STATE_URL: %s: could be read only in part (%s)", k->path,
                            trouble[0] ? trouble : strerror(-r));
        return r;
}

/* --- writing --- */

static int begin(StateWriter *k) {
        bool all = k->ending || loop_now(k->loop) >= k->due_rest;
        usec_t now = loop_now(k->loop);
        int r;

        r = pool_save(k->pool, all, &k->rows);
        if (r < 0) {
                /* No memory: all of it is noted again. */
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

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        StateWriter *k = userdata;

        if (store_is_busy(k->store))
                return 0; /* its end will look again */
        if (k->failing)
                store_write(k->store, &k->rows);
        else
                (void) begin(k);
        return 0;
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
                { -EBUSY, "give each instance a file of its own, and close what writes to it" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].error == error)
                        return rows[i].what;
        return "look after its disk";
}

static void on_failed(StateWriter *k, int error, const char *trouble) {
        char message[STATE_PATH_MAX + 1024];

        k->retry_after = k->failing ? MIN(2 * k->retry_after, RETRY_MAX) : RETRY_FIRST;
        k->due_retry = usec_add(loop_now(k->loop), k->retry_after);
        if (k->failing)
                return;
        k->failing = true;
        (void) snprintf(message, sizeof(message),
                        "STATE_URL: %s: cannot be %s (%s): counters and health are kept in memory until "
                        "it can; %s",
                        k->path, k->unread ? "opened" : "written", trouble[0] ? trouble : strerror(-error),
                        remedy(error));
        log_event(LOG_LEVEL_WARNING, MESSAGE_STATE_FAILED, message, { "state_file", k->path });
}

static void on_written(StateWriter *k, bool is_new) {
        int r;

        rows_clear(&k->rows);
        if (k->unread) {
                r = read_all(k);
                if (k->unread)
                        return on_failed(k, r, ""); /* no memory */
                if (r < 0) {
                        store_replace(k->store);
                        return;
                }
        }
        if (!k->has_secret) {
                r = make_secret(k);
                if (r < 0)
                        return on_failed(k, r, "no random bytes");
                k->has_secret = true;
        }
        if (k->failing)
                log_info("STATE_URL: %s: is written again, with all that was counted meanwhile", k->path);
        k->failing = false;
        if (is_new)
                pool_note_all(k->pool);
}

static void on_done(const StoreReport *r, void *userdata) {
        StateWriter *k = userdata;

        if (r->aside[0]) {
                char message[STATE_PATH_MAX + 512];

                (void) snprintf(message, sizeof(message), "STATE_URL: %s: %s: a new file is in its place",
                                k->path, r->aside);
                log_event(LOG_LEVEL_WARNING, MESSAGE_STATE_ASIDE, message, { "state_file", k->path });
        }
        if (r->error < 0)
                on_failed(k, r->error, r->trouble);
        else
                on_written(k, r->is_new);
        arm(k);
}

/* Everything, and waits for it; as far as it can be written. */
static void write_all(StateWriter *k) {
        store_wait(k->store);
        while (!k->failing && !k->unread &&
               (k->due_rest != USEC_INFINITY || k->due_urgent != USEC_INFINITY)) {
                k->due_rest = MIN(k->due_rest, loop_now(k->loop));
                if (begin(k) < 0)
                        return;
                store_wait(k->store);
        }
}

void state_writer_before_keys(StateWriter *k) {
        if (k)
                write_all(k);
}

void state_writer_after_keys(StateWriter *k) {
        if (!k || pool_is_restored(k->pool))
                return;
        k->unread = true;
        if (k->failing)
                return; /* they are read when the file can be */
        store_wait(k->store);
        store_write(k->store, &k->rows);
        store_wait(k->store);
}

/* --- the whole --- */

int state_writer_new(Loop *l, Pool *pool, const char *path, StateWriter **ret) {
        _cleanup_(state_writer_freep) StateWriter *k = NULL;
        int r;

        k = calloc(1, sizeof(StateWriter));
        if (!k)
                return -ENOMEM;
        *k = (StateWriter){
                .loop = l,
                .pool = pool,
                .rows = ROWS_INIT(STATE_BATCH_MAX),
                .due_urgent = USEC_INFINITY,
                .due_rest = USEC_INFINITY,
                .due_retry = USEC_INFINITY,
                .unread = true,
        };
        k->path = strdup(path);
        if (!k->path)
                return -ENOMEM;
        r = sd_event_add_time(loop_event(l), &k->timer, CLOCK_MONOTONIC, 0, ACCURACY, on_timer, k);
        if (r >= 0)
                r = sd_event_source_set_enabled(k->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = store_new(l, path, &pool_schema, on_done, k, &k->store);
        if (r < 0)
                return r;
        pool_keep(pool, on_noted, k);
        store_write(k->store, &k->rows);
        store_wait(k->store);
        *ret = TAKE_PTR(k);
        return 0;
}

StateWriter *state_writer_free(StateWriter *k) {
        if (!k)
                return NULL;
        if (k->store) {
                k->ending = true;
                store_wait(k->store);
                if (k->failing) {
                        store_write(k->store, &k->rows);
                        store_wait(k->store);
                }
                write_all(k);
                if (k->failing || k->unread)
                        log_warning("STATE_URL: %s: what could not be written is lost with the end",
                                    k->path);
        }
        pool_keep(k->pool, NULL, NULL);
        (void) store_free(k->store);
        sd_event_source_unref(k->timer);
        rows_done(&k->rows);
        free(k->path);
        free(k);
        return NULL;
}
