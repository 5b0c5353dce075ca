/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <sys/eventfd.h>
#include <systemd/sd-event.h>

#include "io/loop.h"
#include "io/timeout.h"

typedef struct Fixture {
        Loop *loop;
        LoopFd a, b;
        LoopHook hook, other;
        unsigned n_a, n_b, n_hook, n_other;
        bool a_drops_b, hook_asks_other;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        f->a = f->b = LOOP_FD_NULL;
        assert_int_equal(loop_new(&f->loop), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        loop_fd_remove(f->loop, &f->a);
        loop_fd_remove(f->loop, &f->b);
        loop_hook_remove(&f->hook);
        loop_hook_remove(&f->other);
        loop_free(f->loop);
        free(f);
        return 0;
}

static void turn(Fixture *f) {
        assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
}

static int ready_fd(void) {
        int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

        assert_true(fd >= 0);
        return fd;
}

static void on_a(uint32_t events _unused_, void *userdata) {
        Fixture *f = userdata;

        f->n_a++;
        if (f->a_drops_b)
                loop_fd_remove(f->loop, &f->b);
        loop_hook_ask(f->loop, &f->hook);
        loop_hook_ask(f->loop, &f->hook);
}

static void on_b(uint32_t events _unused_, void *userdata) {
        Fixture *f = userdata;

        f->n_b++;
        if (f->a_drops_b)
                loop_fd_remove(f->loop, &f->a);
        loop_hook_ask(f->loop, &f->hook);
}

static void on_hook(void *userdata) {
        Fixture *f = userdata;

        f->n_hook++;
        if (f->hook_asks_other)
                loop_hook_ask(f->loop, &f->other);
}

static void on_other(void *userdata) {
        Fixture *f = userdata;

        f->n_other++;
}

static void test_hook_once_a_turn(void **state) {
        _cleanup_close_ int a = ready_fd(), b = ready_fd();
        Fixture *f = *state;

        f->hook_asks_other = true;
        loop_hook_add(f->loop, &f->other, on_other, f); /* is before the one that requests it */
        loop_hook_add(f->loop, &f->hook, on_hook, f);
        assert_int_equal(loop_fd_add(f->loop, &f->a, a, EPOLLIN, on_a, f), 0);
        assert_int_equal(loop_fd_add(f->loop, &f->b, b, EPOLLIN, on_b, f), 0);
        turn(f);
        assert_int_equal(f->n_a, 1);
        assert_int_equal(f->n_b, 1);
        assert_int_equal(f->n_hook, 1);
        assert_int_equal(f->n_other, 1);
}

static void test_hook_from_outside(void **state) {
        Fixture *f = *state;

        loop_hook_add(f->loop, &f->hook, on_hook, f);
        turn(f);
        assert_int_equal(f->n_hook, 0);
        loop_hook_ask(f->loop, &f->hook);
        loop_hook_ask(f->loop, &f->hook);
        turn(f);
        assert_int_equal(f->n_hook, 1);
        turn(f);
        assert_int_equal(f->n_hook, 1);
}

static void on_hook_that_drops(void *userdata) {
        Fixture *f = userdata;

        f->n_hook++;
        loop_hook_remove(&f->other);
}

/* A hook removes the one behind it, or the one before it, which must then not run. */
static void test_hook_drops_a_neighbour(void **state) {
        Fixture *f = *state;
        LoopHook last;

        for (unsigned before = 0; before < 2; before++) {
                if (before)
                        loop_hook_add(f->loop, &f->other, on_other, f);
                loop_hook_add(f->loop, &f->hook, on_hook_that_drops, f);
                if (!before)
                        loop_hook_add(f->loop, &f->other, on_other, f);
                loop_hook_add(f->loop, &last, on_hook, f);
                f->n_hook = f->n_other = 0;
                loop_hook_ask_all(f->loop);
                turn(f);
                assert_int_equal(f->n_hook, 2);
                assert_int_equal(f->n_other, before); /* it was done already */
                loop_hook_remove(&f->hook);
                loop_hook_remove(&last);
        }
}

/* Both are ready in one batch; the first one removes the other, whose event must then not be delivered. */
static void test_dropped_in_the_batch(void **state) {
        _cleanup_close_ int a = ready_fd(), b = ready_fd();
        Fixture *f = *state;

        f->a_drops_b = true;
        loop_hook_add(f->loop, &f->hook, on_hook, f);
        assert_int_equal(loop_fd_add(f->loop, &f->a, a, EPOLLIN, on_a, f), 0);
        assert_int_equal(loop_fd_add(f->loop, &f->b, b, EPOLLIN, on_b, f), 0);
        turn(f);
        assert_int_equal(f->n_a + f->n_b, 1);
}

/* --- turns that follow each other --- */

#define N_TURNS 100U

typedef struct Run {
        Fixture *fixture;
        unsigned n_outer; /* turns of sd-event */
} Run;

static int on_due(sd_event_source *s, uint64_t usec _unused_, void *userdata) {
        Run *r = userdata;

        r->n_outer++;
        (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        if (r->fixture->n_a >= N_TURNS)
                loop_exit(r->fixture->loop, 0);
        return 0;
}

/* The descriptors are ready in each turn, and so is a timer of sd-event. */
static void run(Fixture *f, Run *r) {
        sd_event_source *s;

        *r = (Run){ .fixture = f };
        assert_true(sd_event_add_time(loop_event(f->loop), &s, CLOCK_MONOTONIC, 0, 1, on_due, r) >= 0);
        assert_int_equal(loop_run(f->loop), 0);
        sd_event_source_unref(s);
}

static void test_turns_under_load(void **state) {
        _cleanup_close_ int a = ready_fd(), b = ready_fd();
        Fixture *f = *state;
        Run r;

        loop_hook_add(f->loop, &f->hook, on_hook, f);
        assert_int_equal(loop_fd_add(f->loop, &f->a, a, EPOLLIN, on_a, f), 0);
        assert_int_equal(loop_fd_add(f->loop, &f->b, b, EPOLLIN, on_b, f), 0);
        run(f, &r);
        assert_int_equal(f->n_b, f->n_a);
        assert_int_equal(f->n_hook, f->n_a); /* once a turn */
        assert_true(r.n_outer * 4 < f->n_a);
        assert_true(r.n_outer * 16 > f->n_a);
}

/* A single event a turn: nothing else is likely to be there. */
static void test_turns_without_load(void **state) {
        _cleanup_close_ int a = ready_fd();
        Fixture *f = *state;
        Run r;

        loop_hook_add(f->loop, &f->hook, on_hook, f);
        assert_int_equal(loop_fd_add(f->loop, &f->a, a, EPOLLIN, on_a, f), 0);
        run(f, &r);
        assert_true(r.n_outer + 1 >= f->n_a);
}

/* --- slices --- */

typedef struct Work {
        LoopSlice slice;
        Fixture *fixture;
        unsigned n, n_max;
} Work;

static void on_slice(void *userdata) {
        Work *w = userdata;

        w->n++;
        loop_hook_ask(w->fixture->loop, &w->fixture->hook);
        if (w->n == w->n_max)
                loop_slice_remove(&w->slice);
}

/* Two works take turns. A descriptor that is always ready, and a hook, have a turn after each slice. */
static void test_slices(void **state) {
        _cleanup_close_ int a = ready_fd();
        Fixture *f = *state;
        Work x = { .fixture = f, .n_max = 20 }, y = { .fixture = f, .n_max = 10 };

        loop_hook_add(f->loop, &f->hook, on_hook, f);
        assert_int_equal(loop_fd_add(f->loop, &f->a, a, EPOLLIN, on_a, f), 0);
        loop_slice_add(f->loop, &x.slice, on_slice, &x);
        loop_slice_add(f->loop, &y.slice, on_slice, &y);
        while (x.n < x.n_max) {
                unsigned before = x.n + y.n, hooks = f->n_hook;

                turn(f);
                assert_true(x.n + y.n <= before + 1);
                assert_true(x.n + y.n == before || f->n_hook > hooks);
                assert_true(y.n == y.n_max || x.n == y.n || x.n == y.n + 1);
                assert_true(f->n_a + 2 >= x.n + y.n);
        }
        assert_int_equal(y.n, y.n_max);
        turn(f);
        assert_int_equal(x.n, x.n_max);
}

/* --- time-outs --- */

typedef struct Waiter {
        Timeout timeout;
        TimeoutQueue *queue;
        unsigned n, restarts;
        unsigned *order;
        unsigned at;
} Waiter;

static void on_timeout(Timeout *t) {
        Waiter *w = CONTAINER_OF(t, Waiter, timeout);

        w->n++;
        w->at = ++*w->order;
        if (w->restarts > 0) {
                w->restarts--;
                timeout_start(w->queue, &w->timeout);
        }
}

static void test_timeouts(void **state) {
        Fixture *f = *state;
        _cleanup_(timeout_queue_freep) TimeoutQueue *q = NULL;
        unsigned order = 0;
        Waiter w[4];

        assert_int_equal(timeout_queue_new(f->loop, 5 * USEC_PER_MSEC, on_timeout, &q), 0);
        for (size_t i = 0; i < ELEMENTSOF(w); i++) {
                w[i] = (Waiter){ .queue = q, .order = &order };
                w[i].timeout = TIMEOUT_INIT(w[i].timeout);
                timeout_start(q, &w[i].timeout);
        }
        timeout_stop(&w[0].timeout);         /* the head: the timer fires early and is set again */
        timeout_start(q, &w[1].timeout);     /* starts over: now behind the others */
        w[2].restarts = 2;
        while (w[1].n == 0 || w[2].n < 3 || w[3].n == 0)
                assert_true(sd_event_run(loop_event(f->loop), USEC_PER_SEC) > 0);
        assert_int_equal(w[0].n, 0);
        assert_int_equal(w[1].n, 1);
        assert_int_equal(w[2].n, 3);
        assert_int_equal(w[3].n, 1);
        assert_true(w[3].at < w[1].at);
        timeout_stop(&w[0].timeout); /* twice does no harm */
}

/* A changed length applies to time-outs that start later; they end in the order of their times. */
static void test_timeouts_of_another_length(void **state) {
        static const usec_t lengths[] = { 40, 5, 60, 20, 5 };                /* ms, as they start */
        static const unsigned places[ELEMENTSOF(lengths)] = { 4, 1, 5, 3, 2 }; /* as they end */
        Fixture *f = *state;
        _cleanup_(timeout_queue_freep) TimeoutQueue *q = NULL;
        unsigned order = 0;
        Waiter w[ELEMENTSOF(lengths)];

        assert_int_equal(timeout_queue_new(f->loop, USEC_PER_HOUR, on_timeout, &q), 0);
        turn(f); /* so that all start at the same time */
        for (size_t i = 0; i < ELEMENTSOF(w); i++) {
                w[i] = (Waiter){ .queue = q, .order = &order };
                w[i].timeout = TIMEOUT_INIT(w[i].timeout);
                timeout_queue_set_duration(q, lengths[i] * USEC_PER_MSEC);
                timeout_start(q, &w[i].timeout);
        }
        timeout_queue_set_duration(q, USEC_PER_HOUR);
        while (order < ELEMENTSOF(w))
                assert_true(sd_event_run(loop_event(f->loop), USEC_PER_SEC) > 0);
        for (size_t i = 0; i < ELEMENTSOF(w); i++)
                assert_int_equal(w[i].at, places[i]);
}

/* What was stopped wakes up the loop once in all, not once a queue; the other timers can be set again. */
static void test_timeouts_that_were_stopped(void **state) {
        static const usec_t lengths[] = { 1, 10, 20, 30 }; /* ms */
        enum { FIRST, SECOND, LIVE, LAST, N };
        Fixture *f = *state;
        TimeoutQueue *q[N] = {};
        unsigned order = 0;
        Waiter w[N];

        for (size_t i = 0; i < N; i++) {
                int r = timeout_queue_new(f->loop, lengths[i] * USEC_PER_MSEC, on_timeout, &q[i]);

                assert_int_equal(r, 0);
                w[i] = (Waiter){ .queue = q[i], .order = &order };
                w[i].timeout = TIMEOUT_INIT(w[i].timeout);
                timeout_start(q[i], &w[i].timeout);
        }
        timeout_stop(&w[FIRST].timeout);
        timeout_stop(&w[SECOND].timeout);
        assert_true(sd_event_run(loop_event(f->loop), USEC_INFINITY) > 0);
        assert_int_equal(order, 0);
        assert_true(sd_event_run(loop_event(f->loop), USEC_INFINITY) > 0);
        assert_int_equal(w[LIVE].at, 1);

        timeout_start(q[SECOND], &w[SECOND].timeout);
        while (order < 3)
                assert_true(sd_event_run(loop_event(f->loop), USEC_INFINITY) > 0);
        assert_int_equal(w[SECOND].n, 1);
        assert_int_equal(w[LAST].n, 1);
        assert_int_equal(w[FIRST].n, 0);
        for (size_t i = 0; i < N; i++)
                timeout_queue_free(q[i]);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_hook_once_a_turn, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hook_from_outside, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hook_drops_a_neighbour, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dropped_in_the_batch, setup, teardown),
                cmocka_unit_test_setup_teardown(test_turns_under_load, setup, teardown),
                cmocka_unit_test_setup_teardown(test_turns_without_load, setup, teardown),
                cmocka_unit_test_setup_teardown(test_slices, setup, teardown),
                cmocka_unit_test_setup_teardown(test_timeouts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_timeouts_of_another_length, setup, teardown),
                cmocka_unit_test_setup_teardown(test_timeouts_that_were_stopped, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
