/* SPDX-License-Identifier: MIT */

/* Pipes and sockets that nothing reads: the caller goes on, no line is cut, dropped lines are counted. */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/log-outlet.h"
#include "base/text.h"

#define LINES  20000U /* more than a pipe and the queue have room for */
#define LENGTH 100U

typedef struct Reader {
        int fd;
        char text[LINES * LENGTH];
        size_t n;
} Reader;

static Reader reader;

static void dropped(uint64_t n, Buf *out) {
        (void) buf_printf(out, "dropped %llu\n", (unsigned long long) n);
}

/* A line has its number at both ends. */
static void put_line(LogOutlet *o, unsigned i) {
        char line[LENGTH + 1];

        (void) snprintf(line, sizeof(line), "%08u%*s%08u\n", i, (int) LENGTH - 17, "", i);
        log_outlet_put(o, line, LENGTH);
}

/* Reads until the last line has come; it is not dropped, since the queue is empty before it is put. */
static void read_until(const char *last) {
        reader.n = 0;
        do {
                struct pollfd p = { .fd = reader.fd, .events = POLLIN };
                ssize_t k;

                assert_int_equal(poll(&p, 1, 20000), 1);
                k = read(reader.fd, reader.text + reader.n, sizeof(reader.text) - 1 - reader.n);
                assert_true(k > 0);
                reader.n += (size_t) k;
                reader.text[reader.n] = 0;
        } while (!strstr(reader.text, last));
}

/* Every line is whole and in order, and the count of lines and of dropped ones is right. */
static void check_lines(unsigned n_put) {
        unsigned n = 0, n_dropped = 0, before = 0, first, second;
        unsigned long long count;
        char *rest = reader.text, *line;

        while ((line = strsep(&rest, "\n")) && *line) {
                if (sscanf(line, "dropped %llu", &count) == 1) {
                        n_dropped += (unsigned) count;
                        continue;
                }
                assert_int_equal(strlen(line), LENGTH - 1);
                assert_int_equal(sscanf(line, "%8u%u", &first, &second), 2);
                assert_int_equal(first, second);
                assert_true(n == 0 || first > before);
                before = first;
                n++;
        }
        assert_true(n_dropped > 0);
        assert_int_equal(n + n_dropped, n_put);
}

static void fill_and_read(int read_fd, int write_fd) {
        int flags = fcntl(write_fd, F_GETFL);
        LogOutlet *o;

        reader.fd = read_fd;
        assert_int_equal(log_outlet_new_stream(write_fd, dropped, &o), 0);
        for (unsigned i = 0; i < LINES; i++)
                put_line(o, i);
        /* The flags are those of every process that has this pipe. */
        assert_int_equal(fcntl(write_fd, F_GETFL), flags);
        read_until("dropped");
        check_lines(LINES);

        put_line(o, LINES);
        read_until("00020000\n");
        assert_int_equal(reader.n, LENGTH);
}

static void test_pipe(void **state _unused_) {
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        fill_and_read(fds[0], fds[1]);
}

static void test_socket(void **state _unused_) {
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        fill_and_read(fds[0], fds[1]);
}

/* A pipe that cannot be opened again, as one of another user: write() of it waits. */
static ssize_t waiting_write(int fd, const char *p, size_t n) {
        ssize_t k = write(fd, p, n);

        return k < 0 ? -errno : k;
}

static void test_waiting_write(void **state _unused_) {
        LogOutlet *o;
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(log_outlet_new(&(LogOutletParams){ .fd = fds[1],
                                                            .write = waiting_write,
                                                            .dropped = dropped,
                                                            .waits = true },
                                        &o),
                         0);
        for (unsigned i = 0; i < LINES; i++)
                put_line(o, i);
        reader.fd = fds[0];
        read_until("dropped");
        check_lines(LINES);
}

/* A disk that takes two milliseconds for a line: many lines together cost a caller no more than one may. */
static ssize_t slow_write(int fd, const char *p, size_t n) {
        usec_t end = clock_monotonic() + 2 * USEC_PER_MSEC;

        while (clock_monotonic() < end)
                ;
        return waiting_write(fd, p, n);
}

static void test_slow_write(void **state _unused_) {
        usec_t began;
        LogOutlet *o;
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(log_outlet_new(&(LogOutletParams){ .fd = fds[1],
                                                            .write = slow_write,
                                                            .dropped = dropped,
                                                            .waits = true },
                                        &o),
                         0);
        began = clock_monotonic();
        for (unsigned i = 0; i < 200; i++)
                put_line(o, i);
        assert_true(clock_monotonic() - began < 200 * USEC_PER_MSEC); /* not 400 */
        reader.fd = fds[0];
        read_until("00000199\n");
        assert_int_equal(reader.n, 200 * LENGTH);
}

/* What waits at the end fits into the pipe, and a reader gets it later. */
static void test_end(void **state _unused_) {
        LogOutlet *o;
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(log_outlet_new_stream(fds[1], dropped, &o), 0);
        for (unsigned i = 0; i < LINES; i++)
                put_line(o, i);
        log_outlets_finish();
        reader.fd = fds[0];
        read_until("dropped");
        check_lines(LINES);
}

/* A reader that is gone: the next one that the lines reach gets the count of all lines before. */
static bool gone;

static ssize_t failing_write(int fd, const char *p, size_t n) {
        return gone ? -EPIPE : waiting_write(fd, p, n);
}

static void test_failure(void **state _unused_) {
        LogOutlet *o;
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(log_outlet_new(&(LogOutletParams){ .fd = fds[1],
                                                            .write = failing_write,
                                                            .dropped = dropped },
                                        &o),
                         0);
        gone = true;
        for (unsigned i = 0; i < 3; i++)
                put_line(o, i);
        log_outlets_finish(); /* the thread is idle */
        gone = false;
        put_line(o, 3);
        reader.fd = fds[0];
        read_until("00000003\n");
        assert_ptr_equal(strstr(reader.text, "dropped 3\n"), reader.text);
        check_lines(4);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pipe),          cmocka_unit_test(test_socket),
                cmocka_unit_test(test_waiting_write), cmocka_unit_test(test_end),
                cmocka_unit_test(test_failure),       cmocka_unit_test(test_slow_write),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
