/* SPDX-License-Identifier: MIT */

/*
 * The usual way is short: nothing waits, and write() takes the line at once. Only what write() refuses with
 * -EAGAIN is queued, and everything after it, so that the order stays. The thread starts with the first line
 * that is queued. It polls the descriptor and writes line after line. A line whose first part was written is
 * always completed before the next one.
 *
 *      caller:  write() ── -EAGAIN ──► queue ──► thread: poll(), write()
 *                   queue full: n_dropped++          queue empty: "17 lines were dropped"
 *
 * If write() can wait (a file on a disk that is slow or hangs, a pipe that cannot be opened again), only the
 * thread calls it. The caller gives it a moment to finish, so that a line is usually in the file before the
 * program goes on: LINE_PATIENCE in a second, for all lines of that second together, so that neither a slow
 * disk nor many lines hold the loop up. After a line that took longer, the caller does not wait until the
 * queue is empty.
 *
 * The thread takes the queue as a whole, so the lock is never held while it writes.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log-outlet.h"
#include "base/thread.h"

#define LINE_PATIENCE (20 * USEC_PER_MSEC)
#define POLL_MSEC     1000 /* a descriptor may take bytes again without an event */
#define AGAIN_MSEC    10 /* poll() finds it writable, write() does not */

typedef struct Entry {
        size_t n;         /* bytes of the line that follows */
        uint64_t dropped; /* it reports so many dropped lines; 0: an ordinary line */
} Entry;

struct LogOutlet {
        LogOutletParams p;
        LogOutlet *next;

        /* under the lock */
        pthread_mutex_t lock;
        pthread_cond_t changed;
        Buf queue; /* entries, each with its line */
        size_t n_taken; /* bytes that the thread has taken from the queue and not yet written */
        uint64_t n_dropped; /* not yet reported */
        bool has_thread;
        bool late;    /* a line took longer than LINE_PATIENCE left, and the queue was not empty since */
        usec_t second, waited; /* when the present second began, and how long callers waited in it */
        bool failing; /* the last write() failed: the descriptor does not take a report either */
};

static LogOutlet *outlets;

static bool is_idle(const LogOutlet *o) {
        return o->queue.n == 0 && o->n_taken == 0;
}

static size_t waiting(const LogOutlet *o) {
        return o->queue.n + o->n_taken;
}

static int enqueue(LogOutlet *o, const char *p, size_t n, uint64_t dropped) {
        const Entry e = { n, dropped };

        if (waiting(o) + sizeof(e) + n > LOG_QUEUE_MAX)
                return -ENOBUFS;
        if (buf_reserve(&o->queue, sizeof(e) + n) < 0) {
                /* Out of memory, and the buffer has dropped its content. */
                buf_clear(&o->queue);
                return -ENOMEM;
        }
        (void) buf_append(&o->queue, &e, sizeof(e));
        return buf_append(&o->queue, p, n);
}

static int enqueue_report(LogOutlet *o) {
        _cleanup_buf_ Buf b = BUF_INIT(LOG_LINE_MAX);
        int r;

        o->p.dropped(o->n_dropped, &b);
        r = b.error < 0 ? b.error : enqueue(o, buf_data(&b), b.n, o->n_dropped);
        if (r >= 0)
                o->n_dropped = 0;
        return r;
}

/* --- the thread --- */

static void wait_writable(int fd, bool again) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };

        if (poll(&p, 1, POLL_MSEC) > 0 && again)
                (void) poll(NULL, 0, AGAIN_MSEC);
}

static int write_whole(const LogOutlet *o, const char *p, size_t n) {
        bool again = false;

        while (n > 0) {
                ssize_t k = o->p.write(o->p.fd, p, n);

                if (k == -EINTR)
                        continue;
                if (k == -EAGAIN) {
                        wait_writable(o->p.fd, again);
                        again = true;
                        continue;
                }
                if (k < 0)
                        return (int) k;
                again = false;
                p += k;
                n -= (size_t) k;
        }
        return 0;
}

/* Called and left with the lock. */
static void write_taken(LogOutlet *o, Buf *taken) {
        while (taken->n > 0) {
                Entry e;
                int r;

                memcpy(&e, buf_data(taken), sizeof(e));
                (void) pthread_mutex_unlock(&o->lock);
                r = write_whole(o, buf_data(taken) + sizeof(e), e.n);
                (void) pthread_mutex_lock(&o->lock);
                o->failing = r < 0;
                if (r < 0)
                        o->n_dropped += e.dropped > 0 ? e.dropped : 1;
                buf_consume(taken, sizeof(e) + e.n);
                o->n_taken = taken->n;
        }
}

static void *run(void *userdata) {
        LogOutlet *o = userdata;

        (void) pthread_setname_np(pthread_self(), "gemgated-log");
        (void) pthread_mutex_lock(&o->lock);
        for (;;) {
                Buf taken;

                if (o->queue.n == 0 && o->n_dropped > 0 && !o->failing)
                        (void) enqueue_report(o);
                if (o->queue.n == 0) {
                        o->late = false;
                        (void) pthread_cond_broadcast(&o->changed);
                        (void) pthread_cond_wait(&o->changed, &o->lock);
                        continue;
                }
                taken = o->queue;
                o->queue = BUF_INIT(LOG_QUEUE_MAX);
                o->n_taken = taken.n;
                write_taken(o, &taken);
                buf_done(&taken);
        }
        return NULL;
}

static int start_thread(LogOutlet *o) {
        pthread_t thread;
        int r;

        if (o->has_thread)
                return 0;
        r = thread_start(run, o, &thread);
        if (r < 0)
                return r;
        (void) pthread_detach(thread);
        o->has_thread = true;
        return 0;
}

/* --- the caller --- */

/* Called with the lock. True if the outlet became idle in time. */
static bool wait_idle(LogOutlet *o, usec_t patience) {
        struct timespec until;
        usec_t end;

        (void) clock_gettime(CLOCK_MONOTONIC, &until);
        end = (usec_t) until.tv_sec * USEC_PER_SEC + (usec_t) until.tv_nsec / 1000 + patience;
        until.tv_sec = (time_t) (end / USEC_PER_SEC);
        until.tv_nsec = (long) (end % USEC_PER_SEC) * 1000;
        while (!is_idle(o) || (o->n_dropped > 0 && !o->failing))
                if (pthread_cond_clockwait(&o->changed, &o->lock, CLOCK_MONOTONIC, &until) != 0)
                        return false;
        return true;
}

/* Returns how much of the line is written; all of it, if it is lost. */
static size_t write_at_once(LogOutlet *o, const char *p, size_t n) {
        ssize_t k;

        if (o->p.waits || !is_idle(o) || o->n_dropped > 0)
                return 0;
        k = o->p.write(o->p.fd, p, n);
        if (k == -EAGAIN || k == -EINTR)
                return 0;
        o->failing = k < 0;
        if (k >= 0)
                return (size_t) k;
        o->n_dropped++;
        return n;
}

/* After a loss, a report comes before the next line, and only when half of the queue is free again: else
 * there would be a report for every other line. */
static int add_line(LogOutlet *o, const char *p, size_t n) {
        int r;

        r = start_thread(o);
        if (r < 0)
                return r;
        if (o->n_dropped > 0) {
                r = waiting(o) > LOG_QUEUE_MAX / 2 ? -ENOBUFS : enqueue_report(o);
                if (r < 0)
                        return r;
        }
        return enqueue(o, p, n, 0);
}

/* Called with the lock. */
static void wait_a_moment(LogOutlet *o) {
        usec_t now = clock_monotonic();

        if (now >= usec_add(o->second, USEC_PER_SEC)) {
                o->second = now;
                o->waited = 0;
        }
        if (o->waited >= LINE_PATIENCE)
                return;
        o->late = !wait_idle(o, LINE_PATIENCE - o->waited);
        o->waited += usec_sub(clock_monotonic(), now);
}

void log_outlet_put(LogOutlet *o, const char *line, size_t n) {
        size_t done;

        (void) pthread_mutex_lock(&o->lock);
        done = write_at_once(o, line, n);
        if (done < n) {
                if (add_line(o, line + done, n - done) < 0)
                        o->n_dropped++;
                (void) pthread_cond_broadcast(&o->changed);
                if (o->p.waits && !o->late && o->has_thread)
                        wait_a_moment(o);
        }
        (void) pthread_mutex_unlock(&o->lock);
}

int log_outlet_new(const LogOutletParams *p, LogOutlet **ret) {
        LogOutlet *o = calloc(1, sizeof(LogOutlet));

        if (!o)
                return -ENOMEM;
        *o = (LogOutlet){ .p = *p, .next = outlets, .queue = BUF_INIT(LOG_QUEUE_MAX) };
        if (pthread_mutex_init(&o->lock, NULL) != 0 || pthread_cond_init(&o->changed, NULL) != 0) {
                free(o);
                return -ENOMEM;
        }
        outlets = o;
        *ret = o;
        return 0;
}

/* --- streams --- */

static ssize_t stream_write(int fd, const char *p, size_t n) {
        ssize_t k = write(fd, p, n);

        return k < 0 ? -errno : k;
}

static ssize_t socket_write(int fd, const char *p, size_t n) {
        ssize_t k = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

        return k < 0 ? -errno : k;
}

int log_outlet_new_stream(int fd, LogDropped dropped, LogOutlet **ret) {
        LogOutletParams p = { .fd = fd, .write = stream_write, .dropped = dropped, .waits = true };
        char path[64];
        struct stat st;
        int own;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISSOCK(st.st_mode)) {
                p.write = socket_write;
                p.waits = false;
        } else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
                (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                if (own >= 0) {
                        p.fd = own;
                        p.waits = false;
                }
        }
        return log_outlet_new(&p, ret);
}

/* --- the end --- */

/* A pipe that is full can be made larger: then its reader also gets the lines that still wait, after the
 * process is gone. */
static void widen_pipe(const LogOutlet *o) {
        int size = fcntl(o->p.fd, F_GETPIPE_SZ);

        if (size > 0)
                (void) fcntl(o->p.fd, F_SETPIPE_SZ, size + (int) LOG_QUEUE_MAX);
}

void log_outlets_finish(void) {
        for (LogOutlet *o = outlets; o; o = o->next) {
                (void) pthread_mutex_lock(&o->lock);
                if (o->has_thread && !wait_idle(o, 0)) {
                        widen_pipe(o);
                        (void) wait_idle(o, LOG_END_WAIT);
                }
                (void) pthread_mutex_unlock(&o->lock);
        }
}
