/* SPDX-License-Identifier: MIT */

/*
 * A thread beside the loop: SQLite's calls wait for the disk, and the loop must not wait.
 * They share a job and its batch, which the loop fills and does not touch again until the job is done. The
 * batch is a copy (base/rows), so the thread never reads the loop's data, and the loop never calls SQLite.
 *
 *      loop:    job = …, rows = …, busy; signal ──────────────►  thread: takes the job
 *      loop:    done(report), not busy   ◄──── eventfd ────────  thread: report, finished
 *
 * One job at a time: while it is under way the store's user collects what changes, so the slower the disk,
 * the more is written in one transaction, and no queue grows.
 *
 * Only the loop gets signals: the thread blocks all of them.
 *
 * At the end the loop waits for the thread, but not for ever: a disk that hangs keeps it. Then the thread is
 * detached, and what they share stays allocated until the process is gone.
 *
 * A file that has replaced ours is written to by no batch: as long as it cannot be set aside, each job tries
 * that again and fails.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "base/limits.h"
#include "base/thread.h"
#include "io/store-sqlite.h"

typedef enum StoreTask {
        JOB_NONE,
        JOB_WRITE,
        JOB_REPLACE,
        JOB_FIND,
        JOB_END,
} StoreTask;

typedef struct SqliteStore {
        Store store; /* first */
        char *path;
        const SqliteFormat *format;
        Loop *loop;
        LoopFd watch;
        int event_fd;
        bool open; /* as of the last report */

        /* used by the thread only */
        SqliteFile *file;
        bool replaced; /* by a file that could not be set aside yet */

        /* shared, under the mutex */
        pthread_t thread;
        bool has_thread, has_lock;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        StoreTask job;
        const Rows *query;
        Rows *rows;
        bool finished, ended;
        int error;
        bool is_open, more;
        SqliteReport report;
} SqliteStore;

_Static_assert(STORE_TEXT_MAX >= sizeof(((SqliteReport *) NULL)->trouble), "a report's text is cut");

/* --- the thread --- */

static int write_rows(SqliteStore *s, const Rows *rows, SqliteReport *report) {
        SqlitePlace place = s->file ? sqlite_file_place(s->file) : SQLITE_THERE;
        int r = 0;

        if (place != SQLITE_THERE) {
                r = sqlite_file_leave(TAKE_PTR(s->file), place, report);
                s->replaced = r < 0 && place == SQLITE_REPLACED;
        } else if (s->replaced) {
                r = sqlite_set_replaced_aside(s->path, report);
                s->replaced = r < 0;
        }
        if (r >= 0 && !s->file)
                r = sqlite_file_open(s->path, s->format, s->store.schema, &s->file, report);
        if (r >= 0 && place == SQLITE_REMOVED)
                (void) snprintf(report->aside, sizeof(report->aside), "was removed");
        if (r < 0 || !rows || rows->n == 0)
                return r;
        return sqlite_file_write(s->file, rows, report);
}

static int replace(SqliteStore *s, SqliteReport *report) {
        if (!s->file)
                return 0;
        return sqlite_file_set_aside(TAKE_PTR(s->file), report);
}

static int carry_out(SqliteStore *s, StoreTask job, const Rows *rows, SqliteReport *report) {
        int r = 0;

        if (job == JOB_REPLACE)
                r = replace(s, report);
        if (r >= 0)
                r = write_rows(s, rows, report);
        if (r == -EUCLEAN && s->file) { /* found while writing */
                r = replace(s, report);
                if (r >= 0)
                        r = write_rows(s, rows, report);
        }
        if (r < 0)
                s->file = sqlite_file_close(s->file);
        return r;
}

/* A corrupt file stays open, to be set aside. */
static int find(SqliteStore *s, const Rows *query, Rows *answer, SqliteReport *report) {
        int r = s->file ? sqlite_file_find(s->file, query, answer, report) : -ENOTCONN;

        if (r < 0 && r != -EUCLEAN)
                s->file = sqlite_file_close(s->file);
        return r;
}

static void *run(void *userdata) {
        SqliteStore *s = userdata;

        (void) pthread_setname_np(pthread_self(), "gemgated-state");
        (void) pthread_mutex_lock(&s->lock);
        for (;;) {
                SqliteReport report = {};
                const Rows *query;
                Rows *rows;
                StoreTask job;
                int r;

                while (s->job == JOB_NONE)
                        (void) pthread_cond_wait(&s->changed, &s->lock);
                job = s->job;
                query = s->query;
                rows = s->rows;
                s->job = JOB_NONE;
                if (job == JOB_END)
                        break;

                (void) pthread_mutex_unlock(&s->lock);
                r = job == JOB_FIND ? find(s, query, rows, &report) : carry_out(s, job, rows, &report);
                (void) pthread_mutex_lock(&s->lock);

                s->error = MIN(r, 0);
                s->more = r > 0;
                s->report = report;
                s->is_open = s->file;
                s->finished = true;
                (void) pthread_cond_broadcast(&s->changed);
                (void) eventfd_write(s->event_fd, 1);
        }
        (void) pthread_mutex_unlock(&s->lock);
        s->file = sqlite_file_close(s->file);
        (void) pthread_mutex_lock(&s->lock);
        s->ended = true;
        (void) pthread_cond_broadcast(&s->changed);
        (void) pthread_mutex_unlock(&s->lock);
        return NULL;
}

/* --- the loop --- */

static SqliteStore *sqlite_store(Store *s) {
        return CONTAINER_OF(s, SqliteStore, store);
}

static void begin(SqliteStore *s, StoreTask job, const Rows *query, Rows *rows) {
        (void) pthread_mutex_lock(&s->lock);
        s->job = job;
        s->query = query;
        s->rows = rows;
        s->finished = false;
        (void) pthread_cond_broadcast(&s->changed);
        (void) pthread_mutex_unlock(&s->lock);
}

static void on_write(Store *store, Rows *rows) {
        begin(sqlite_store(store), JOB_WRITE, NULL, rows);
}

static void on_replace(Store *store) {
        begin(sqlite_store(store), JOB_REPLACE, NULL, NULL);
}

static void on_find(Store *store, const Rows *query, Rows *answer) {
        begin(sqlite_store(store), JOB_FIND, query, answer);
}

/* Called with the lock. False if it is not set by `until` (CLOCK_MONOTONIC). */
static bool await(SqliteStore *s, const bool *what, usec_t until) {
        const struct timespec end = {
                .tv_sec = (time_t) MIN(until / USEC_PER_SEC, (usec_t) INT32_MAX),
                .tv_nsec = (long) (until % USEC_PER_SEC) * 1000,
        };

        while (!*what)
                if (pthread_cond_clockwait(&s->changed, &s->lock, CLOCK_MONOTONIC, &end) == ETIMEDOUT)
                        return *what;
        return true;
}

/* Reports a job if the thread has finished it, or does so by `until`. */
static bool finish(SqliteStore *s, usec_t until) {
        SqliteReport report;
        StoreReport done;
        bool finished;

        (void) pthread_mutex_lock(&s->lock);
        if (until > 0)
                (void) await(s, &s->finished, until);
        finished = s->finished;
        s->finished = false;
        report = s->report;
        s->open = s->is_open;
        done = (StoreReport){ .error = s->error, .is_new = report.is_new, .more = s->more };
        (void) pthread_mutex_unlock(&s->lock);
        if (!finished)
                return false;

        done.aside = report.aside;
        done.trouble = report.trouble;
        store_finish(&s->store, &done);
        return true;
}

static void on_event(uint32_t events _unused_, void *userdata) {
        SqliteStore *s = userdata;
        eventfd_t n;

        (void) eventfd_read(s->event_fd, &n);
        if (s->store.busy)
                (void) finish(s, 0);
}

static bool on_wait(Store *store, usec_t until) {
        return finish(sqlite_store(store), until);
}

static int on_read(Store *store, StoreRowFn fn, void *userdata, char ret_trouble[static STORE_TEXT_MAX]) {
        SqliteStore *s = sqlite_store(store);
        SqliteReport report = {};
        int r;

        if (!s->open)
                return -ENOTCONN;
        r = sqlite_file_read(s->path, store->schema, fn, userdata, &report);
        if (r < 0)
                (void) snprintf(ret_trouble, STORE_TEXT_MAX, "%s", report.trouble);
        return r;
}

static int start_thread(SqliteStore *s) {
        int r;

        r = pthread_mutex_init(&s->lock, NULL);
        if (r != 0)
                return -r;
        r = pthread_cond_init(&s->changed, NULL);
        if (r != 0) {
                (void) pthread_mutex_destroy(&s->lock);
                return -r;
        }
        s->has_lock = true;
        r = thread_start(run, s, &s->thread);
        s->has_thread = r >= 0;
        return r;
}

static int on_start(Store *store) {
        SqliteStore *s = sqlite_store(store);
        int r;

        s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (s->event_fd < 0)
                return -errno;
        r = loop_fd_add(s->loop, &s->watch, s->event_fd, EPOLLIN, on_event, s);
        return r < 0 ? r : start_thread(s);
}

/* False if the disk keeps it. */
static bool end_thread(SqliteStore *s) {
        usec_t until = usec_add(clock_monotonic(), STORE_END_WAIT);
        bool ended;

        (void) pthread_mutex_lock(&s->lock);
        ended = !s->store.busy || await(s, &s->finished, until);
        if (ended) {
                s->job = JOB_END;
                (void) pthread_cond_broadcast(&s->changed);
                ended = await(s, &s->ended, until);
        }
        (void) pthread_mutex_unlock(&s->lock);
        (void) (ended ? pthread_join(s->thread, NULL) : pthread_detach(s->thread));
        return ended;
}

static Store *on_free(Store *store) {
        SqliteStore *s = sqlite_store(store);

        if (s->has_thread && !end_thread(s)) {
                loop_fd_remove(s->loop, &s->watch);
                return NULL; /* the thread still uses it */
        }
        if (s->has_lock) {
                (void) pthread_cond_destroy(&s->changed);
                (void) pthread_mutex_destroy(&s->lock);
        }
        loop_fd_remove(s->loop, &s->watch);
        (void) safe_close(s->event_fd);
        free(s->path);
        free(s);
        return NULL;
}

int store_sqlite_new(Loop *l, const char *path, const SqliteFormat *format, Store **ret) {
        static const StoreOps ops = {
                .start = on_start,
                .write = on_write,
                .replace = on_replace,
                .find = on_find,
                .wait = on_wait,
                .read = on_read,
                .free = on_free,
        };
        SqliteStore *s = calloc(1, sizeof(SqliteStore));

        if (!s)
                return -ENOMEM;
        *s = (SqliteStore){
                .store.ops = &ops,
                .format = format,
                .loop = l,
                .watch = LOOP_FD_NULL,
                .event_fd = -1,
        };
        s->path = strdup(path);
        if (!s->path) {
                free(s);
                return -ENOMEM;
        }
        s->store.name = s->path;
        *ret = &s->store;
        return 0;
}
