/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <systemd/sd-event.h>

#include "base/limits.h"
#include "io/descriptors.h"

typedef struct Fixture {
        Loop *loop;
        Descriptors *d;
        DescriptorsWait client, upstream;
        DescriptorsKeeper keeper;
        unsigned n_client, n_upstream, n_asked;
        size_t n_idle;
} Fixture;

static void on_client(void *userdata) {
        Fixture *f = userdata;

        f->n_client++;
}

static void on_upstream(void *userdata) {
        Fixture *f = userdata;

        f->n_upstream++;
}

static bool close_idle(void *userdata) {
        Fixture *f = userdata;

        f->n_asked++;
        if (f->n_idle == 0)
                return false;
        f->n_idle--;
        descriptors_give(f->d, DESCRIPTOR_UPSTREAM);
        return true;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        assert_int_equal(loop_new(&f->loop), 0);
        f->d = loop_descriptors(f->loop);
        f->client = DESCRIPTORS_WAIT_INIT(f->client, on_client, f);
        f->upstream = DESCRIPTORS_WAIT_INIT(f->upstream, on_upstream, f);
        descriptors_keep(f->d, &f->keeper, close_idle, f);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        descriptors_stop(&f->client);
        descriptors_stop(&f->upstream);
        descriptors_keep_no_more(&f->keeper);
        loop_free(f->loop);
        free(f);
        return 0;
}

static void settle(Fixture *f) {
        while (sd_event_run(loop_event(f->loop), 0) > 0)
                ;
}

/* As many as are admitted, and `most` at most. */
static size_t fill(Fixture *f, DescriptorUse use, size_t most) {
        size_t n = 0;

        for (; n < most && descriptors_admit(f->d, use); n++)
                descriptors_take(f->d, use);
        return n;
}

static void give(Fixture *f, DescriptorUse use, size_t n) {
        for (; n > 0; n--)
                descriptors_give(f->d, use);
}

static void test_most_clients(void **state _unused_) {
        static const struct {
                uint64_t limit;
                size_t least, most;
        } rows[] = {
                { 0, 1, 1 },          { 1, 1, 1 },
                { 20, 1, 1 },         { 300, 130, 172 },
                { 1024, 850, 896 },   { 20000, 19000, 19872 },
                { 65536, 63000, 65408 }, { 1048576, 1020000, 1048448 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t n = descriptors_most_clients(rows[i].limit);

                assert_in_range(n, rows[i].least, rows[i].most);
        }
}

static void test_no_limit(void **state) {
        Fixture *f = *state;

        assert_int_equal(fill(f, DESCRIPTOR_CLIENT, 100000), 100000);
        assert_int_equal(fill(f, DESCRIPTOR_UPSTREAM, 100000), 100000);
}

/* As long as clients do not wait between requests, each that was accepted gets its connection. */
static void test_http1_gets_one_for_each(void **state) {
        Fixture *f = *state;
        size_t n;

        descriptors_set_limit(f->d, 1000 + DESCRIPTORS_RESERVE);
        n = fill(f, DESCRIPTOR_CLIENT, SIZE_MAX);
        assert_int_equal(n, 500);
        assert_int_equal(fill(f, DESCRIPTOR_UPSTREAM, SIZE_MAX), 500);
        assert_false(descriptors_admit(f->d, DESCRIPTOR_CLIENT));
        /* When one of them has gone, there is room for another. */
        give(f, DESCRIPTOR_CLIENT, 1);
        assert_int_equal(fill(f, DESCRIPTOR_CLIENT, SIZE_MAX), 1);
        assert_false(descriptors_admit(f->d, DESCRIPTOR_UPSTREAM));
}

static void test_http2_needs_few(void **state) {
        Fixture *f = *state;
        size_t n;

        descriptors_set_limit(f->d, 20000);
        descriptors_set_shared(f->d, true);
        n = descriptors_most_clients(20000);
        for (size_t i = 0; i < DESCRIPTORS_OTHER(n); i++)
                descriptors_take(f->d, DESCRIPTOR_OTHER);
        assert_in_range(fill(f, DESCRIPTOR_CLIENT, SIZE_MAX), n, n + 1);
        assert_true(fill(f, DESCRIPTOR_UPSTREAM, SIZE_MAX) >= n / 100 + 4);
}

/* More clients are accepted when those that are there want nothing; then they all begin at once. */
static void test_parked_clients_begin(void **state) {
        Fixture *f = *state;
        size_t n = 0, k;

        descriptors_set_limit(f->d, 1000 + DESCRIPTORS_RESERVE);
        while (descriptors_admit(f->d, DESCRIPTOR_CLIENT)) {
                descriptors_take(f->d, DESCRIPTOR_CLIENT);
                descriptors_park(f->d, true);
                n++;
        }
        assert_in_range(n, 790, 800);
        for (size_t i = 0; i < n; i++)
                descriptors_park(f->d, false);
        assert_false(descriptors_admit(f->d, DESCRIPTOR_CLIENT));
        k = fill(f, DESCRIPTOR_UPSTREAM, n);
        assert_int_equal(n + k, 1000);
        descriptors_wait(f->d, DESCRIPTOR_UPSTREAM, &f->upstream);
        descriptors_wait(f->d, DESCRIPTOR_CLIENT, &f->client);
        settle(f);
        assert_int_equal(f->n_upstream, 0);
        give(f, DESCRIPTOR_CLIENT, 1);
        settle(f);
        assert_int_equal(f->n_upstream, 1); /* a client that is there comes first */
        assert_int_equal(f->n_client, 0);
}

static void test_idle_is_closed_first(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(f->d, 200 + DESCRIPTORS_RESERVE);
        f->n_idle = fill(f, DESCRIPTOR_UPSTREAM, 150);
        assert_int_equal(fill(f, DESCRIPTOR_CLIENT, SIZE_MAX), 50);
        descriptors_wait(f->d, DESCRIPTOR_CLIENT, &f->client);
        settle(f);
        assert_int_equal(f->n_client, 1);
        assert_int_equal(f->n_idle, 149); /* no more than are needed */
        /* What the clients are expected to need is not closed for another client. */
        fill(f, DESCRIPTOR_CLIENT, SIZE_MAX);
        give(f, DESCRIPTOR_UPSTREAM, descriptors_used(f->d, DESCRIPTOR_UPSTREAM) - 100);
        assert_int_equal(fill(f, DESCRIPTOR_CLIENT, SIZE_MAX), 49);
        f->n_idle = 100;
        f->n_asked = 0;
        descriptors_wait(f->d, DESCRIPTOR_CLIENT, &f->client);
        settle(f);
        assert_int_equal(f->n_asked, 0);
        assert_int_equal(f->n_client, 1);
        /* For another connection upstream it is. */
        descriptors_wait(f->d, DESCRIPTOR_UPSTREAM, &f->upstream);
        settle(f);
        assert_int_equal(f->n_asked, 1);
        assert_int_equal(f->n_upstream, 1);
}

/* Nothing can be done: the loop does not spin. */
static void test_waits_quietly(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(f->d, 2);
        assert_int_equal(fill(f, DESCRIPTOR_CLIENT, SIZE_MAX), 1); /* with the smallest limit, too */
        assert_int_equal(fill(f, DESCRIPTOR_UPSTREAM, SIZE_MAX), 1);
        descriptors_wait(f->d, DESCRIPTOR_UPSTREAM, &f->upstream);
        descriptors_wait(f->d, DESCRIPTOR_UPSTREAM, &f->upstream);
        descriptors_wait(f->d, DESCRIPTOR_CLIENT, &f->client);
        settle(f);
        assert_int_equal(sd_event_run(loop_event(f->loop), 0), 0);
        assert_int_equal(f->n_asked, 1);
        descriptors_stop(&f->client);
        give(f, DESCRIPTOR_CLIENT, 1);
        give(f, DESCRIPTOR_UPSTREAM, 1);
        settle(f);
        assert_int_equal(f->n_client, 0);
        assert_int_equal(f->n_upstream, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* One that becomes idle is closed for those that wait already. */
static void test_idle_later(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(f->d, 4);
        assert_int_equal(fill(f, DESCRIPTOR_UPSTREAM, SIZE_MAX), 2);
        descriptors_wait(f->d, DESCRIPTOR_UPSTREAM, &f->upstream);
        settle(f);
        f->n_idle = 1;
        settle(f);
        assert_int_equal(f->n_upstream, 0);
        descriptors_kept(f->d);
        settle(f);
        assert_int_equal(f->n_idle, 0);
        assert_int_equal(f->n_upstream, 1);
        give(f, DESCRIPTOR_UPSTREAM, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_most_clients),
                TEST(test_no_limit),
                TEST(test_http1_gets_one_for_each),
                TEST(test_http2_needs_few),
                TEST(test_parked_clients_begin),
                TEST(test_idle_is_closed_first),
                TEST(test_waits_quietly),
                TEST(test_idle_later),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
