/* SPDX-License-Identifier: MIT */

/*
 * A line belongs to the day of its time. So there is no timer at midnight, a quiet daemon stays quiet, and
 * after a clock is set back the file of that day is continued.
 *
 * A disk can hang, and the loop must not wait for it. So the loop only appends lines to a queue, and a
 * thread owns the directory (io/log-dir) and writes them. The thread is woken once in a turn.
 *
 *      loop:    line ──► queue; the turn ends: due ──►  thread: takes the queue, writes
 *               queue full: n_lost++
 *      loop:    report(error, n_lost)  ◄── eventfd ───  thread: error, if it changed
 *
 * The queue is a sequence of runs: lines of one day and of one configuration. A new configuration closes the
 * file before the first line that came after it, and lines that the old directory did not take go to the
 * new one. Likewise, lines that the file of a past day does not take go to the file of the latest day: a
 * file that is damaged must not hold up the log for ever.
 *
 * The thread takes the queue as a whole, and the lock is never held while it uses the disk. If writing
 * fails, it tries again after a time. If the disk still hangs at the end, the thread is left behind with all
 * that it uses, and frees it if the disk answers after all.
 */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log-outlet.h"
#include "base/thread.h"
#include "io/log-file.h"

#define PIECE_MAX (64U << 10) /* as many bytes do not wait for the turn's end */

typedef struct Run {
        int64_t day;
        uint64_t generation; /* of the configuration */
        size_t n;            /* bytes of the lines that follow */
} Run;

struct LogFile {
        LogFileParams p;

        /* used by the loop only */
        LoopHook hook;
        LoopFd watch;
        char *dir;
        Zone *zone;
        usec_t day_start, day_end; /* of `day` */

        /* used by the thread only */
        LogDir place;
        Buf taken; /* taken from the queue and not yet written; first the rest of `front`, then runs */
        Run front;
        uint64_t generation_used;

        /* shared, under the lock */
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        int event_fd;
        int64_t day; /* of the latest line */
        Buf queue;   /* runs, each with its lines */
        Run last;    /* of the queue */
        size_t last_at;
        size_t n_lines; /* in the queue */
        size_t n_taken; /* bytes in `taken` */
        uint64_t n_lost;
        uint64_t generation;
        char *next_dir; /* until generation_used is generation */
        size_t next_kept;
        int error;         /* why writing failed the last time; 0: it succeeded */
        int reported;      /* the last error that was reported, or 0 */
        usec_t busy_since; /* 0: the thread waits for work */
        usec_t retry_at;   /* 0: writing succeeds */
        bool due;          /* the thread shall write the queue */
        bool ending, ended;
        bool abandoned; /* the thread frees everything */
};

static void destroy(LogFile *f) {
        (void) pthread_cond_destroy(&f->changed);
        (void) pthread_mutex_destroy(&f->lock);
        (void) safe_close(f->event_fd);
        log_dir_done(&f->place);
        buf_done(&f->taken);
        buf_done(&f->queue);
        zone_free(f->zone);
        free(f->next_dir);
        free(f->dir);
        free(f);
}

/* False when the time has come. */
static bool wait_until(LogFile *f, usec_t at) {
        const struct timespec until = {
                .tv_sec = (time_t) (at / USEC_PER_SEC),
                .tv_nsec = (long) (at % USEC_PER_SEC) * 1000,
        };

        return pthread_cond_clockwait(&f->changed, &f->lock, CLOCK_MONOTONIC, &until) == 0;
}

/* --- the thread; its functions are called and left with the lock --- */

static void use_configuration(LogFile *f) {
        char *dir = TAKE_PTR(f->next_dir);
        size_t n_kept = f->next_kept;

        f->generation_used = f->generation;
        (void) pthread_mutex_unlock(&f->lock);
        log_dir_set(&f->place, dir, n_kept);
        (void) pthread_mutex_lock(&f->lock);
}

static int write_to_day(LogFile *f, int64_t day) {
        uint64_t n_lost = 0;
        size_t n;
        int r;

        (void) pthread_mutex_unlock(&f->lock);
        r = log_dir_write(&f->place, day, buf_data(&f->taken), f->front.n, &n, &n_lost);
        buf_consume(&f->taken, n);
        f->front.n -= n;
        (void) pthread_mutex_lock(&f->lock);
        f->n_taken = f->taken.n;
        f->n_lost += n_lost;
        return r;
}

static int write_front(LogFile *f) {
        int r;

        if (f->front.generation > f->generation_used)
                use_configuration(f);
        r = write_to_day(f, f->front.day);
        if (r < 0 && f->generation_used != f->generation) {
                use_configuration(f);
                r = write_to_day(f, f->front.day);
        }
        if (r < 0 && f->front.day != f->day)
                r = write_to_day(f, f->day);
        return r;
}

/* The two buffers change places, so that a turn allocates nothing; much memory is given back. */
static void take_queue(LogFile *f) {
        Buf empty = f->taken;

        if (empty.size > 2 * PIECE_MAX)
                buf_done(&empty);
        buf_clear(&empty);
        f->taken = f->queue;
        f->queue = empty;
        f->n_taken = f->taken.n;
        f->n_lines = 0;
}

/* False when there is none. Takes the queue once in a pass, so that a pass has an end while lines come; but
 * before a new configuration is used, all lines that came before it. */
static bool find_front(LogFile *f, bool *took) {
        if (f->front.n > 0)
                return true;
        if (f->taken.n == 0 && (!*took || f->generation_used != f->generation)) {
                take_queue(f);
                *took = true;
        }
        if (f->taken.n == 0)
                return false;
        memcpy(&f->front, buf_data(&f->taken), sizeof(Run));
        buf_consume(&f->taken, sizeof(Run));
        return true;
}

static void write_all(LogFile *f) {
        bool took = false;
        int r = 0;

        f->due = false;
        f->busy_since = clock_monotonic();
        for (;;) {
                while (r >= 0 && find_front(f, &took))
                        r = write_front(f);
                if (f->generation_used == f->generation)
                        break;
                use_configuration(f);
                r = 0;
        }
        f->busy_since = 0;
        f->retry_at = r < 0 ? usec_add(clock_monotonic(), f->p.retry) : 0;
        f->error = r;
        if (f->abandoned)
                return;
        if (r != f->reported || (r == 0 && f->n_lost > 0))
                (void) eventfd_write(f->event_fd, 1);
}

static bool has_work(const LogFile *f) {
        if (f->ending || f->generation_used != f->generation)
                return true;
        return f->retry_at > 0 ? clock_monotonic() >= f->retry_at : f->due;
}

static void *run(void *userdata) {
        LogFile *f = userdata;
        bool last, abandoned;

        (void) pthread_setname_np(pthread_self(), "gemgated-files");
        (void) pthread_mutex_lock(&f->lock);
        do {
                while (!has_work(f)) {
                        (void) pthread_cond_broadcast(&f->changed);
                        if (f->retry_at > 0)
                                (void) wait_until(f, f->retry_at);
                        else
                                (void) pthread_cond_wait(&f->changed, &f->lock);
                }
                last = f->ending; /* no line comes after that */
                write_all(f);
        } while (!last);
        (void) pthread_mutex_unlock(&f->lock);
        log_dir_set(&f->place, NULL, 0);
        (void) pthread_mutex_lock(&f->lock);
        f->ended = true;
        abandoned = f->abandoned;
        (void) pthread_cond_broadcast(&f->changed);
        (void) pthread_mutex_unlock(&f->lock);
        if (abandoned)
                destroy(f);
        return NULL;
}

/* --- the loop --- */

/* Outside of log_file_line(), since the report may be logged itself. */
static void report(LogFile *f, int error) {
        uint64_t n_lost = f->n_lost;

        if (!f->dir || (error == f->reported && (error < 0 || n_lost == 0)))
                return;
        f->reported = error;
        if (error == 0)
                f->n_lost = 0;
        (void) pthread_mutex_unlock(&f->lock);
        f->p.report(error, n_lost, f->p.userdata);
        (void) pthread_mutex_lock(&f->lock);
}

static void on_event(uint32_t events _unused_, void *userdata) {
        LogFile *f = userdata;
        eventfd_t n;

        (void) eventfd_read(f->event_fd, &n);
        (void) pthread_mutex_lock(&f->lock);
        report(f, f->error);
        (void) pthread_mutex_unlock(&f->lock);
}

static void wake(LogFile *f) {
        if (f->due || f->queue.n == 0)
                return;
        f->due = true;
        (void) pthread_cond_broadcast(&f->changed);
}

static void on_turn(void *userdata) {
        LogFile *f = userdata;

        (void) pthread_mutex_lock(&f->lock);
        wake(f);
        if (f->busy_since > 0 && f->reported == 0 &&
            usec_sub(loop_now(f->p.loop), f->busy_since) > f->p.retry)
                report(f, -ETIMEDOUT);
        (void) pthread_mutex_unlock(&f->lock);
}

static int append(LogFile *f, const char *line, size_t n) {
        bool same = f->queue.n > 0 && f->last.day == f->day && f->last.generation == f->generation;
        size_t more = same ? n : sizeof(Run) + n;

        if (f->queue.n + f->n_taken + more > LOG_FILE_BUFFER_MAX)
                return -ENOBUFS;
        if (buf_reserve(&f->queue, more) < 0) {
                /* Out of memory, and the buffer has dropped its content. */
                buf_clear(&f->queue);
                f->n_lost += f->n_lines;
                f->n_lines = 0;
                return -ENOMEM;
        }
        if (!same) {
                f->last = (Run){ .day = f->day, .generation = f->generation };
                f->last_at = f->queue.n;
                (void) buf_append(&f->queue, &f->last, sizeof(Run));
        }
        (void) buf_append(&f->queue, line, n);
        f->last.n += n;
        memcpy(buf_data(&f->queue) + f->last_at, &f->last, sizeof(Run));
        f->n_lines++;
        return 0;
}

void log_file_line(usec_t now, const char *line, size_t n, void *userdata) {
        LogFile *f = userdata;

        if (!f->dir)
                return;
        (void) pthread_mutex_lock(&f->lock);
        if (now < f->day_start || now >= f->day_end) {
                f->day = zone_day(f->zone, now);
                f->day_start = zone_day_start(f->zone, now);
                f->day_end = zone_next_midnight(f->zone, now);
        }
        if (append(f, line, n) < 0)
                f->n_lost++;
        if (f->queue.n > PIECE_MAX)
                wake(f);
        (void) pthread_mutex_unlock(&f->lock);
        loop_hook_ask(f->p.loop, &f->hook);
}

int log_file_new(const LogFileParams *p, LogFile **ret) {
        LogFile *f = calloc(1, sizeof(LogFile));
        int r;

        if (!f)
                return -ENOMEM;
        *f = (LogFile){
                .p = *p,
                .watch = LOOP_FD_NULL,
                .place = LOG_DIR_INIT(p->write ? p->write : write),
                .taken = BUF_INIT(LOG_FILE_BUFFER_MAX),
                .queue = BUF_INIT(LOG_FILE_BUFFER_MAX),
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        };
        r = f->event_fd < 0 ? -errno : loop_fd_add(p->loop, &f->watch, f->event_fd, EPOLLIN, on_event, f);
        if (r >= 0)
                r = thread_start(run, f, &f->thread);
        if (r < 0) {
                loop_fd_remove(p->loop, &f->watch);
                destroy(f);
                return r;
        }
        loop_hook_add(p->loop, &f->hook, on_turn, f);
        *ret = f;
        return 0;
}

LogFile *log_file_free(LogFile *f) {
        usec_t end = usec_add(clock_monotonic(), LOG_END_WAIT);

        if (!f)
                return NULL;
        loop_hook_remove(&f->hook);
        loop_fd_remove(f->p.loop, &f->watch);
        (void) pthread_mutex_lock(&f->lock);
        f->ending = true;
        (void) pthread_cond_broadcast(&f->changed);
        while (!f->ended && wait_until(f, end))
                ;
        if (!f->ended) {
                f->abandoned = true;
                (void) pthread_detach(f->thread);
                (void) pthread_mutex_unlock(&f->lock);
                return NULL;
        }
        (void) pthread_mutex_unlock(&f->lock);
        (void) pthread_join(f->thread, NULL);
        destroy(f);
        return NULL;
}

int log_file_configure(LogFile *f, const char *dir, unsigned retention_days, usec_t now) {
        _cleanup_free_ char *copy = NULL, *next = NULL;
        _cleanup_(zone_freep) Zone *zone = NULL;
        int r;

        if (dir) {
                copy = strdup(dir);
                next = strdup(dir);
                if (!copy || !next)
                        return -ENOMEM;
                r = zone_new_local(now, &zone);
                if (r < 0)
                        return r;
        }
        free(f->dir);
        f->dir = TAKE_PTR(copy);
        zone_free(f->zone);
        f->zone = TAKE_PTR(zone);
        f->day_start = f->day_end = 0; /* the next line finds its day */

        (void) pthread_mutex_lock(&f->lock);
        free(f->next_dir);
        f->next_dir = TAKE_PTR(next);
        f->next_kept = retention_days;
        f->generation++;
        f->error = f->reported = 0;
        if (!dir)
                f->n_lost = 0;
        (void) pthread_cond_broadcast(&f->changed);
        (void) pthread_mutex_unlock(&f->lock);
        return 0;
}

const char *log_file_dir(const LogFile *f) {
        return f->dir;
}

void log_file_wait(LogFile *f) {
        (void) pthread_mutex_lock(&f->lock);
        while (f->busy_since > 0 || f->generation_used != f->generation || (f->due && f->retry_at == 0))
                (void) pthread_cond_wait(&f->changed, &f->lock);
        (void) pthread_mutex_unlock(&f->lock);
}
