/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <netdb.h>
#include <netinet/tcp.h>

#include "base/limits-dial.h"
#include "dial-world.h"
#include "fake-names.h"
#include "folder.h"
#include "holes.h"

#define SECOND (1 * USEC_PER_SEC)
#define DELAY  (250 * USEC_PER_MSEC) /* between two addresses */

/* --- tests --- */

static void test_numeric(void **state _unused_) {
        _cleanup_close_ int four = -1, six = -1;
        static const char *const hosts[] = { "127.0.0.1", "::1", "[::1]", "127.1", "::ffff:127.0.0.1" };
        uint16_t port = 0;
        World w;
        Caller c;

        six = listen_on("::1", 8, &port);
        four = listen_on("::ffff:127.0.0.1", 8, &port);
        fake_names_set(NULL, 0);
        world_begin(&w, NULL);
        for (size_t i = 0; i < ELEMENTSOF(hosts); i++) {
                int on = 0;

                dial(&w, &c, &(DialParams){ hosts[i], port, .timeout = SECOND });
                assert_int_equal(world_counted(&w), 1);
                wait_for_end(&w, &c);
                assert_string_equal(c.cause, "");
                assert_int_equal(world_counted(&w), 1); /* the transport */
                assert_true(c.times.resolved > 0 && c.times.connected >= c.times.resolved);
                assert_int_equal(c.times.secured, 0);
                assert_int_equal(getsockopt(transport_fd(c.transport), IPPROTO_TCP, TCP_NODELAY, &on,
                                            &(socklen_t){ sizeof(on) }),
                                 0);
                assert_int_equal(on, 1);
                hang_up(&c);
        }
        assert_int_equal(fake_names_asked(), 0);
        world_done(&w);
}

static void test_failures(void **state _unused_) {
        static const FakeName names[] = {
                { "again.test", NULL, EAI_AGAIN },
                { "held.test", "127.0.0.1", .held = true },
                { "mixed.test", "2001:db8::1 127.0.0.1 2001:db8::2" },
                { "hole.test", "127.0.0.7" },
        };
        char long_name[RESOLVER_NAME_MAX + 2];
        uint16_t port = 0, closed = closed_port();
        Hole hole = hole_on("::ffff:127.0.0.7", &port);
        const struct {
                const char *host;
                uint16_t port;
                usec_t timeout;
                const char *cause;
        } rows[] = {
                { "127.0.0.1", closed, SECOND, "Connection refused (127.0.0.1 port " },
                { "unknown.test", 1, SECOND,
                  "Could not resolve host: unknown.test (Name or service not known)" },
                { "again.test", 1, SECOND,
                  "Could not resolve host: again.test (Temporary failure in name resolution)" },
                { "held.test", 1, SECOND / 20,
                  "Could not resolve host: held.test (no answer within CONNECT_TIMEOUT)" },
                { "hole.test", port, SECOND / 2, "no connection within CONNECT_TIMEOUT (hole.test port " },
                /* that there is no route to IPv6 does not explain it */
                { "mixed.test", closed, 5 * SECOND, "Connection refused (mixed.test port " },
                { long_name, 1, SECOND, "Could not resolve host: aaaaaaaa" },
                { "", 1, SECOND, "Could not resolve host: " },
        };
        World w;

        memset(long_name, 'a', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = 0;
        fake_names_set(names, ELEMENTSOF(names));
        world_begin(&w, NULL);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                usec_t begin = loop_now(w.loop); /* that the time-out counts from */
                Caller c;

                dial(&w, &c, &(DialParams){ rows[i].host, rows[i].port, .timeout = rows[i].timeout });
                wait_for_end(&w, &c);
                assert_null(c.transport);
                if (!startswith(c.cause, rows[i].cause))
                        assert_string_equal(c.cause, rows[i].cause);
                assert_true(rows[i].timeout >= SECOND || clock_monotonic() >= begin + rows[i].timeout);
                hang_up(&c);
        }
        world_done(&w);
        fake_names_end(0);
        hole_done(&hole);
}

/* Each address beside the first counts as another descriptor; without one it is not tried. */
static void test_addresses_count(void **state _unused_) {
        static const FakeName name = { "a.test", "127.0.0.7 127.0.0.8 127.0.0.1" };
        static const struct {
                size_t limit; /* leaves room for half of it */
                size_t counts;
                bool connects;
        } rows[] = { { 2, 1, false }, { 4, 2, false }, { 6, 1, true } };
        uint16_t port = 0;
        int four = listen_on("::ffff:127.0.0.1", 64, &port);
        Hole seven = hole_on("::ffff:127.0.0.7", &port), eight = hole_on("::ffff:127.0.0.8", &port);

        fake_names_set(&name, 1);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                World w;
                Caller c;

                world_begin(&w, NULL);
                descriptors_set_limit(loop_descriptors(w.loop), rows[i].limit);
                dial(&w, &c, &(DialParams){ "a.test", port, .timeout = 30 * SECOND });
                if (rows[i].connects)
                        wait_for_end(&w, &c);
                else
                        while (world_counted(&w) < rows[i].counts)
                                turn(&w, 10 * SECOND);
                for (unsigned k = 0; k < 3 && !rows[i].connects; k++) {
                        turn(&w, 10 * SECOND); /* the next address has its time again */
                        assert_int_equal(world_counted(&w), rows[i].counts);
                }
                assert_int_equal(!!c.transport, rows[i].connects);
                assert_int_equal(world_counted(&w), rows[i].counts);
                hang_up(&c);
                world_done(&w);
        }
        fake_names_end(0);
        hole_done(&seven);
        hole_done(&eight);
        (void) close(four);
}

/* The first address that answers is taken. */
static void test_addresses(void **state _unused_) {
        static const struct {
                const char *addresses;
                unsigned delays; /* that it takes */
                const char *taken;
        } rows[] = {
                { "127.0.0.1", 0, "127.0.0.1" },
                { "127.0.0.9 127.0.0.1", 0, "127.0.0.1" },           /* refused, then at once */
                { "127.0.0.7 127.0.0.1", 1, "127.0.0.1" },           /* silent */
                { "127.0.0.7 127.0.0.9 127.0.0.1", 1, "127.0.0.1" }, /* silent, refused */
                { "127.0.0.7 127.0.0.8 127.0.0.1", 2, "127.0.0.1" },
                { "::1 127.0.0.1", 0, "::1" },
                { "127.0.0.7 127.0.0.8 ::1", 1, "::1" }, /* the other family comes before the second */
                { "127.0.0.9 127.0.0.9 127.0.0.9 127.0.0.9 127.0.0.9 127.0.0.9 127.0.0.9 127.0.0.1", 0,
                  "127.0.0.1" },
        };
        uint16_t port = 0;
        int six = listen_on("::1", 64, &port), four = listen_on("::ffff:127.0.0.1", 64, &port);
        Hole seven = hole_on("::ffff:127.0.0.7", &port), eight = hole_on("::ffff:127.0.0.8", &port);
        unsigned n_late = 0;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const FakeName name = { "a.test", rows[i].addresses };
                const char *taken = rows[i].taken;
                char text[INET6_ADDRSTRLEN + 1];
                struct sockaddr_storage a;
                socklen_t n = sizeof(a);
                World w;
                Caller c;

                fake_names_set(&name, 1);
                world_begin(&w, NULL);
                dial(&w, &c, &(DialParams){ "a.test", port, .timeout = 10 * SECOND });
                wait_for_end(&w, &c);
                assert_string_equal(c.cause, "");
                assert_true(c.times.connected - c.times.resolved >= rows[i].delays * DELAY);
                if (c.times.connected - c.times.resolved >= (rows[i].delays + 1) * DELAY) {
                        assert_true(n_late++ < 3); /* the machine is busy: once more */
                        i--;
                }
                assert_int_equal(getpeername(transport_fd(c.transport), (struct sockaddr *) &a, &n), 0);
                assert_int_equal(getnameinfo((struct sockaddr *) &a, n, text, sizeof(text), NULL, 0,
                                             NI_NUMERICHOST),
                                 0);
                assert_string_equal(text, taken);
                hang_up(&c);
                world_done(&w);
        }
        fake_names_end(0);
        hole_done(&seven);
        hole_done(&eight);
        (void) close(four);
        (void) close(six);
}

/* An IPv6 that is silent delays the first connection, and no others. */
static void test_silent_family(void **state _unused_) {
        static const FakeName name = { "a.test", "::1 127.0.0.1" };
        _cleanup_close_ int fd = -1;
        uint16_t port = 0;
        Hole hole;
        World w;
        Caller c;

        hole = hole_on("::1", &port);
        fd = listen_on("::ffff:127.0.0.1", 64, &port);
        fake_names_set(&name, 1);
        world_begin(&w, NULL);
        for (unsigned i = 0, n_late = 0; i < 5; i++) {
                dial(&w, &c, &(DialParams){ "a.test", port, .timeout = 10 * SECOND });
                wait_for_end(&w, &c);
                assert_string_equal(c.cause, "");
                assert_int_equal(fake_names_asked(), 1);
                if (i == 0)
                        assert_true(c.times.connected - c.times.resolved >= DELAY);
                else if (c.times.connected - c.times.resolved >= DELAY)
                        assert_true(n_late++ < 2); /* the machine is busy */
                hang_up(&c);
        }
        world_done(&w);
        fake_names_end(0);
        hole_done(&hole);
}

/* If no address answers, the next dial has the name looked up. */
static void test_moved(void **state _unused_) {
        static const FakeName old = { "a.test", "127.0.0.9" }, moved = { "a.test", "127.0.0.1" };
        _cleanup_close_ int fd = -1;
        uint16_t port = 0;
        World w;
        Caller c;

        fd = listen_on("::ffff:127.0.0.1", 8, &port);
        fake_names_set(&old, 1);
        world_begin(&w, NULL);
        dial(&w, &c, &(DialParams){ "a.test", port, .timeout = SECOND });
        wait_for_end(&w, &c);
        assert_null(c.transport);
        hang_up(&c);
        fake_names_set(&moved, 1);
        dial(&w, &c, &(DialParams){ "a.test", port, .timeout = SECOND });
        wait_for_end(&w, &c);
        assert_non_null(c.transport);
        hang_up(&c);
        world_done(&w);
        fake_names_end(0);
}

/* A cancelled dial has no end. */
static void test_cancel(void **state _unused_) {
        static const FakeName names[] = { { "held.test", "127.0.0.1", .held = true },
                                          { "hole.test", "127.0.0.7" } };
        _cleanup_close_ int fd = -1;
        size_t n_fds = folder_count("/proc/self/fd");
        uint16_t port = 0;
        Caller resolving, connecting, ended;
        Hole hole;
        World w;

        fd = listen_on("::ffff:127.0.0.1", 8, &port);
        hole = hole_on("::ffff:127.0.0.7", &port);
        fake_names_set(names, ELEMENTSOF(names));
        world_begin(&w, NULL);
        dial(&w, &resolving, &(DialParams){ "held.test", port, .timeout = SECOND });
        dial(&w, &connecting, &(DialParams){ "hole.test", port, .timeout = SECOND });
        fake_names_wait(2);
        turn(&w, SECOND);
        dial(&w, &ended, &(DialParams){ "127.0.0.1", port, .timeout = SECOND });
        hang_up(&resolving);
        hang_up(&connecting);
        hang_up(&ended);
        fake_names_release();
        for (unsigned i = 0; i < 5; i++)
                turn(&w, SECOND / 100);
        assert_int_equal(resolving.n_ends + connecting.n_ends + ended.n_ends, 0);
        world_done(&w);
        fake_names_end(0);
        hole_done(&hole);
        fd = safe_close(fd);
        assert_int_equal(folder_count("/proc/self/fd"), n_fds);
}

/* Owners may free any dial in the callback, and begin others. */
typedef struct Chain {
        World *w;
        Caller callers[3];
        uint16_t port;
        unsigned n_more;
} Chain;

static void begin_chain(Chain *h, Caller *c);

static void on_chain(Transport *t, const DialTimes *times _unused_, const char *cause _unused_,
                     void *userdata) {
        Chain *h = userdata;

        assert_null(t);
        for (size_t i = 0; i < ELEMENTSOF(h->callers); i++)
                h->callers[i].dial = dial_free(h->callers[i].dial);
        if (h->n_more-- > 0)
                begin_chain(h, &h->callers[0]);
}

static void begin_chain(Chain *h, Caller *c) {
        const DialParams p = { "127.0.0.1", h->port, .timeout = SECOND };

        assert_int_equal(dial_start(h->w->dialer, &p, on_chain, h, &c->dial), 0);
}

static void test_callback(void **state _unused_) {
        World w;
        Chain h = { .w = &w, .port = closed_port(), .n_more = 50 };

        world_begin(&w, NULL);
        for (size_t i = 0; i < ELEMENTSOF(h.callers); i++)
                begin_chain(&h, &h.callers[i]);
        while (h.callers[0].dial)
                turn(&w, SECOND);
        world_done(&w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numeric),   cmocka_unit_test(test_failures),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_addresses_count), cmocka_unit_test(test_moved),
                cmocka_unit_test(test_cancel),    cmocka_unit_test(test_callback),
                cmocka_unit_test(test_silent_family),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
