/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <systemd/sd-event.h>

#include "base/limits-dial.h"
#include "base/text.h"
#include "fake-names.h"
#include "io/resolver.h"

usec_t __wrap_clock_monotonic(void);
usec_t __real_clock_monotonic(void);
static usec_t later; /* is added to the time */

usec_t __wrap_clock_monotonic(void) {
        return __real_clock_monotonic() + later;
}

typedef struct Asker {
        ResolverWait wait;
        ResolverAnswer *answer;
        unsigned n_answers;
} Asker;

typedef struct World {
        Loop *loop;
        Resolver *resolver;
} World;

static World world_new(const FakeName *names, size_t n) {
        World w = {};

        later = 0;
        fake_names_set(names, n);
        assert_int_equal(loop_new(&w.loop), 0);
        assert_int_equal(resolver_new(w.loop, &w.resolver), 0);
        return w;
}

static void world_done(World *w) {
        w->resolver = resolver_free(w->resolver);
        w->loop = loop_free(w->loop);
        fake_names_end(0);
}

static void on_answer(ResolverWait *w, ResolverAnswer *a) {
        Asker *asker = CONTAINER_OF(w, Asker, wait);

        asker->answer = resolver_answer_unref(asker->answer);
        asker->answer = a;
        asker->n_answers++;
}

static int ask(World *w, Asker *a, const char *host) {
        *a = (Asker){};
        a->wait = RESOLVER_WAIT_INIT(a->wait);
        return resolver_ask(w->resolver, host, &a->wait, on_answer, &a->answer);
}

static void wait_for(World *w, const Asker *a) {
        while (a->n_answers == 0)
                assert_true(sd_event_run(loop_event(w->loop), 10 * USEC_PER_SEC) > 0);
}

static void drop(Asker *a) {
        a->answer = resolver_answer_unref(a->answer);
}

static const char *text_of(const ResolverAnswer *a, char ret[static 1024]) {
        size_t n = 0;

        ret[0] = 0;
        for (size_t i = 0; i < a->n; i++) {
                const ResolverAddress *x = &a->addresses[i];
                char one[INET6_ADDRSTRLEN];

                (void) inet_ntop(x->any.sa_family,
                                 x->any.sa_family == AF_INET ? (const void *) &x->four.sin_addr :
                                                               (const void *) &x->six.sin6_addr,
                                 one, sizeof(one));
                n = text_append(ret, 1024, n, i > 0 ? " " : "");
                n = text_append(ret, 1024, n, one);
        }
        return ret;
}

/* --- tests --- */

static void test_numeric(void **state _unused_) {
        static const char *const rows[] = { "127.0.0.1", "::1", "2001:db8::7", "fe80::1%lo" };
        World w = world_new(NULL, 0);
        char text[1024];
        Asker a;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(ask(&w, &a, rows[i]), 1);
                assert_int_equal(a.answer->error, 0);
                assert_int_equal(a.answer->n, 1);
                assert_non_null(startswith(rows[i], text_of(a.answer, text)));
                if (strchr(rows[i], '%'))
                        assert_int_not_equal(a.answer->addresses[0].six.sin6_scope_id, 0);
                drop(&a);
        }
        assert_int_equal(ask(&w, &a, "LocalHost"), 1);
        assert_string_equal(text_of(a.answer, text), "::1 127.0.0.1");
        drop(&a);
        assert_int_equal(ask(&w, &a, "localhost."), 1);
        drop(&a);
        assert_int_equal(fake_names_asked(), 0);
        assert_int_equal(fake_names_threads(), 0);
        world_done(&w);
}

#define TEN4 "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 10.0.0.10"

static void test_order(void **state _unused_) {
        static const struct {
                const char *given, *expected;
        } rows[] = {
                { "10.0.0.1", "10.0.0.1" },
                { "::1 ::2 ::3 10.0.0.1", "::1 10.0.0.1 ::2 ::3" },
                { "10.0.0.1 10.0.0.2 ::1 ::2", "10.0.0.1 ::1 10.0.0.2 ::2" },
                /* The ceiling leaves out none of the families. */
                { TEN4 " " TEN4 " ::1",
                  "10.0.0.1 ::1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 "
                  "10.0.0.10 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const FakeName name = { "a.test", rows[i].given };
                World w = world_new(&name, 1);
                char text[1024];
                Asker a;

                assert_int_equal(ask(&w, &a, "a.test"), 0);
                wait_for(&w, &a);
                assert_string_equal(text_of(a.answer, text), rows[i].expected);
                drop(&a);
                world_done(&w);
        }
}

static void test_kept(void **state _unused_) {
        static const FakeName names[] = { { "a.test", "10.0.0.1" }, { "b.test", NULL, EAI_AGAIN } };
        World w = world_new(names, ELEMENTSOF(names));
        Asker a, b;

        assert_int_equal(ask(&w, &a, "a.test"), 0);
        assert_int_equal(ask(&w, &b, "b.test"), 0);
        wait_for(&w, &a);
        wait_for(&w, &b);
        assert_int_equal(b.answer->error, EAI_AGAIN);
        assert_string_equal(resolver_answer_words(b.answer), gai_strerror(EAI_AGAIN));
        drop(&a);
        drop(&b);

        later = 900 * USEC_PER_MSEC;
        assert_int_equal(ask(&w, &a, "A.test"), 1);
        assert_int_equal(ask(&w, &b, "b.test"), 1);
        drop(&b);
        assert_int_equal(fake_names_asked(), 2);

        later = 30 * USEC_PER_SEC; /* a failure is forgotten, what is good is not */
        drop(&a);
        assert_int_equal(ask(&w, &a, "a.test"), 1);
        assert_int_equal(ask(&w, &b, "b.test"), 0);
        wait_for(&w, &b);
        drop(&b);

        resolver_forget(w.resolver, a.answer); /* leads nowhere */
        drop(&a);
        assert_int_equal(ask(&w, &a, "a.test"), 0);
        wait_for(&w, &a);
        drop(&a);
        later = 95 * USEC_PER_SEC;
        assert_int_equal(ask(&w, &a, "a.test"), 0);
        wait_for(&w, &a);
        drop(&a);
        assert_int_equal(fake_names_asked(), 5);
        world_done(&w);
}

static void test_failures(void **state _unused_) {
        static const FakeName names[] = { { "a.test", NULL, EAI_SYSTEM, EMFILE } };
        World w = world_new(names, ELEMENTSOF(names));
        char long_name[RESOLVER_NAME_MAX + 2];
        Asker a;

        assert_int_equal(ask(&w, &a, "a.test"), 0);
        wait_for(&w, &a);
        assert_string_equal(resolver_answer_words(a.answer), strerrordesc_np(EMFILE));
        drop(&a);
        assert_int_equal(ask(&w, &a, "unknown.test"), 0);
        wait_for(&w, &a);
        assert_int_equal(a.answer->error, EAI_NONAME);
        drop(&a);
        memset(long_name, 'a', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = 0;
        assert_int_equal(ask(&w, &a, long_name), -ENAMETOOLONG);
        world_done(&w);
}

/* The address that has answered comes first, for later dials only. */
static void test_preferred(void **state _unused_) {
        static const FakeName name = { "a.test", "::1 ::2 10.0.0.1 10.0.0.2" };
        World w = world_new(&name, 1);
        char text[1024];
        Asker a, b;

        assert_int_equal(ask(&w, &a, "a.test"), 0);
        wait_for(&w, &a);
        assert_string_equal(text_of(a.answer, text), "::1 10.0.0.1 ::2 10.0.0.2");
        resolver_prefer(w.resolver, a.answer, 0);
        resolver_prefer(w.resolver, a.answer, 2);
        assert_string_equal(text_of(a.answer, text), "::1 10.0.0.1 ::2 10.0.0.2");
        resolver_prefer(w.resolver, a.answer, 1); /* of an answer that is kept no longer */
        assert_int_equal(ask(&w, &b, "a.test"), 1);
        assert_string_equal(text_of(b.answer, text), "::2 ::1 10.0.0.1 10.0.0.2");
        drop(&a);
        resolver_prefer(w.resolver, b.answer, 3);
        drop(&b);
        assert_int_equal(ask(&w, &b, "a.test"), 1);
        assert_string_equal(text_of(b.answer, text), "10.0.0.2 ::2 ::1 10.0.0.1");
        drop(&b);
        world_done(&w);
}

/* All dials to a name have one look-up, which goes on when they are cancelled. */
static void test_shared(void **state _unused_) {
        static const FakeName names[] = { { "a.test", "10.0.0.1", .held = true } };
        World w = world_new(names, ELEMENTSOF(names));
        Asker a, b, c;

        assert_int_equal(ask(&w, &a, "a.test"), 0);
        assert_int_equal(ask(&w, &b, "a.test"), 0);
        resolver_stop(&a.wait);
        fake_names_release();
        wait_for(&w, &b);
        assert_int_equal(a.n_answers, 0);
        assert_int_equal(b.n_answers, 1);
        assert_int_equal(fake_names_asked(), 1);
        drop(&b);
        assert_int_equal(ask(&w, &c, "a.test"), 1);
        drop(&c);
        world_done(&w);
}

/* Names whose servers are silent hold up others only when they take all threads. */
static void test_silent(void **state _unused_) {
        static char hosts[RESOLVER_THREADS_MAX][16];
        static FakeName names[RESOLVER_THREADS_MAX + 1];
        Asker silent[RESOLVER_THREADS_MAX], a, b;
        World w;

        for (unsigned i = 0; i < RESOLVER_THREADS_MAX; i++) {
                (void) snprintf(hosts[i], sizeof(hosts[i]), "s%u.test", i);
                names[i] = (FakeName){ hosts[i], "10.0.0.1", .held = true };
        }
        names[RESOLVER_THREADS_MAX] = (FakeName){ "a.test", "10.0.0.1" };
        w = world_new(names, ELEMENTSOF(names));
        for (unsigned i = 0; i + 1 < RESOLVER_THREADS_MAX; i++)
                assert_int_equal(ask(&w, &silent[i], hosts[i]), 0);
        assert_int_equal(ask(&w, &a, "a.test"), 0);
        wait_for(&w, &a);
        drop(&a);

        assert_int_equal(ask(&w, &silent[RESOLVER_THREADS_MAX - 1], hosts[RESOLVER_THREADS_MAX - 1]), 0);
        fake_names_wait(RESOLVER_THREADS_MAX + 1);
        assert_int_equal(ask(&w, &b, "b.test"), 0);
        assert_true(fake_names_threads() <= RESOLVER_THREADS_MAX);
        assert_int_equal(fake_names_asked(), RESOLVER_THREADS_MAX + 1);
        fake_names_release();
        wait_for(&w, &b);
        drop(&b);
        for (unsigned i = 0; i < RESOLVER_THREADS_MAX; i++) {
                wait_for(&w, &silent[i]);
                drop(&silent[i]);
        }
        world_done(&w);
}

static void test_ceiling(void **state _unused_) {
        static char hosts[RESOLVER_NAMES_MAX][16];
        static FakeName names[RESOLVER_NAMES_MAX];
        static Asker askers[RESOLVER_NAMES_MAX];
        World w;
        Asker a;

        for (unsigned i = 0; i < RESOLVER_NAMES_MAX; i++) {
                (void) snprintf(hosts[i], sizeof(hosts[i]), "s%u.test", i);
                names[i] = (FakeName){ hosts[i], "10.0.0.1", .held = true };
        }
        w = world_new(names, ELEMENTSOF(names));
        for (unsigned i = 0; i < RESOLVER_NAMES_MAX; i++)
                assert_int_equal(ask(&w, &askers[i], hosts[i]), 0);
        assert_int_equal(ask(&w, &a, "a.test"), -EMFILE);
        fake_names_wait(RESOLVER_THREADS_MAX);
        resolver_stop(&askers[0].wait); /* a thread has it */
        assert_int_equal(ask(&w, &a, "a.test"), 0);
        assert_int_equal(ask(&w, &askers[0], "b.test"), -EMFILE);
        resolver_stop(&askers[RESOLVER_NAMES_MAX - 1].wait); /* none has it yet */
        assert_int_equal(ask(&w, &askers[0], "b.test"), 0);
        fake_names_release();
        for (unsigned i = 0; i + 1 < RESOLVER_NAMES_MAX; i++) {
                wait_for(&w, &askers[i]);
                drop(&askers[i]);
        }
        wait_for(&w, &a);
        drop(&a);
        world_done(&w);
}

/* The end waits for nothing, whether a thread has the look-up, or none has, or it is done. */
static void test_end(void **state _unused_) {
        static const FakeName names[] = { { "a.test", "10.0.0.1", .held = true }, { "b.test", "10.0.0.1" } };
        World w = world_new(names, ELEMENTSOF(names));
        Asker a, b;

        assert_int_equal(ask(&w, &a, "a.test"), 0);
        assert_int_equal(ask(&w, &b, "b.test"), 0);
        fake_names_wait(2);
        resolver_stop(&a.wait);
        resolver_stop(&b.wait);
        w.resolver = resolver_free(w.resolver);
        assert_int_equal(a.n_answers + b.n_answers, 0);
        world_done(&w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numeric),  cmocka_unit_test(test_order),  cmocka_unit_test(test_kept),
                cmocka_unit_test(test_failures), cmocka_unit_test(test_shared),
                cmocka_unit_test(test_silent),   cmocka_unit_test(test_preferred),
                cmocka_unit_test(test_ceiling),  cmocka_unit_test(test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
