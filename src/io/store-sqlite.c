/* SPDX-License-Identifier: MIT */

/*
 * The one thread of gemgated beside its loop, since SQLite can only be called and waited for, and a disk may
 * take its time. The two share next to nothing: a job, and behind it the batch, which the loop fills and
 * does not touch again until the thread says that it is done. The batch is a copy (base/rows), so nothing
 * that the loop works with is seen by the thread, and nothing of SQLite's by the loop.
 *
 *      loop:    job = …, rows = …, busy; signal ──────────────►  thread: takes the job
 *      loop:    done(report), not busy   ◄──── eventfd ────────  thread: report, finished
 *
 * One job at a time: while it is under way whoever keeps the rows collects what changes, so the slower the
 * disk, the more is written in one transaction, and no queue grows.
 *
 * Signals are the loop's: the thread has all of them blocked.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "io/sqlite-file.h"
#include "io/store-sqlite.h"

typedef enum StoreTask {
        JOB_NONE,
        JOB_WRITE,
        JOB_REPLACE,
        JOB_END,
} StoreTask;

struct Store {
        char *path;
        const RowSchema *schema;
        Loop *loop;
        LoopFd watch;
        int event_fd;
        StoreDoneFn done;
        void *userdata;
        bool busy;
        bool open; /* as of the last report */

        /* the thread's */
        SqliteFile *file;

        /* shared */
        pthread_t thread;
        bool has_thread, has_lock;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        StoreTask job;
        Rows *rows;
        bool finished;
        int error;
        bool is_open;
        SqliteReport report;
};

/* --- the thread --- */

static int write_rows(Store *s, const Rows *rows, SqliteReport *report) {
        int r = 0;

        if (!s->file)
                r = sqlite_file_open(s->path, s->schema, &s->file, report);
        if (r < 0 || !rows || rows->n == 0)
                return r;
        return sqlite_file_write(s->file, rows, report);
}

static int replace(Store *s, SqliteReport *report) {
        if (!s->file)
                return 0;
        return sqlite_file_set_aside(TAKE_PTR(s->file), report);
}

static int carry_out(Store *s, StoreTask job, const Rows *rows, SqliteReport *report) {
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

static void *run(void *userdata) {
        Store *s = userdata;

        (void) pthread_setname_np(pthread_self(), "gemgated-state");
        (void) pthread_mutex_lock(&s->lock);
        for (;;) {
                SqliteReport report = {};
                Rows *rows;
                StoreTask job;
                int r;

                while (s->job == JOB_NONE)
                        (void) pthread_cond_wait(&s->changed, &s->lock);
                job = s->job;
                rows = s->rows;
                s->job = JOB_NONE;
                if (job == JOB_END)
                        break;

                (void) pthread_mutex_unlock(&s->lock);
                r = carry_out(s, job, rows, &report);
                (void) pthread_mutex_lock(&s->lock);

                s->error = r;
                s->report = report;
                s->is_open = s->file;
                s->finished = true;
                (void) pthread_cond_broadcast(&s->changed);
                (void) eventfd_write(s->event_fd, 1);
        }
        (void) pthread_mutex_unlock(&s->lock);
        s->file = sqlite_file_close(s->file);
        return NULL;
}

/* --- the loop --- */

static void begin(Store *s, StoreTask job, Rows *rows) {
        (void) pthread_mutex_lock(&s->lock);
        s->job = job;
        s->rows = rows;
        s->finished = false;
        (void) pthread_cond_broadcast(&s->changed);
        (void) pthread_mutex_unlock(&s->lock);
}

void store_write(Store *s, Rows *rows) {
        assert(!s->busy);
        s->busy = true;
        begin(s, JOB_WRITE, rows);
}

void store_replace(Store *s) {
        assert(!s->busy);
        s->busy = true;
        begin(s, JOB_REPLACE, NULL);
}

bool store_is_busy(const Store *s) {
        return s->busy;
}

/* Takes what the thread has said, and tells. False if it is not done yet. */
static bool finish(Store *s, bool wait) {
        SqliteReport report;
        StoreReport told;
        bool finished;

        (void) pthread_mutex_lock(&s->lock);
        while (wait && !s->finished)
                (void) pthread_cond_wait(&s->changed, &s->lock);
        finished = s->finished;
        s->finished = false;
        report = s->report;
        s->open = s->is_open;
        told = (StoreReport){ .error = s->error, .is_new = report.is_new };
        (void) pthread_mutex_unlock(&s->lock);
        if (!finished)
                return false;

        told.aside = report.aside;
        told.trouble = report.trouble;
        s->busy = false;
        s->done(&told, s->userdata);
        return true;
}

static void on_event(uint32_t events _unused_, void *userdata) {
        Store *s = userdata;
        eventfd_t n;

        (void) eventfd_read(s->event_fd, &n);
        if (s->busy)
                (void) finish(s, false);
}

void store_wait(Store *s) {
        while (s->busy)
                (void) finish(s, true);
}

int store_read(Store *s, int (*fn)(unsigned table, const RowValue *values, unsigned n, void *userdata),
               void *userdata, char ret_trouble[static 512]) {
        SqliteReport report = {};
        int r;

        assert(!s->busy);
        if (!s->open)
                return -ENOTCONN;
        r = sqlite_file_read(s->path, s->schema, fn, userdata, &report);
        if (r < 0)
                (void) snprintf(ret_trouble, 512, "%s", report.trouble);
        return r;
}

static int start_thread(Store *s) {
        sigset_t all, before;
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
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&s->thread, NULL, run, s);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        s->has_thread = r == 0;
        return -r;
}

int store_new(Loop *l, const char *path, const RowSchema *schema, StoreDoneFn done, void *userdata,
              Store **ret) {
        _cleanup_(store_freep) Store *s = NULL;
        int r;

        s = calloc(1, sizeof(Store));
        if (!s)
                return -ENOMEM;
        *s = (Store){
                .schema = schema,
                .loop = l,
                .watch = LOOP_FD_NULL,
                .event_fd = -1,
                .done = done,
                .userdata = userdata,
        };
        s->path = strdup(path);
        if (!s->path)
                return -ENOMEM;
        s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (s->event_fd < 0)
                return -errno;
        r = loop_fd_add(l, &s->watch, s->event_fd, EPOLLIN, on_event, s);
        if (r < 0)
                return r;
        r = start_thread(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

Store *store_free(Store *s) {
        if (!s)
                return NULL;
        if (s->has_thread) {
                (void) pthread_mutex_lock(&s->lock);
                while (s->busy && !s->finished)
                        (void) pthread_cond_wait(&s->changed, &s->lock);
                s->job = JOB_END;
                (void) pthread_cond_broadcast(&s->changed);
                (void) pthread_mutex_unlock(&s->lock);
                (void) pthread_join(s->thread, NULL);
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
