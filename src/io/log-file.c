/* SPDX-License-Identifier: MIT */

/*
 * A line belongs to the day of its time. The first line of another day writes the lines before it to their
 * own file, and changes to the next one. So there is no timer at midnight, a quiet daemon stays quiet, and
 * after a clock is set back the file of that day is continued. With each new file, the oldest are
 * deleted if there are too many: only regular files with exactly such a name.
 *
 * A line is never split by another. If a disk fills up in the middle of a line, its rest waits as well and
 * is written first. If that is not possible (another day, another file), the rest is dropped. A file whose
 * last line has no end gets one before it is continued. Several daemons may write to one directory: each
 * appends whole lines.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/log-day.h"
#include "io/log-file.h"
#include "io/timer.h"

#define PIECE_MAX (64U << 10) /* as many bytes do not wait for the turn's end */

struct LogFile {
        Loop *loop;
        usec_t retry_after;
        LogFileReport report;
        void *userdata;
        LoopHook hook;
        char *dir;
        size_t retention_days; /* as many files are kept; at least 1 */
        Zone *zone;
        usec_t day_start, day_end; /* of the day of `fd` */
        int64_t day;
        int fd;
        Buf lines;
        bool torn; /* the first of them is the rest of a line whose beginning is in the file */
        int error; /* why the last write failed; 0: it succeeded */
        int told_error;
        Timer *retry; /* while writing fails */
        uint64_t n_lost;
};

/* Nothing would ever read what is written there. A file that was moved is not deleted: its lines go on there
 * until a reload, as logrotate expects. */
static bool is_deleted(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && st.st_nlink == 0;
}

static bool is_regular(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && S_ISREG(st.st_mode);
}

/* Completes a line that a power failure or a full disk has cut. */
static int end_last_line(int fd) {
        off_t end = lseek(fd, 0, SEEK_END);
        char last;

        if (end <= 0)
                return 0;
        if (pread(fd, &last, 1, end - 1) != 1 || last == '\n')
                return 0;
        return write(fd, "\n", 1) < 0 ? -errno : 0;
}

static bool is_log_file(int dir_fd, const char *name, int64_t *ret_day) {
        struct stat st;

        return log_day_parse(name, ret_day) && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 &&
               S_ISREG(st.st_mode);
}

/* Enters the day among the latest `n`, which are sorted from the latest on; the earliest falls out. */
static void keep_day(int64_t *latest, size_t n, int64_t day) {
        for (size_t i = 0; i < n; i++)
                if (day > latest[i]) {
                        int64_t earlier = latest[i];

                        latest[i] = day;
                        day = earlier;
                }
}

/* Deletes by the number of files, not by their age: a clock that is years ahead for a moment makes one file,
 * and so deletes one. Files of days to come do not count. */
static void prune(const LogFile *f, int dir_fd) {
        _cleanup_free_ int64_t *latest = calloc(f->retention_days, sizeof(int64_t));
        size_t n = f->retention_days;
        struct dirent *e;
        int64_t day;
        DIR *d;
        int fd;

        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d || !latest) {
                if (d)
                        (void) closedir(d);
                else
                        (void) safe_close(fd);
                return;
        }
        for (size_t i = 0; i < n; i++)
                latest[i] = INT64_MIN;
        while ((e = readdir(d)))
                if (is_log_file(dir_fd, e->d_name, &day) && day <= f->day)
                        keep_day(latest, n, day);
        rewinddir(d);
        while ((e = readdir(d)))
                if (is_log_file(dir_fd, e->d_name, &day) && day < latest[n - 1])
                        (void) unlinkat(dir_fd, e->d_name, 0);
        (void) closedir(d);
}

static int open_day(LogFile *f) {
        _cleanup_close_ int dir_fd = -1, fd = -1;
        char name[LOG_DAY_NAME_MAX];
        int r;

        (void) mkdir(f->dir, 0750);
        dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        log_day_name(f->day, name);
        /* Not a link, and not a pipe, which would wait for a reader. */
        fd = openat(dir_fd, name,
                    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
        if (fd < 0)
                return -errno;
        if (!is_regular(fd))
                return -ENOTSUP;
        r = end_last_line(fd);
        if (r < 0)
                return r;
        prune(f, dir_fd);
        f->fd = TAKE_FD(fd);
        return 0;
}

static void drop_rest_of_line(LogFile *f) {
        const char *end;

        if (!f->torn)
                return;
        f->torn = false;
        end = memchr(buf_data(&f->lines), '\n', f->lines.n);
        buf_consume(&f->lines, (size_t) (end - buf_data(&f->lines)) + 1);
        f->n_lost++;
}

static void close_file(LogFile *f) {
        f->fd = safe_close(f->fd);
        drop_rest_of_line(f);
}

static int write_lines(LogFile *f) {
        int r;

        if (f->fd >= 0 && is_deleted(f->fd))
                close_file(f);
        if (f->fd < 0) {
                r = open_day(f);
                if (r < 0)
                        return r;
        }
        while (f->lines.n > 0) {
                ssize_t k = write(f->fd, buf_data(&f->lines), f->lines.n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                f->torn = buf_data(&f->lines)[k - 1] != '\n';
                buf_consume(&f->lines, (size_t) k);
        }
        return 0;
}

static void flush(LogFile *f) {
        if (f->lines.n > 0)
                f->error = write_lines(f);
}

static void on_retry(void *userdata);

/* Runs outside of log_file_line(), since it may log itself. */
static void settle(LogFile *f) {
        uint64_t n_lost = f->n_lost;
        int r;

        if (f->error == 0) {
                if (f->told_error == 0)
                        return;
                f->told_error = 0;
                f->n_lost = 0;
                return f->report(0, n_lost, f->userdata);
        }
        if (!f->retry) {
                r = timer_new(f->loop, f->retry_after, on_retry, f, &f->retry);
                if (r < 0)
                        f->error = r;
        }
        if (f->error == f->told_error)
                return;
        f->told_error = f->error;
        f->report(f->error, n_lost, f->userdata);
}

static void on_retry(void *userdata) {
        LogFile *f = userdata;

        f->retry = timer_free(f->retry);
        flush(f);
        settle(f);
}

static void on_turn(void *userdata) {
        LogFile *f = userdata;

        if (!f->retry)
                flush(f);
        settle(f);
}

static void turn_to(LogFile *f, usec_t now) {
        if (!f->retry)
                flush(f);
        close_file(f);
        f->day = zone_day(f->zone, now);
        f->day_start = zone_day_start(f->zone, now);
        f->day_end = zone_next_midnight(f->zone, now);
}

void log_file_line(usec_t now, const char *line, size_t n, void *userdata) {
        LogFile *f = userdata;

        if (!f->dir)
                return;
        if (now < f->day_start || now >= f->day_end)
                turn_to(f, now);
        if (f->lines.n + n > PIECE_MAX && !f->retry)
                flush(f);
        if (f->lines.n + n > f->lines.max)
                f->n_lost++;
        else if (buf_append(&f->lines, line, n) < 0) { /* out of memory: the buffer has dropped everything */
                f->n_lost++;
                buf_clear(&f->lines);
                f->torn = false;
                f->fd = safe_close(f->fd); /* opening it again looks for a last line without an end */
        }
        loop_hook_ask(f->loop, &f->hook);
}

int log_file_new(Loop *l, usec_t retry, LogFileReport report, void *userdata, LogFile **ret) {
        LogFile *f = calloc(1, sizeof(LogFile));

        if (!f)
                return -ENOMEM;
        *f = (LogFile){ .loop = l,
                        .retry_after = retry,
                        .report = report,
                        .userdata = userdata,
                        .fd = -1,
                        .lines = BUF_INIT(LOG_FILE_BUFFER_MAX) };
        loop_hook_add(l, &f->hook, on_turn, f);
        *ret = f;
        return 0;
}

LogFile *log_file_free(LogFile *f) {
        if (!f)
                return NULL;
        flush(f);
        loop_hook_remove(&f->hook);
        timer_free(f->retry);
        (void) safe_close(f->fd);
        buf_done(&f->lines);
        zone_free(f->zone);
        free(f->dir);
        free(f);
        return NULL;
}

int log_file_configure(LogFile *f, const char *dir, unsigned retention_days, usec_t now) {
        _cleanup_(zone_freep) Zone *zone = NULL;
        _cleanup_free_ char *copy = NULL;
        int r;

        if (dir) {
                copy = strdup(dir);
                if (!copy)
                        return -ENOMEM;
                r = zone_new_local(now, &zone);
                if (r < 0)
                        return r;
        }
        flush(f);
        close_file(f);
        if (!dir)
                buf_done(&f->lines);
        free(f->dir);
        f->dir = TAKE_PTR(copy);
        zone_free(f->zone);
        f->zone = TAKE_PTR(zone);
        f->retention_days = retention_days;
        f->day_start = f->day_end = 0; /* the next line opens its day's file */
        f->retry = timer_free(f->retry);
        f->error = f->told_error = 0;
        f->n_lost = 0;
        return 0;
}

const char *log_file_dir(const LogFile *f) {
        return f->dir;
}
