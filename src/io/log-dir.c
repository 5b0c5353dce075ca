/* SPDX-License-Identifier: MIT */

/*
 * With each new file, the oldest are deleted if there are too many: only regular files with exactly such a
 * name.
 *
 * A line is never split by another. If a disk fills up in the middle of a line, its rest is written first.
 * If that is not possible (another day, another file), the rest is dropped. A file whose last line has no
 * end gets one before it is continued. Several daemons may write to one directory: each appends whole lines.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log-day.h"
#include "io/log-dir.h"

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
static int end_last_line(const LogDir *d, int fd) {
        off_t end = lseek(fd, 0, SEEK_END);
        char last;

        if (end <= 0)
                return 0;
        if (pread(fd, &last, 1, end - 1) != 1 || last == '\n')
                return 0;
        return d->write(fd, "\n", 1) < 0 ? -errno : 0;
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
static void prune(const LogDir *d, int dir_fd) {
        _cleanup_free_ int64_t *latest = calloc(d->n_kept, sizeof(int64_t));
        size_t n = d->n_kept;
        struct dirent *e;
        int64_t day;
        DIR *dir;
        int fd;

        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir || !latest) {
                if (dir)
                        (void) closedir(dir);
                else
                        (void) safe_close(fd);
                return;
        }
        for (size_t i = 0; i < n; i++)
                latest[i] = INT64_MIN;
        while ((e = readdir(dir)))
                if (is_log_file(dir_fd, e->d_name, &day) && day <= d->day)
                        keep_day(latest, n, day);
        rewinddir(dir);
        while ((e = readdir(dir)))
                if (is_log_file(dir_fd, e->d_name, &day) && day < latest[n - 1])
                        (void) unlinkat(dir_fd, e->d_name, 0);
        (void) closedir(dir);
}

static int open_day(LogDir *d, int64_t day) {
        _cleanup_close_ int dir_fd = -1, fd = -1;
        char name[LOG_DAY_NAME_MAX];
        int r;

        (void) mkdir(d->path, 0750);
        dir_fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        log_day_name(day, name);
        /* Not a link, and not a pipe, which would wait for a reader. */
        fd = openat(dir_fd, name,
                    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
        if (fd < 0)
                return -errno;
        if (!is_regular(fd))
                return -ENOTSUP;
        r = end_last_line(d, fd);
        if (r < 0)
                return r;
        d->day = day;
        prune(d, dir_fd);
        d->fd = TAKE_FD(fd);
        return 0;
}

/* How many bytes there are up to the end of the line. */
static size_t line_length(const char *lines, size_t n) {
        const char *end = memchr(lines, '\n', n);

        assert(end); /* lines are whole */
        return (size_t) (end - lines) + 1;
}

int log_dir_write(LogDir *d, int64_t day, const char *lines, size_t n, size_t *ret_n, uint64_t *n_lost) {
        size_t done = 0;
        int r = 0;

        assert(n > 0);
        if (d->fd >= 0 && (d->day != day || is_deleted(d->fd)))
                d->fd = safe_close(d->fd);
        if (!d->path) {
                *ret_n = n;
                return 0;
        }
        if (d->torn && d->fd < 0) {
                d->torn = false;
                done = line_length(lines, n);
                (*n_lost)++;
        }
        if (d->fd < 0 && done < n)
                r = open_day(d, day);
        while (r >= 0 && done < n) {
                ssize_t k = d->write(d->fd, lines + done, n - done);

                if (k < 0) {
                        r = errno == EINTR ? 0 : -errno;
                        continue;
                }
                done += (size_t) k;
                d->torn = lines[done - 1] != '\n';
        }
        *ret_n = done;
        return r;
}

void log_dir_set(LogDir *d, char *path, size_t n_kept) {
        d->fd = safe_close(d->fd);
        free(d->path);
        d->path = path;
        d->n_kept = n_kept;
        if (!path)
                d->torn = false;
}

void log_dir_done(LogDir *d) {
        log_dir_set(d, NULL, 0);
}
