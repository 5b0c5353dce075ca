/* SPDX-License-Identifier: MIT */

/* What a client may take: time for its head and body, and connections if its address is not welcome. */

#include "http-fixture.h"

#include <sys/socket.h>

#include "base/limits.h"
#include "io/listen.h"

static int setup_short_head(void **state) {
        return setup_with(state, 100 * USEC_PER_MSEC, USEC_PER_HOUR);
}

static int setup_short_body(void **state) {
        return setup_with(state, USEC_PER_HOUR, 100 * USEC_PER_MSEC);
}

/* --- clients that take their time --- */

/* A byte now and then does not prolong the time of a head. */
static void test_head_drips(void **state) {
        static const char head[] = "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ................................";
        Fixture *f = *state;

        for (unsigned answered = 0; answered < 2; answered++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                usec_t began;

                if (answered) {
                        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
                        TURN_UNTIL(f, f->n_complete == 1);
                        /* idle: not the time of a head */
                        assert_true(connection_of(f)->parked ||
                                    !list_is_linked(&connection_of(f)->due.link));
                }
                began = clock_monotonic();
                for (const char *p = head; *p && hear(fd, &b); p++) {
                        (void) send(fd, p, 1, MSG_NOSIGNAL);
                        TURN_UNTIL(f, clock_monotonic() >= began + (usec_t) (p - head) * 10 * USEC_PER_MSEC);
                }
                TURN_UNTIL(f, !hear(fd, &b));
                assert_true(has(&b, "HTTP/1.1 408 Request Timeout\r\n"));
                assert_true(has(&b, "Connection: close\r\nContent-Length: 10\r\n\r\n{\"late\":1}"));
                assert_in_range(clock_monotonic() - began, 100 * USEC_PER_MSEC, PATIENCE / 2);
                TURN_UNTIL(f, !connection_of(f));
        }
}

/* Who sends nothing is not answered. */
static void test_no_head(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);

        TURN_UNTIL(f, !hear(fd, &b));
        assert_int_equal(b.n, 0);
}

/* A request that waits for its answer, and an idle connection, are not late. */
static void test_answer_takes_its_time(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        usec_t began = clock_monotonic();

        f->hold = true;
        say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
        TURN_UNTIL(f, f->n_waiting == 1 && clock_monotonic() > began + 300 * USEC_PER_MSEC);
        reply_text(f->waiting[0], 200, "hello");
        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
        began = clock_monotonic();
        TURN_UNTIL(f, clock_monotonic() > began + 300 * USEC_PER_MSEC);
        assert_true(hear(fd, &b));
}

static void test_body_drips(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);

        f->max_body = 1 << 20;
        say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        while (hear(fd, &b)) {
                (void) send(fd, "x", 1, MSG_NOSIGNAL);
                assert_true(sd_event_run(loop_event(f->loop), USEC_PER_MSEC) >= 0);
        }
        assert_true(has(&b, "HTTP/1.1 408 Request Timeout\r\n") && has(&b, "\r\n\r\nno"));
        TURN_UNTIL(f, !connection_of(f));
        assert_int_equal(f->server->room.held, 0);
        assert_int_equal(f->n_body, 1);
        assert_int_equal(f->n_end, 1);
}

/* Enough in each window: several windows pass. Then nothing more comes, and the body is late. */
static void test_body_goes_on(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        static char piece[HTTP_BODY_WINDOW_MIN];
        HttpRequest *r;

        f->max_body = 1 << 20;
        say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        TURN_UNTIL(f, f->last);
        r = f->last;
        for (unsigned n = 0; n < 4; n++) {
                size_t sent = 0;

                while (sent < sizeof(piece)) {
                        ssize_t k = send(fd, piece, sizeof(piece) - sent, MSG_NOSIGNAL);

                        sent += k > 0 ? (size_t) k : 0;
                        assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
                }
                TURN_UNTIL(f, r->n_windows == n + 1);
        }
        TURN_UNTIL(f, !hear(fd, &b));
        assert_true(has(&b, " 408 "));
}

/* A body that is not wanted: a small one is dropped, a larger one is refused before it has come. */
static void test_body_is_skipped(void **state) {
        static const struct {
                const char *request, *status;
        } rows[] = {
                { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", " 200 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", " 200 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                  " 200 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\nfff\r\nx",
                  " 413 " },
        };
        Fixture *f = *state;

        f->skip = true;
        f->max_body = 5;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                bool open = true;

                say(fd, rows[i].request);
                TURN_UNTIL(f, !(open = hear(fd, &b)) || has(&b, "\r\n\r\n"));
                if (!has(&b, rows[i].status))
                        fail_msg("%s: %s", rows[i].request, b.n > 0 ? buf_cstr(&b) : "nothing");
                assert_int_equal(f->server->room.held, 0);
        }
}

/* --- clients that are not welcome --- */

/* One request, and the connection is closed. */
static void test_guest_is_answered_once(void **state) {
        static const struct {
                const char *request, *status;
        } rows[] = {
                { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", " 200 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", " 200 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", " 413 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", " 408 " },
                { "GET / HTTP/1.1\r\nHost:", " 408 " },
        };
        Fixture *f = *state;

        f->unwelcome = f->skip = true;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);

                say(fd, rows[i].request);
                TURN_UNTIL(f, !hear(fd, &b));
                if (!has(&b, rows[i].status) || !has(&b, "Connection: close"))
                        fail_msg("%s: %s", rows[i].request, b.n > 0 ? buf_cstr(&b) : "nothing");
        }
        TURN_UNTIL(f, !connection_of(f));
        assert_int_equal(f->n_full[HTTP_FULL_GUESTS], 0);
}

/* Guests have an eighth of all connections; the others have the rest and are not closed. */
static void test_guests_have_few_connections(void **state) {
        enum { ALL = 32, GUESTS = 4 };
        Fixture *f = *state;
        const HttpListener *l = list_entry(f->server->listeners.next, HttpListener, link);
        int guests[GUESTS + 1], others[ALL - GUESTS], late;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);

        f->server->params.max_connections = ALL;
        timeout_queue_set_duration(f->server->guest_due, USEC_PER_HOUR);
        f->unwelcome = true;
        for (size_t i = 0; i <= GUESTS; i++)
                guests[i] = dial(f);
        TURN_UNTIL(f, !hear(guests[GUESTS], &b));
        assert_int_equal(f->server->n_guests, GUESTS);
        assert_int_equal(f->n_full[HTTP_FULL_GUESTS], 1);

        f->unwelcome = false;
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                others[i] = dial(f);
        TURN_UNTIL(f, l->n_connections == ALL);
        assert_int_equal(f->server->n_guests, GUESTS);

        /* The limit of all: one more waits, until a guest has gone. */
        late = dial(f);
        say(late, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_full[HTTP_FULL_CONNECTIONS] > 0);
        for (unsigned i = 0; i < 10; i++)
                assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
        assert_true(hear(late, &b));
        assert_int_equal(b.n, 0);
        (void) close(guests[0]);
        TURN_UNTIL(f, hear(late, &b) && has(&b, "hello"));
        assert_int_equal(f->server->n_guests, GUESTS - 1);

        (void) close(late);
        for (size_t i = 1; i <= GUESTS; i++)
                (void) close(guests[i]);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                (void) close(others[i]);
        TURN_UNTIL(f, l->n_connections == 0);
        assert_int_equal(f->server->n_guests, 0);
}

static int dial_at(Fixture *f, const struct sockaddr_in *address) {
        f->address = *address;
        return dial(f);
}

/* The limits are those of all sockets together, and a place that is free on one is so for the others. */
static void test_limits_of_all_listeners(void **state) {
        enum { ALL = 16, GUESTS = 2 };
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        struct sockaddr_in addresses[2] = { f->address };
        socklen_t n = sizeof(addresses[1]);
        int fds[ALL], late, fd;

        assert_int_equal(listen_open("127.0.0.1:0", &fd), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &addresses[1], &n), 0);
        assert_int_equal(http_server_listen(f->server, fd), 0);
        f->server->params.max_connections = ALL;
        timeout_queue_set_duration(f->server->guest_due, USEC_PER_HOUR);

        f->unwelcome = true;
        for (size_t i = 0; i < GUESTS; i++)
                fds[i] = dial_at(f, &addresses[0]);
        TURN_UNTIL(f, f->server->n_guests == GUESTS);
        late = dial_at(f, &addresses[1]);
        TURN_UNTIL(f, !hear(late, &b));
        (void) close(late);
        assert_int_equal(f->n_full[HTTP_FULL_GUESTS], 1);

        f->unwelcome = false;
        for (size_t i = GUESTS; i < ALL; i++)
                fds[i] = dial_at(f, &addresses[i % 2]);
        TURN_UNTIL(f, f->server->n_connections == ALL);
        late = dial_at(f, &addresses[1]);
        say(late, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_full[HTTP_FULL_CONNECTIONS] > 0);
        for (unsigned i = 0; i < 10; i++)
                assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
        assert_true(hear(late, &b));
        assert_int_equal(b.n, 0);
        (void) close(fds[0]); /* of the other listener */
        TURN_UNTIL(f, hear(late, &b) && has(&b, "hello"));

        (void) close(late);
        for (size_t i = 1; i < ALL; i++)
                (void) close(fds[i]);
        TURN_UNTIL(f, f->server->n_connections == 0);
        assert_int_equal(f->server->n_guests, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_head_drips, setup_short_head, teardown),
                cmocka_unit_test_setup_teardown(test_no_head, setup_short_head, teardown),
                cmocka_unit_test_setup_teardown(test_answer_takes_its_time, setup_short_head, teardown),
                cmocka_unit_test_setup_teardown(test_body_drips, setup_short_body, teardown),
                cmocka_unit_test_setup_teardown(test_body_goes_on, setup_short_body, teardown),
                cmocka_unit_test_setup_teardown(test_body_is_skipped, setup, teardown),
                cmocka_unit_test_setup_teardown(test_guest_is_answered_once, setup, teardown),
                cmocka_unit_test_setup_teardown(test_guests_have_few_connections, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limits_of_all_listeners, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
