/* SPDX-License-Identifier: MIT */

/* One end of a socket pair is the stream's, the other is written and read by hand. */
#include "test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "io/line-stream.h"

#define LINE_MAX_HERE 1000U

typedef struct Fixture {
        Loop *loop;
        LineStream *stream;
        int peer;
        Buf heard; /* every line, and a | behind it */
        unsigned n_lines, n_closed;
        int error;
        unsigned pause_at, free_at; /* in the line of that number; 0: never */
} Fixture;

static void on_line(const char *s, size_t n, void *userdata) {
        Fixture *f = userdata;

        assert_int_equal(f->n_closed, 0);
        f->n_lines++;
        assert_int_equal(buf_append(&f->heard, s, n), 0);
        assert_int_equal(buf_putc(&f->heard, '|'), 0);
        if (f->n_lines == f->pause_at)
                line_stream_pause(f->stream, true);
        if (f->n_lines == f->free_at)
                f->stream = line_stream_free(f->stream);
}

static void on_closed(int error, void *userdata) {
        Fixture *f = userdata;

        f->n_closed++;
        f->error = error;
        f->stream = line_stream_free(f->stream);
}

static int setup(void **state) {
        static const LineStreamOps ops = { .line = on_line, .closed = on_closed };
        Fixture *f = calloc(1, sizeof(Fixture));
        int pair[2];

        assert_non_null(f);
        f->heard = BUF_INIT(64U << 20);
        assert_int_equal(loop_new(&f->loop), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        f->peer = pair[1];
        assert_int_equal(line_stream_new(f->loop, pair[0], LINE_MAX_HERE, &ops, f, &f->stream), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        line_stream_free(f->stream);
        (void) safe_close(f->peer);
        buf_done(&f->heard);
        loop_free(f->loop);
        free(f);
        return 0;
}

/* Until nothing is left to do. */
static void turns(Fixture *f) {
        int r;

        while ((r = sd_event_run(loop_event(f->loop), 0)) > 0)
                ;
        assert_int_equal(r, 0);
}

static void say(Fixture *f, const char *s, size_t n) {
        assert_int_equal(send(f->peer, s, n, MSG_NOSIGNAL), n);
        turns(f);
}

static void hang_up(Fixture *f) {
        f->peer = safe_close(f->peer);
}

static void expect(Fixture *f, const char *heard) {
        assert_string_equal(f->heard.n > 0 ? buf_cstr(&f->heard) : "", heard);
}

/* Pieces as they arrive, and the calls after all of them. */
static void test_lines(void **state) {
        static const struct {
                const char *pieces[5];
                const char *heard;
        } table[] = {
                { { "a\n" }, "a|" },
                { { "a", "b", "\n" }, "ab|" },
                { { "a\nb\nc\n" }, "a|b|c|" },
                { { "a\nb", "\nc", "\n" }, "a|b|c|" },
                { { "\n" }, "|" },
                { { "\n\n", "\n" }, "|||" },
                { { "a\r\n" }, "a\r|" },
                { { "a", "\n\nb", "\n" }, "a||b|" },
                { { "no end" }, "" },
                { { "a\nno end" }, "a|" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                void *each;
                Fixture *f;

                setup(&each);
                f = each;
                for (size_t k = 0; k < ELEMENTSOF(table[i].pieces) && table[i].pieces[k]; k++)
                        say(f, table[i].pieces[k], strlen(table[i].pieces[k]));
                expect(f, table[i].heard);
                assert_int_equal(f->n_closed, 0);
                hang_up(f);
                turns(f);
                expect(f, table[i].heard); /* a line without an end is lost */
                assert_int_equal(f->n_closed, 1);
                assert_int_equal(f->error, 0);
                teardown(&each);
        }
}

static void test_holds_any_byte(void **state) {
        Fixture *f = *state;

        say(f, "a\0b\xff\n", 5);
        assert_int_equal(f->heard.n, 5);
        assert_memory_equal(buf_data(&f->heard), "a\0b\xff|", 5);
}

/* Lines that arrive before the end are delivered before it. */
static void test_last_words(void **state) {
        Fixture *f = *state;

        assert_int_equal(send(f->peer, "a\nb\n", 4, 0), 4);
        hang_up(f);
        turns(f);
        expect(f, "a|b|");
        assert_int_equal(f->n_closed, 1);
        assert_int_equal(f->error, 0);
}

/* The other side refuses, writes why and closes, with most of the data unread: its line is delivered, and
 * there is no error. */
static void test_last_words_of_one_who_does_not_read(void **state) {
        _cleanup_free_ char *much = calloc(1, 4U << 20);
        Fixture *f = *state;

        assert_non_null(much);
        memset(much, 'x', 4U << 20);
        line_stream_write(f->stream, much, 4U << 20);
        turns(f);
        assert_int_equal(send(f->peer, "no\n", 3, 0), 3);
        hang_up(f);
        turns(f);
        expect(f, "no|");
        assert_int_equal(f->n_closed, 1);
        assert_int_equal(f->error, 0);
}

/* The same, when it was gone before it was sent anything. */
static void test_last_words_of_one_who_is_gone(void **state) {
        Fixture *f = *state;

        assert_int_equal(send(f->peer, "no\n", 3, 0), 3);
        hang_up(f);
        line_stream_write(f->stream, "x", 1);
        line_stream_write(f->stream, "y", 1);
        assert_int_equal(f->n_closed, 0); /* in its turn */
        turns(f);
        expect(f, "no|");
        assert_int_equal(f->n_closed, 1);
        assert_int_equal(f->error, 0);
}

static void test_ceiling(void **state) {
        static const struct {
                size_t n;
                bool ended, refused;
        } table[] = {
                { LINE_MAX_HERE, true, false },
                { LINE_MAX_HERE, false, false },
                { LINE_MAX_HERE + 1, true, true },
                { LINE_MAX_HERE + 1, false, true },
                { 100000, true, true },
                { 100000, false, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_free_ char *line = malloc(table[i].n + 3);
                void *each;
                Fixture *f;

                assert_non_null(line);
                memset(line, 'x', table[i].n + 3);
                memcpy(line, "a\n", 2);
                line[table[i].n + 2] = '\n';
                setup(&each);
                f = each;
                say(f, line, table[i].n + 2 + table[i].ended);
                assert_int_equal(f->n_closed, table[i].refused);
                assert_int_equal(f->n_lines, 1 + (table[i].ended && !table[i].refused));
                if (table[i].refused)
                        assert_int_equal(f->error, -E2BIG);
                teardown(&each);
        }
}

/* However much comes: the ceiling is one line's. */
static void test_many_lines(void **state) {
        static const char piece[] = "0123456789abcdef0123456789abcde\n";
        Fixture *f = *state;
        char block[64 * 32];

        for (size_t i = 0; i < 64; i++)
                memcpy(block + 32 * i, piece, 32);
        for (size_t i = 0; i < 500; i++)
                say(f, block, sizeof(block));
        assert_int_equal(f->n_lines, 500 * 64);
        assert_int_equal(f->n_closed, 0);
}

static void test_pause(void **state) {
        Fixture *f = *state;

        f->pause_at = 2;
        say(f, "a\nb\nc\nd", 7);
        expect(f, "a|b|");
        say(f, "e\n", 2);
        expect(f, "a|b|");
        line_stream_pause(f->stream, false);
        expect(f, "a|b|"); /* not inside the call */
        turns(f);
        expect(f, "a|b|c|de|");
}

/* It is paused in the callback, or it goes on and stops at the next line. */
static void test_pause_again(void **state) {
        Fixture *f = *state;

        line_stream_pause(f->stream, true);
        line_stream_pause(f->stream, false);
        line_stream_pause(f->stream, true);
        say(f, "a\nb\n", 4);
        expect(f, "");
        f->pause_at = 1;
        line_stream_pause(f->stream, false);
        turns(f);
        expect(f, "a|");
        line_stream_pause(f->stream, false);
        turns(f);
        expect(f, "a|b|");
}

/* A hang-up during a pause is delivered behind the lines that came before it, and does not keep the loop
 * busy until then, even if there is something to write. */
static void test_hang_up_in_a_pause(void **state) {
        static const bool writes[] = { false, true };

        for (size_t i = 0; i < ELEMENTSOF(writes); i++) {
                _cleanup_free_ char *much = calloc(1, 4U << 20);
                void *each;
                Fixture *f;

                assert_non_null(much);
                setup(&each);
                f = each;
                f->pause_at = 1;
                if (writes[i])
                        line_stream_write(f->stream, much, 4U << 20);
                say(f, "a\nb\n", 4);
                say(f, "c\n", 2);
                hang_up(f);
                turns(f);
                expect(f, "a|");
                assert_int_equal(f->n_closed, 0);
                line_stream_pause(f->stream, false);
                turns(f);
                expect(f, "a|b|c|");
                assert_int_equal(f->n_closed, 1);
                assert_int_equal(f->error, 0);
                teardown(&each);
        }
}

/* Paused, it takes nothing: the other side's socket becomes full. */
static void test_pause_stalls(void **state) {
        static const char block[4096] = "x";
        size_t total = 0;
        Fixture *f = *state;
        ssize_t k;

        line_stream_pause(f->stream, true);
        while ((k = send(f->peer, block, sizeof(block), MSG_DONTWAIT)) > 0) {
                total += (size_t) k;
                turns(f);
                assert_true(total < 16U << 20);
        }
        assert_int_equal(errno, EAGAIN);
}

static void test_free_in_a_line(void **state) {
        Fixture *f = *state;

        f->free_at = 2;
        say(f, "a\nb\nc\n", 6);
        expect(f, "a|b|");
        assert_null(f->stream);
        assert_int_equal(f->n_closed, 0);
}

static void test_free_in_a_line_after_a_pause(void **state) {
        Fixture *f = *state;

        f->pause_at = 1;
        f->free_at = 2;
        say(f, "a\nb\nc\n", 6);
        line_stream_pause(f->stream, false);
        turns(f);
        expect(f, "a|b|");
        assert_null(f->stream);
}

static void test_free_while_resuming(void **state) {
        Fixture *f = *state;

        f->pause_at = 1;
        say(f, "a\nb\n", 4);
        line_stream_pause(f->stream, false);
        f->stream = line_stream_free(f->stream);
        turns(f);
        expect(f, "a|");
}

/* As much as the other side takes, in order and whole. */
static void test_write(void **state) {
        _cleanup_free_ char *much = malloc(4U << 20), *got = malloc((4U << 20) + 16);
        Fixture *f = *state;
        size_t n = 0;

        assert_non_null(much);
        assert_non_null(got);
        for (size_t i = 0; i < 4U << 20; i++)
                much[i] = (char) ('a' + i % 23);
        line_stream_write(f->stream, "one", 3);
        line_stream_write(f->stream, much, 4U << 20);
        line_stream_write(f->stream, "", 0);
        line_stream_write(f->stream, "two", 3);
        while (n < (4U << 20) + 10) {
                ssize_t k = recv(f->peer, got + n, (4U << 20) + 16 - n, MSG_DONTWAIT);

                if (k < 0)
                        assert_int_equal(errno, EAGAIN);
                else
                        n += (size_t) k;
                turns(f);
        }
        assert_int_equal(n, (4U << 20) + 10);
        assert_memory_equal(got, "one\n", 4);
        assert_memory_equal(got + 4, much, 4U << 20);
        assert_memory_equal(got + 4 + (4U << 20), "\n\ntwo\n", 6);
        say(f, "a\n", 2);
        expect(f, "a|");
}

static void test_connect(void **state) {
        char dir[] = "/tmp/line-stream-XXXXXX", path[64], long_path[200];
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int listener = -1, fd = -1;
        int none;

        assert_non_null(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/s", dir);
        assert_int_equal(line_stream_connect(path, &none), -ENOENT);
        memset(long_path, 'a', sizeof(long_path) - 1);
        long_path[sizeof(long_path) - 1] = 0;
        assert_int_equal(line_stream_connect(long_path, &none), -ENAMETOOLONG);

        memcpy(a.sun_path, path, strlen(path) + 1);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (struct sockaddr *) &a, sizeof(a)), 0);
        assert_int_equal(line_stream_connect(path, &none), -ECONNREFUSED);
        assert_int_equal(listen(listener, 8), 0);
        assert_int_equal(line_stream_connect(path, &fd), 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        (void) unlink(path);
        (void) rmdir(dir);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test_setup_teardown(test_holds_any_byte, setup, teardown),
                cmocka_unit_test_setup_teardown(test_last_words, setup, teardown),
                cmocka_unit_test_setup_teardown(test_last_words_of_one_who_does_not_read, setup, teardown),
                cmocka_unit_test_setup_teardown(test_last_words_of_one_who_is_gone, setup, teardown),
                cmocka_unit_test(test_ceiling),
                cmocka_unit_test_setup_teardown(test_many_lines, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pause, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pause_again, setup, teardown),
                cmocka_unit_test(test_hang_up_in_a_pause),
                cmocka_unit_test_setup_teardown(test_pause_stalls, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_in_a_line, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_in_a_line_after_a_pause, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_while_resuming, setup, teardown),
                cmocka_unit_test_setup_teardown(test_write, setup, teardown),
                cmocka_unit_test(test_connect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
