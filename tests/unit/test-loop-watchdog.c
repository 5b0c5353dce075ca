/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <sys/eventfd.h>
#include <systemd/sd-event.h>

#include "io/loop-watchdog.h"

#define TURNS 1000U

typedef struct Worker {
        LoopHook hook;
        Loop *loop;
        unsigned n;
        bool endless;
} Worker;

typedef struct Fixture {
        Loop *loop;
        LoopWatchdog *pulse;
        Worker before, after;
        unsigned beats, n_before, n_after; /* what the workers had done at the last beat */
} Fixture;

static void on_worker(void *userdata) {
        Worker *w = userdata;

        w->n++;
        if (w->endless)
                loop_hook_ask(w->loop, &w->hook);
}

static void on_beat(void *userdata) {
        Fixture *f = userdata;

        f->beats++;
        f->n_before = f->before.n;
        f->n_after = f->after.n;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        assert_int_equal(loop_new(&f->loop), 0);
        f->before.loop = f->after.loop = f->loop;
        loop_hook_add(f->loop, &f->before.hook, on_worker, &f->before);
        assert_int_equal(loop_watchdog_new(f->loop, on_beat, f, &f->pulse), 0);
        loop_hook_add(f->loop, &f->after.hook, on_worker, &f->after);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        loop_watchdog_free(f->pulse);
        loop_hook_remove(&f->before.hook);
        loop_hook_remove(&f->after.hook);
        loop_free(f->loop);
        free(f);
        return 0;
}

static void turn(Fixture *f) {
        assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
}

/* Nothing to do is no reason to be dead; and no beat without an event, nor two of one. */
static void test_idle(void **state) {
        Fixture *f = *state;

        for (unsigned i = 0; i < TURNS; i++)
                turn(f);
        assert_int_equal(f->beats, 0);
        for (unsigned i = 1; i < 10; i++) {
                loop_watchdog_send(f->pulse);
                loop_watchdog_send(f->pulse);
                assert_int_equal(f->beats, i - 1);
                turn(f);
                assert_int_equal(f->beats, i);
                turn(f);
                assert_int_equal(f->beats, i);
        }
}

/* Every hook has returned before the beat, including those behind the watchdog's own hook, although they
 * were not requested. */
static void test_hooks_come_first(void **state) {
        Fixture *f = *state;

        loop_watchdog_send(f->pulse);
        turn(f);
        assert_int_equal(f->beats, 1);
        assert_int_equal(f->n_before, 1);
        assert_int_equal(f->n_after, 1);
}

/* There is always more to do, and it is done. */
static void test_busy(void **state) {
        Fixture *f = *state;

        f->before.endless = f->after.endless = true;
        loop_hook_ask(f->loop, &f->before.hook);
        loop_hook_ask(f->loop, &f->after.hook);
        loop_watchdog_send(f->pulse);
        for (unsigned i = 0; i < TURNS && f->beats == 0; i++)
                turn(f);
        assert_int_equal(f->beats, 1);
}

static void on_ready(uint32_t events _unused_, void *userdata) {
        ++*(unsigned *) userdata;
}

/* More that is ready than one turn takes: the event waits its turn like the others, and has it. */
static void test_crowded(void **state) {
        Fixture *f = *state;
        LoopFd watches[600];
        unsigned n = 0;

        for (size_t i = 0; i < ELEMENTSOF(watches); i++) {
                int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

                assert_true(fd >= 0);
                assert_int_equal(loop_fd_add(f->loop, &watches[i], fd, EPOLLIN, on_ready, &n), 0);
        }
        loop_watchdog_send(f->pulse);
        for (unsigned i = 0; i < TURNS && f->beats == 0; i++)
                turn(f);
        assert_int_equal(f->beats, 1);
        assert_true(n > 0);
        for (size_t i = 0; i < ELEMENTSOF(watches); i++) {
                int fd = watches[i].fd;

                loop_fd_remove(f->loop, &watches[i]);
                (void) close(fd);
        }
}

static int on_spin(sd_event_source *s _unused_, void *userdata) {
        ++*(unsigned *) userdata;
        return 0;
}

/* The loop turns, but does not reach its clients: a watchdog that a mere timer feeds would not notice. */
static void test_spinning(void **state) {
        Fixture *f = *state;
        sd_event_source *s = NULL;
        unsigned n = 0;

        assert_int_equal(sd_event_add_defer(loop_event(f->loop), &s, on_spin, &n), 0);
        assert_int_equal(sd_event_source_set_enabled(s, SD_EVENT_ON), 0);
        assert_int_equal(sd_event_source_set_priority(s, SD_EVENT_PRIORITY_IMPORTANT), 0);
        loop_watchdog_send(f->pulse);
        for (unsigned i = 0; i < TURNS; i++)
                turn(f);
        assert_int_equal(n, TURNS);
        assert_int_equal(f->beats, 0);
        sd_event_source_disable_unref(s);
        turn(f);
        assert_int_equal(f->beats, 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hooks_come_first, setup, teardown),
                cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
                cmocka_unit_test_setup_teardown(test_crowded, setup, teardown),
                cmocka_unit_test_setup_teardown(test_spinning, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
