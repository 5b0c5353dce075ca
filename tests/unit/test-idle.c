/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <systemd/sd-event.h>

#include "daemon/idle.h"

#define AFTER (20 * USEC_PER_MSEC)

typedef struct Fixture {
        Loop *loop;
        Idle *idle;
        usec_t since, started, over_at;
        unsigned n_looks, n_over;
} Fixture;

static usec_t on_look(void *userdata) {
        Fixture *f = userdata;

        f->n_looks++;
        return f->since;
}

static void on_over(void *userdata) {
        Fixture *f = userdata;

        f->n_over++;
        f->over_at = clock_monotonic();
}

static void turn(Fixture *f) {
        assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        assert_int_equal(loop_new(&f->loop), 0);
        f->started = f->since = clock_monotonic();
        assert_int_equal(idle_new(
                                 &(IdleParams){
                                         .loop = f->loop,
                                         .after = AFTER,
                                         .quiet_since = on_look,
                                         .over = on_over,
                                         .userdata = f,
                                 },
                                 &f->idle),
                         0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        idle_free(f->idle);
        loop_free(f->loop);
        free(f);
        return 0;
}

static void test_never_asked(void **state) {
        Fixture *f = *state;

        while (f->n_over == 0)
                turn(f);
        assert_true(f->over_at - f->started >= AFTER);
        assert_int_equal(f->n_looks, 1);
        assert_int_equal(sd_event_run(loop_event(f->loop), 2 * AFTER), 0); /* once */
        assert_int_equal(f->n_over, 1);
}

/* Something is under way for several times as long: it stays, and the time begins when that has ended. */
static void test_busy(void **state) {
        Fixture *f = *state;
        usec_t ended;

        f->since = USEC_INFINITY;
        while (f->n_looks < 3)
                turn(f);
        assert_int_equal(f->n_over, 0);
        ended = f->since = clock_monotonic();
        while (f->n_over == 0)
                turn(f);
        assert_true(f->over_at - ended >= AFTER);
}

/* Something happened meanwhile: as much later. */
static void test_later(void **state) {
        Fixture *f = *state;

        f->since = f->started + 2 * AFTER;
        while (f->n_over == 0)
                turn(f);
        assert_true(f->over_at - f->started >= 3 * AFTER);
        assert_true(f->n_looks <= 2); /* it did not ask all the time */
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_never_asked, setup, teardown),
                cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
                cmocka_unit_test_setup_teardown(test_later, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
