/* SPDX-License-Identifier: MIT */

/* Lines come with a time of the test's own; the file system is a directory of the test's own. A disk that
 * hangs is a write() that waits for the test. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "base/limits.h"
#include "folder.h"
#include "io/log-file.h"

#define RETRY (10 * USEC_PER_MSEC)
#define DAYS  30U

typedef struct Fixture {
        char dir[64], logs[96];
        Loop *loop;
        LogFile *file;
        unsigned n_failed, n_well;
        int error;
        uint64_t n_lost;
        usec_t now; /* of the last line */
} Fixture;

static void on_told(int error, uint64_t n_lost, void *userdata) {
        Fixture *f = userdata;

        if (error < 0)
                f->n_failed++;
        else {
                f->n_well++;
                f->n_lost = n_lost;
        }
        f->error = error;
        /* As the daemon does: it logs the error. */
        log_file_line(f->now, "told\n", 5, f->file);
}

/* --- a disk that hangs: the thread writes a byte to `reached`, and waits for one from `gate` --- */

static _Atomic bool hanging;
static int reached[2], gate[2];

static ssize_t disk_write(int fd, const void *p, size_t n) {
        char c = 0;

        if (hanging) {
                (void) !write(reached[1], &c, 1);
                (void) !read(gate[0], &c, 1);
        }
        return write(fd, p, n);
}

static void wait_reached(void) {
        char c;

        assert_int_equal(read(reached[0], &c, 1), 1);
}

static void let_go(void) {
        hanging = false;
        assert_int_equal(write(gate[1], "", 1), 1);
}

/* --- the fixture --- */

static void new_file(Fixture *f) {
        const LogFileParams p = {
                .loop = f->loop, .retry = RETRY, .report = on_told, .userdata = f, .write = disk_write
        };

        assert_int_equal(log_file_new(&p, &f->file), 0);
}

static void turn_without_disk(Fixture *f) {
        assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
}

/* With what the thread does then, and with what it reports. */
static void turn(Fixture *f) {
        turn_without_disk(f);
        do
                log_file_wait(f->file);
        while (sd_event_run(loop_event(f->loop), 0) > 0);
}

/* The instant at which a clock on the wall there shows this. */
static usec_t wall(int year, int month, int day, int hour, int minute) {
        struct tm tm = { .tm_year = year - 1900,
                         .tm_mon = month - 1,
                         .tm_mday = day,
                         .tm_hour = hour,
                         .tm_min = minute,
                         .tm_isdst = -1 };
        time_t t = mktime(&tm);

        assert_true(t > 0);
        return (usec_t) t * USEC_PER_SEC;
}

static void set_zone(const char *zone) {
        assert_int_equal(setenv("TZ", zone, true), 0);
        tzset();
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        (void) signal(SIGXFSZ, SIG_IGN);
        set_zone("UTC0");
        (void) snprintf(f->dir, sizeof(f->dir), "/tmp/test-log-file-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        (void) snprintf(f->logs, sizeof(f->logs), "%s/logs", f->dir);
        assert_int_equal(loop_new(&f->loop), 0);
        new_file(f);
        assert_int_equal(log_file_configure(f->file, f->logs, DAYS, wall(2026, 11, 25, 12, 0)), 0);
        log_file_wait(f->file);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;
        char *const argv[] = { (char *) "rm", (char *) "-rf", (char *) "--", f->dir, NULL };
        pid_t pid;
        int status;

        log_file_free(f->file);
        loop_free(f->loop);
        assert_int_equal(posix_spawnp(&pid, "rm", NULL, NULL, argv, environ), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        free(f);
        return 0;
}

static void path_of(const Fixture *f, const char *name, char ret[static 256]) {
        (void) snprintf(ret, 256, "%s/%s", f->logs, name);
}

static void expect(const Fixture *f, const char *name, const char *content) {
        char path[256], text[4096] = "";
        FILE *file;

        path_of(f, name, path);
        file = fopen(path, "re");
        if (!content) {
                assert_null(file);
                return;
        }
        assert_non_null(file);
        (void) fread(text, 1, sizeof(text) - 1, file);
        (void) fclose(file);
        assert_string_equal(text, content);
}

static void put(const Fixture *f, const char *name, const char *content) {
        char path[256];
        FILE *file;

        (void) mkdir(f->logs, 0750);
        path_of(f, name, path);
        file = fopen(path, "we");
        assert_non_null(file);
        (void) fputs(content, file);
        assert_int_equal(fclose(file), 0);
}

static void say(Fixture *f, usec_t at, const char *line) {
        f->now = at;
        log_file_line(at, line, strlen(line), f->file);
}

/* --- days --- */

static void test_one_file_a_day(void **state) {
        Fixture *f = *state;
        struct stat st;
        char path[256];

        say(f, wall(2026, 11, 25, 0, 0), "a\n");
        say(f, wall(2026, 11, 25, 23, 59), "b\n");
        expect(f, "gemgate-2026-11-25.log", NULL); /* the turn is not over */
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "a\nb\n");
        path_of(f, "gemgate-2026-11-25.log", path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);

        /* In one turn on both sides of midnight: each to its own. */
        say(f, wall(2026, 11, 25, 23, 59), "c\n");
        say(f, wall(2026, 11, 26, 0, 0), "d\n");
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "a\nb\nc\n");
        expect(f, "gemgate-2026-11-26.log", "d\n");

        /* After the clock is set back, lines go on to the same file. */
        say(f, wall(2026, 11, 25, 12, 0), "e\n");
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "a\nb\nc\ne\n");
        assert_int_equal(f->n_failed + f->n_well, 0);
}

/* Local days of 23 and 25 hours, by their first and last minutes. */
static void test_daylight_saving(void **state) {
        Fixture *f = *state;
        usec_t last;

        set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
        assert_int_equal(log_file_configure(f->file, f->logs, DAYS, wall(2027, 3, 1, 0, 0)), 0);
        say(f, wall(2027, 3, 28, 0, 0), "first\n");
        last = wall(2027, 3, 28, 0, 0) + 23 * USEC_PER_HOUR;
        say(f, last - 1, "last\n");
        say(f, last, "next\n");
        turn(f);
        expect(f, "gemgate-2027-03-28.log", "first\nlast\n");
        expect(f, "gemgate-2027-03-29.log", "next\n");
        say(f, wall(2027, 10, 31, 0, 0), "first\n");
        last = wall(2027, 10, 31, 0, 0) + 25 * USEC_PER_HOUR;
        say(f, last - 1, "last\n");
        say(f, last, "next\n");
        turn(f);
        expect(f, "gemgate-2027-10-31.log", "first\nlast\n");
        expect(f, "gemgate-2027-11-01.log", "next\n");
}

static void test_spring(void **state) {
        Fixture *f = *state;
        usec_t last;

        set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
        assert_int_equal(log_file_configure(f->file, f->logs, DAYS, wall(2027, 3, 1, 0, 0)), 0);
        last = wall(2027, 3, 28, 0, 0) + 23 * USEC_PER_HOUR;
        say(f, wall(2027, 3, 28, 0, 0), "first\n");
        say(f, last - 1, "last\n");
        say(f, last, "next\n");
        turn(f);
        expect(f, "gemgate-2027-03-28.log", "first\nlast\n");
        expect(f, "gemgate-2027-03-29.log", "next\n");
}

/* --- how long they are kept --- */

static void test_retention(void **state) {
        Fixture *f = *state;
        char link_path[256], dir_path[256];

        assert_int_equal(log_file_configure(f->file, f->logs, 3, wall(2026, 11, 25, 12, 0)), 0);
        put(f, "gemgate-2026-10-26.log", "the third before today\n");
        put(f, "gemgate-2026-10-27.log", "the second\n");
        put(f, "gemgate-2026-11-01.log", "the first\n");
        put(f, "gemgate-2020-01-01.log", "long ago\n");
        put(f, "gemgate-2030-01-01.log", "to come\n");
        put(f, "gemgate-2020-01-01.log.gz", "not ours\n");
        put(f, "other.log", "not ours\n");
        path_of(f, "gemgate-2020-01-02.log", link_path);
        assert_int_equal(symlink("other.log", link_path), 0);
        path_of(f, "gemgate-2020-01-03.log", dir_path);
        assert_int_equal(mkdir(dir_path, 0700), 0);

        say(f, wall(2026, 11, 25, 12, 0), "now\n");
        turn(f);
        expect(f, "gemgate-2026-10-26.log", NULL);
        expect(f, "gemgate-2020-01-01.log", NULL);
        expect(f, "gemgate-2026-10-27.log", "the second\n");
        expect(f, "gemgate-2026-11-01.log", "the first\n");
        expect(f, "gemgate-2030-01-01.log", "to come\n");
        expect(f, "gemgate-2020-01-01.log.gz", "not ours\n");
        expect(f, "other.log", "not ours\n");
        expect(f, "gemgate-2020-01-02.log", "not ours\n"); /* the link is still there */
        assert_int_equal(access(dir_path, F_OK), 0);
        expect(f, "gemgate-2026-11-25.log", "now\n");
}

/* A clock that is years ahead for one line makes one file, and deletes one at most. */
static void test_retention_by_number(void **state) {
        static const char *const kept[] = { "gemgate-2026-11-23.log", "gemgate-2026-11-24.log" };
        Fixture *f = *state;

        assert_int_equal(log_file_configure(f->file, f->logs, 4, wall(2026, 11, 25, 12, 0)), 0);
        put(f, "gemgate-2026-11-22.log", "x\n");
        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                put(f, kept[i], "x\n");
        say(f, wall(2026, 11, 25, 12, 0), "now\n");
        turn(f);
        say(f, wall(2030, 3, 13, 12, 0), "ahead\n");
        turn(f);
        expect(f, "gemgate-2026-11-22.log", NULL);
        say(f, wall(2026, 11, 25, 12, 1), "right again\n");
        turn(f);
        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                expect(f, kept[i], "x\n");
        expect(f, "gemgate-2026-11-25.log", "now\nright again\n");
        expect(f, "gemgate-2030-03-13.log", "ahead\n");
}

/* --- what is in the way --- */

static void test_moved_away(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        char from[256], to[256];

        say(f, now, "a\n");
        turn(f);
        path_of(f, "gemgate-2026-11-25.log", from);
        path_of(f, "old", to);
        assert_int_equal(rename(from, to), 0);
        say(f, now, "b\n");
        turn(f);
        assert_int_equal(log_file_configure(f->file, f->logs, DAYS, now), 0);
        say(f, now, "c\n");
        turn(f);
        expect(f, "old", "a\nb\n");
        expect(f, "gemgate-2026-11-25.log", "c\n");
}

/* Deleted by hand: the next lines begin a new file. */
static void test_deleted(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        char path[256];

        say(f, now, "a\n");
        turn(f);
        path_of(f, "gemgate-2026-11-25.log", path);
        assert_int_equal(unlink(path), 0);
        say(f, now, "b\n");
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "b\n");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(f->logs), 0);
        say(f, now, "c\n");
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "c\n");
        assert_int_equal(f->n_failed + f->n_well, 0);
}

static void test_not_a_file(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        char path[256];

        put(f, "secret", "somebody's\n");
        path_of(f, "gemgate-2026-11-25.log", path);
        assert_int_equal(symlink("secret", path), 0);
        say(f, now, "a\n");
        turn(f);
        assert_int_equal(f->n_failed, 1);
        assert_int_equal(f->error, -ELOOP);
        expect(f, "secret", "somebody's\n");

        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        while (f->error == -ELOOP)
                turn(f);
        assert_int_equal(f->error, -ENOTSUP);
        assert_int_equal(unlink(path), 0);
        while (f->n_well == 0)
                turn(f);
        assert_int_equal(f->n_failed, 2); /* once for each way in which it failed */
        assert_int_equal(f->n_lost, 0);
}

static void test_no_directory(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        char deep[256];

        (void) snprintf(deep, sizeof(deep), "%s/not/there", f->dir);
        assert_int_equal(log_file_configure(f->file, deep, DAYS, now), 0);
        for (unsigned i = 0; i < 5; i++) {
                say(f, now, "a\n");
                turn(f);
        }
        assert_int_equal(f->n_failed, 1);
        assert_int_equal(f->error, -ENOENT);

        /* A reload with another directory: what waited is written there. */
        assert_int_equal(log_file_configure(f->file, f->logs, DAYS, now), 0);
        say(f, now, "b\n");
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "a\ntold\na\na\na\na\nb\n");
}

/* More than there is room for is counted; what had room is whole. */
static void test_too_much(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        char deep[256], line[1024], path[300];
        struct stat st;

        (void) snprintf(deep, sizeof(deep), "%s/not/there", f->dir);
        assert_int_equal(log_file_configure(f->file, deep, DAYS, now), 0);
        memset(line, 'x', sizeof(line));
        line[sizeof(line) - 1] = '\n';
        say(f, now, "first\n");
        turn(f);
        for (unsigned i = 0; i < LOG_FILE_BUFFER_MAX / sizeof(line) + 100; i++)
                log_file_line(now, line, sizeof(line), f->file);

        (void) snprintf(path, sizeof(path), "%s/not", f->dir);
        assert_int_equal(mkdir(path, 0700), 0);
        while (f->n_well == 0)
                turn(f);
        assert_int_equal(f->n_failed, 1);
        assert_in_range(f->n_lost, 100, 102);
        (void) snprintf(path, sizeof(path), "%s/gemgate-2026-11-25.log", deep);
        assert_int_equal(stat(path, &st), 0);
        assert_true((size_t) st.st_size <= LOG_FILE_BUFFER_MAX &&
                    (size_t) st.st_size > LOG_FILE_BUFFER_MAX - 2048);
}

static void limit_files(rlim_t size) {
        struct rlimit rl;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &rl), 0);
        rl.rlim_cur = size;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

/* A disk that is full in the middle of a line: the line's rest follows when there is room. */
static void test_full(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);

        limit_files(10);
        say(f, now, "12345\n");
        say(f, now, "6789abcdef\n");
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "12345\n6789");
        assert_int_equal(f->error, -EFBIG);
        say(f, now, "next\n");
        turn(f);
        limit_files(RLIM_INFINITY);
        while (f->n_well == 0)
                turn(f);
        expect(f, "gemgate-2026-11-25.log", "12345\n6789abcdef\ntold\nnext\ntold\n");
        assert_int_equal(f->n_lost, 0);
}

/* … and where the next line is another day's, the torn one is given up. */
static void test_full_over_midnight(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);

        limit_files(15);
        say(f, now, "12345\n");
        say(f, now, "6789abcdefghi\n");
        turn(f);
        say(f, now + USEC_PER_DAY, "next\n"); /* its file has room for 15 bytes, too */
        while (f->n_well == 0)
                turn(f);
        expect(f, "gemgate-2026-11-25.log", "12345\n6789abcde");
        expect(f, "gemgate-2026-11-26.log", "told\nnext\ntold\n");
        assert_int_equal(f->n_lost, 1);
        limit_files(RLIM_INFINITY);

        /* Another process writes there. */
        say(f, now, "again\n");
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "12345\n6789abcde\nagain\n");
}

/* The file of one day is damaged: at the latest on the next day all is written. */
static void test_bad_day(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        char path[256];

        put(f, "other", "");
        path_of(f, "gemgate-2026-11-25.log", path);
        assert_int_equal(mkdir(path, 0700), 0);
        say(f, now, "a\n");
        turn(f);
        assert_int_equal(f->error, -EISDIR);
        say(f, now + USEC_PER_DAY, "b\n");
        while (f->n_well == 0)
                turn(f);
        expect(f, "gemgate-2026-11-26.log", "a\ntold\nb\ntold\n");
        assert_int_equal(f->n_lost, 0);
}

/* A torn line is given up with a reload, and the next one does not continue it. */
static void test_full_and_reload(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);

        limit_files(10);
        say(f, now, "12345\n");
        say(f, now, "6789abcdef\n");
        turn(f);
        assert_int_equal(log_file_configure(f->file, f->logs, DAYS, now), 0);
        turn(f);
        assert_int_equal(f->n_failed, 2); /* reported again */
        limit_files(RLIM_INFINITY);
        say(f, now, "next\n");
        while (f->n_well == 0)
                turn(f);
        expect(f, "gemgate-2026-11-25.log", "12345\n6789\ntold\ntold\nnext\ntold\n");
        assert_int_equal(f->n_lost, 1);
}

/* --- a disk that hangs --- */

static size_t count_lines(const Fixture *f, const char *name) {
        char path[256], line[2048];
        size_t n = 0;
        FILE *file;

        path_of(f, name, path);
        file = fopen(path, "re");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file)) {
                assert_int_equal(line[strlen(line) - 1], '\n');
                n++;
        }
        (void) fclose(file);
        return n;
}

/* The loop goes on, the hang is reported, and what has no room is counted. */
static void test_hanging(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        size_t n_put = LOG_FILE_BUFFER_MAX / 1000 + 100;
        char line[1001];

        memset(line, 'x', sizeof(line));
        line[sizeof(line) - 2] = '\n';
        line[sizeof(line) - 1] = 0;
        hanging = true;
        say(f, now, line);
        turn_without_disk(f);
        wait_reached();
        for (size_t i = 1; i < n_put; i++)
                say(f, now, line);
        while (f->n_failed == 0) {
                say(f, now, line);
                n_put++;
                turn_without_disk(f);
        }
        assert_int_equal(f->error, -ETIMEDOUT);
        assert_int_equal(f->n_well, 0);

        let_go();
        while (f->n_well == 0)
                turn(f);
        assert_int_equal(f->n_failed, 1);
        assert_true(f->n_lost >= 100);
        n_put += f->n_failed + f->n_well; /* the reports are lines, too */
        assert_int_equal(count_lines(f, "gemgate-2026-11-25.log") + f->n_lost, n_put);
}

/* A reload does not wait either. What came before it goes to the old directory. */
static void test_hanging_and_reload(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        char other[256];

        hanging = true;
        say(f, now, "a\n");
        turn_without_disk(f);
        wait_reached();
        say(f, now, "b\n");
        (void) snprintf(other, sizeof(other), "%s/other", f->dir);
        assert_int_equal(log_file_configure(f->file, NULL, DAYS, now), 0);
        say(f, now, "nowhere\n");
        assert_int_equal(log_file_configure(f->file, other, DAYS, now), 0);
        say(f, now, "c\n");
        let_go();
        turn(f);
        expect(f, "gemgate-2026-11-25.log", "a\nb\n");
        expect(f, "../other/gemgate-2026-11-25.log", "c\n");
}

/* The end is not held up; the thread that is left behind writes all lines if the disk answers after all. */
static void test_hanging_at_the_end(void **state) {
        Fixture *f = *state;
        usec_t now = wall(2026, 11, 25, 12, 0);
        size_t n_threads = folder_count("/proc/self/task");

        hanging = true;
        say(f, now, "a\n");
        turn_without_disk(f);
        wait_reached();
        say(f, now, "b\n");
        f->file = log_file_free(f->file);
        expect(f, "gemgate-2026-11-25.log", "");
        let_go();
        while (folder_count("/proc/self/task") == n_threads)
                (void) sched_yield();
        expect(f, "gemgate-2026-11-25.log", "a\nb\n");
        new_file(f);
}

/* --- the end --- */

static void test_nothing_lost_at_the_end(void **state) {
        Fixture *f = *state;

        say(f, wall(2026, 11, 25, 12, 0), "last words\n");
        f->file = log_file_free(f->file);
        expect(f, "gemgate-2026-11-25.log", "last words\n");
        new_file(f);
}

static void test_none(void **state) {
        Fixture *f = *state;

        assert_int_equal(log_file_configure(f->file, NULL, DAYS, wall(2026, 11, 25, 12, 0)), 0);
        say(f, wall(2026, 11, 25, 12, 0), "a\n");
        assert_int_not_equal(access(f->logs, F_OK), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_one_file_a_day, setup, teardown),
                cmocka_unit_test_setup_teardown(test_daylight_saving, setup, teardown),
                cmocka_unit_test_setup_teardown(test_spring, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retention_by_number, setup, teardown),
                cmocka_unit_test_setup_teardown(test_moved_away, setup, teardown),
                cmocka_unit_test_setup_teardown(test_deleted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_a_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
                cmocka_unit_test_setup_teardown(test_too_much, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_over_midnight, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bad_day, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_and_reload, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hanging, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hanging_and_reload, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hanging_at_the_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nothing_lost_at_the_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_none, setup, teardown),
        };

        if (pipe(reached) < 0 || pipe(gate) < 0)
                return EXIT_FAILURE;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
