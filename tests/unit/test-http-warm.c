/* SPDX-License-Identifier: MIT */

/* UPSTREAM_WARM: which connections the pool keeps, when it dials by itself, and what it asks before it uses
 * one that was idle for long. */

#include "test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "io/timer.h"
#include "pool-calls.h"

#define OTHER "https://other.test"

/* --- the timer of the next dial, which the test lets pass, and the clock --- */

struct Timer {
        usec_t after;
        void (*fn)(void *userdata);
        void *userdata;
};

static Timer *timer; /* NULL: none is on */
static usec_t passed;

usec_t __real_loop_now(Loop *l);
usec_t __wrap_loop_now(Loop *l);
int __wrap_timer_new(Loop *l, usec_t after, void (*fn)(void *userdata), void *userdata, Timer **ret);
Timer *__wrap_timer_free(Timer *t);

usec_t __wrap_loop_now(Loop *l) {
        return __real_loop_now(l) + passed;
}

int __wrap_timer_new(Loop *l _unused_, usec_t after, void (*fn)(void *userdata), void *userdata,
                     Timer **ret) {
        Timer *t = malloc(sizeof(Timer));

        assert_non_null(t);
        assert_null(timer);
        *t = (Timer){ after, fn, userdata };
        timer = *ret = t;
        return 0;
}

Timer *__wrap_timer_free(Timer *t) {
        if (t) {
                assert_ptr_equal(t, timer);
                timer = NULL;
        }
        free(t);
        return NULL;
}

static void assert_timer_fires(Loop *l, usec_t after) {
        assert_non_null(timer);
        assert_int_equal(timer->after, after);
        timer->fn(timer->userdata);
        assert_null(timer);
        settle(l);
}

/* --- steps --- */

static void warm(Fixture *f, const char *url) {
        http_client_renew(f->client, &(HttpClientParams){
                                             .url = url,
                                             .warm = true,
                                             .connect_timeout = 7 * USEC_PER_SEC,
                                     });
        settle(f->loop);
}

static void two_ends(Fixture *f, size_t i) {
        ends_stream(f->loop, i, HTTP_WORK_COMPLETE);
        twos[i]->ops->room(twos[i], twos[i]->userdata);
        settle(f->loop);
}

static void two_closes(Fixture *f, size_t i) {
        twos[i]->ops->closed(twos[i], twos[i]->userdata);
        settle(f->loop);
        assert_null(twos[i]);
}

/* Until no time-out of a connection runs. */
static void pass_idle_time(Fixture *f) {
        HttpPool *p = CONTAINER_OF(f->client, HttpPool, client);
        size_t n_on;

        do {
                List *lists[] = { NULL, NULL };

                n_on = 0;
                LIST_FOREACH(i, &p->origins) {
                        HttpOrigin *o = list_entry(i, HttpOrigin, link);

                        lists[0] = &o->idle;
                        lists[1] = &o->shared;
                        for (size_t k = 0; k < ELEMENTSOF(lists); k++)
                                LIST_FOREACH(j, lists[k])
                                        n_on += list_is_linked(&list_entry(j, PoolConn, link)->idle.link);
                }
                if (n_on > 0)
                        assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
        } while (n_on > 0);
        settle(f->loop);
}

/* --- the connection --- */

static void test_first_request(void **state) {
        Fixture *f = *state;
        HttpTimings times;

        warm(f, SAFE "/base");
        assert_int_equal(n_dials, 1);
        assert_string_equal(dials[0]->host, "one.test");
        assert_int_equal(dials[0]->p.port, 443);
        assert_true(dials[0]->p.tls && dials[0]->p.http2);
        assert_int_equal(dials[0]->p.timeout, 7 * USEC_PER_SEC);
        dialled(f->loop, 0, true);
        start(f, 0, SAFE "/base/x");
        assert_int_equal(twos[0]->n, 1);
        assert_int_equal(n_dials, 1);
        http_call_timings(f->calls[0].http, &times);
        assert_true(times.reused); /* it did not wait for the connection */
        assert_int_equal(times.connected, 0);
        two_ends(f, 0);
        assert_done(&f->calls[0], HTTP_OUTCOME_COMPLETE);
        assert_null(timer);
}

/* Without a descriptor it is dialled later; no call waits for it meanwhile. */
static void test_no_descriptor(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 2);
        start(f, 0, OTHER "/");
        dialled(f->loop, 0, true);
        warm(f, SAFE);
        assert_int_equal(n_dials, 1);
        assert_timer_fires(f->loop, HTTP_WARM_WAIT_FIRST);
        assert_int_equal(n_dials, 1);
        two_ends(f, 0);
        two_closes(f, 0);
        assert_timer_fires(f->loop, 2 * HTTP_WARM_WAIT_FIRST);
        assert_int_equal(n_dials, 2);
        assert_string_equal(dials[1]->host, "one.test");
        dialled(f->loop, 1, true);
        assert_null(timer);
}

/* A call comes before the connection that is kept warm; that one is dialled again, after a while. */
static void test_gives_way(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 2);
        warm(f, SAFE);
        dialled(f->loop, 0, true);
        start(f, 0, OTHER "/");
        settle(f->loop);
        assert_null(twos[0]);
        assert_int_equal(n_dials, 2);
        assert_string_equal(dials[1]->host, "other.test");
        dialled(f->loop, 1, true);
        assert_timer_fires(f->loop, HTTP_WARM_WAIT_FIRST);
        assert_int_equal(n_dials, 2);
        two_ends(f, 1);
        two_closes(f, 1);
        assert_timer_fires(f->loop, 2 * HTTP_WARM_WAIT_FIRST);
        dialled(f->loop, 2, true);
        assert_null(timer);
}

/* A call that comes during the dial waits for it, and does not fail with it. */
static void test_call_during_dial(void **state) {
        Fixture *f = *state;

        warm(f, SAFE);
        passed += USEC_PER_SEC;
        start(f, 0, SAFE "/");
        assert_int_equal(n_dials, 1);
        undialled(f->loop, 0);
        assert_int_equal(f->calls[0].n_done, 0);
        assert_int_equal(n_dials, 2);
        dialled(f->loop, 1, true);
        two_ends(f, 0);
        assert_done(&f->calls[0], HTTP_OUTCOME_COMPLETE);
        assert_null(timer);
}

static void test_off(void **state) {
        Fixture *f = *state;

        http_client_renew(f->client, &(HttpClientParams){ .url = SAFE });
        settle(f->loop);
        assert_int_equal(n_dials, 0);
        start(f, 0, SAFE "/");
        undialled(f->loop, 0);
        assert_done(&f->calls[0], HTTP_OUTCOME_UNREACHED);
        assert_null(timer);
}

/* Of HTTP/2 the last idle one stays, and nothing more happens; without UPSTREAM_WARM it ends. */
static void test_http2_stays(void **state) {
        Fixture *f = *state;

        streams_max = 2;
        warm(f, SAFE);
        dialled(f->loop, 0, true);
        for (size_t i = 0; i < 3; i++)
                start(f, i, SAFE "/");
        dialled(f->loop, 1, true);
        assert_int_equal(n_alive, 2);
        two_ends(f, 0);
        two_ends(f, 0);
        if (twos[1]->n > 0)
                two_ends(f, 1);
        for (size_t i = 2; i < n_dials; i++)
                if (dials[i])
                        undialled(f->loop, i);
        pass_idle_time(f);
        assert_int_equal(n_alive, 1);
        assert_null(timer);
        assert_int_equal(sd_event_run(loop_event(f->loop), 100 * USEC_PER_MSEC), 0);

        http_client_renew(f->client, &(HttpClientParams){ .url = SAFE });
        pass_idle_time(f);
        assert_int_equal(n_alive, 0);
        assert_null(timer);
}

static int option(int level, int name) {
        socklen_t n = sizeof(int);
        int value;

        assert_int_equal(getsockopt(socket_of_all, level, name, &value, &n), 0);
        return value;
}

/* The kernel finds a dead one; it has nothing to do while calls keep the connection busy. */
static void test_kernel_watches(void **state) {
        Fixture *f = *state;

        socket_of_all = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(socket_of_all >= 0);
        warm(f, SAFE);
        dialled(f->loop, 0, true);
        assert_int_equal(option(SOL_SOCKET, SO_KEEPALIVE), 0);
        pass_idle_time(f);
        assert_int_equal(option(SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_int_equal(option(IPPROTO_TCP, TCP_KEEPIDLE), 30);
        assert_int_equal(option(IPPROTO_TCP, TCP_KEEPINTVL), 5);
        assert_int_equal(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
        socket_of_all = safe_close(socket_of_all);
}

static void test_http1_stays(void **state) {
        Fixture *f = *state;

        warm(f, HOST);
        dialled(f->loop, 0, false);
        pass_idle_time(f);
        assert_int_equal(n_alive, 1);
        start(f, 0, HOST "/");
        start(f, 1, HOST "/");
        dialled(f->loop, 1, false);
        ends(f->loop, 0, HTTP_WORK_COMPLETE, true);
        ends(f->loop, 1, HTTP_WORK_COMPLETE, true);
        pass_idle_time(f);
        assert_int_equal(n_alive, 2);

        /* One that ends is counted, as are those that are used. */
        ones[0]->ops->closed(ones[0], ones[0]->userdata);
        settle(f->loop);
        assert_null(timer);
        start(f, 0, HOST "/");
        assert_int_equal(n_dials, 2);
        ends(f->loop, 1, HTTP_WORK_COMPLETE, true);

        http_client_renew(f->client, &(HttpClientParams){ .url = HOST });
        pass_idle_time(f);
        assert_int_equal(n_alive, 0);
}

static void test_other_origin_ends(void **state) {
        Fixture *f = *state;

        warm(f, SAFE);
        dialled(f->loop, 0, true);
        start(f, 0, OTHER "/");
        dialled(f->loop, 1, true);
        two_ends(f, 1);
        pass_idle_time(f);
        assert_null(twos[1]);
        assert_non_null(twos[0]);
        assert_null(timer);
}

static void test_renew(void **state) {
        Fixture *f = *state;

        warm(f, SAFE);
        dialled(f->loop, 0, true);
        warm(f, SAFE "/v2");
        assert_int_equal(n_dials, 1);
        warm(f, OTHER);
        assert_null(twos[0]);
        assert_int_equal(n_dials, 2);
        assert_string_equal(dials[1]->host, "other.test");
        /* A dial with the CAs of before is no connection. */
        http_client_renew(f->client, &(HttpClientParams){ .url = OTHER, .ca_file = "/a", .warm = true });
        settle(f->loop);
        assert_null(dials[1]);
        assert_int_equal(n_dials, 3);
        undialled(f->loop, 2);
        assert_non_null(timer);
        warm(f, SAFE); /* at once, whatever was waited for */
        assert_null(timer);
        assert_int_equal(n_dials, 4);
        http_client_renew(f->client, &(HttpClientParams){ .url = SAFE });
        settle(f->loop);
        undialled(f->loop, 3);
        assert_null(timer);
}

/* --- the next dial --- */

static void test_backoff(void **state) {
        Fixture *f = *state;
        usec_t wait = HTTP_WARM_WAIT_FIRST;

        warm(f, SAFE);
        for (size_t i = 0; i < 10; i++) {
                undialled(f->loop, i);
                assert_int_equal(n_dials, i + 1);
                assert_timer_fires(f->loop, wait);
                assert_int_equal(n_dials, i + 2);
                wait = MIN(2 * wait, HTTP_WARM_WAIT_MAX);
        }
        assert_int_equal(wait, HTTP_WARM_WAIT_MAX);

        /* One that ends soon is no success. */
        dialled(f->loop, 10, true);
        passed += HTTP_WARM_WAIT_MAX - USEC_PER_SEC;
        two_closes(f, 0);
        assert_timer_fires(f->loop, HTTP_WARM_WAIT_MAX);
        dialled(f->loop, 11, true);
        passed += HTTP_WARM_WAIT_MAX;
        two_closes(f, 1);
        assert_timer_fires(f->loop, HTTP_WARM_WAIT_FIRST);
        undialled(f->loop, 12);

        /* A call's own connection is as good. */
        start(f, 0, SAFE "/");
        dialled(f->loop, 13, true);
        assert_timer_fires(f->loop, 2 * HTTP_WARM_WAIT_FIRST);
        assert_int_equal(n_dials, 14);
        two_ends(f, 2);
        two_closes(f, 2);
        assert_non_null(timer);
}

/* --- the question --- */

static void test_asked(void **state) {
        Fixture *f = *state;

        warm(f, SAFE);
        dialled(f->loop, 0, true);
        twos[0]->read_at = 0;
        start(f, 0, SAFE "/");
        start(f, 1, SAFE "/");
        assert_true(twos[0]->asked);
        assert_int_equal(twos[0]->n, 0);
        assert_int_equal(n_dials, 1);

        /* It answers. */
        twos[0]->asked = false;
        twos[0]->read_at = loop_now(f->loop);
        twos[0]->ops->room(twos[0], twos[0]->userdata);
        settle(f->loop);
        assert_int_equal(twos[0]->n, 2);
        two_ends(f, 0);
        two_ends(f, 0);
        assert_done(&f->calls[0], HTTP_OUTCOME_COMPLETE);
        assert_done(&f->calls[1], HTTP_OUTCOME_COMPLETE);
        assert_int_equal(n_dials, 1);

        /* With streams it is not asked: they have their own PING. */
        start(f, 0, SAFE "/");
        twos[0]->read_at = 0;
        start(f, 1, SAFE "/");
        assert_int_equal(twos[0]->n, 2);
        two_ends(f, 0);
        two_ends(f, 0);
}

static void test_asked_in_vain(void **state) {
        Fixture *f = *state;

        for (int closes = 0; closes < 2; closes++) {
                size_t n = n_dials, k = n_twos;

                warm(f, closes ? OTHER : SAFE);
                dialled(f->loop, n, true);
                twos[k]->read_at = 0;
                start_as(f, 0, &(HttpCallParams){ .url = closes ? OTHER : SAFE, .method = "POST" }, false);
                assert_true(twos[k]->asked);
                if (closes)
                        two_closes(f, k);
                while (twos[k])
                        assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
                settle(f->loop);
                assert_int_equal(f->calls[0].n_done, 0);
                assert_int_equal(n_dials, n + 2);
                dialled(f->loop, n + 1, true);
                two_ends(f, k + 1);
                assert_done(&f->calls[0], HTTP_OUTCOME_COMPLETE);
                assert_int_equal(f->calls[0].n_sent, 1);
        }
}

/* The call goes while its connection is asked. */
static void test_asked_and_cancelled(void **state) {
        Fixture *f = *state;

        warm(f, SAFE);
        dialled(f->loop, 0, true);
        twos[0]->read_at = 0;
        start(f, 0, SAFE "/");
        f->calls[0].http = http_call_free(f->calls[0].http);
        twos[0]->asked = false;
        twos[0]->read_at = loop_now(f->loop);
        twos[0]->ops->room(twos[0], twos[0]->userdata);
        settle(f->loop);
        start(f, 0, SAFE "/");
        assert_int_equal(twos[0]->n, 1);
        two_ends(f, 0);
}

static int setup(void **state) {
        passed = 0;
        ask_time = 20 * USEC_PER_MSEC;
        return pool_setup(state);
}

static int setup_short(void **state) {
        passed = 0;
        return pool_setup_short(state);
}

static int teardown(void **state) {
        int r;

        r = pool_teardown(state);
        assert_null(timer);
        return r;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TEST_SHORT(f) cmocka_unit_test_setup_teardown(f, setup_short, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_first_request),
                TEST(test_no_descriptor),
                TEST(test_gives_way),
                TEST(test_call_during_dial),
                TEST(test_off),
                TEST_SHORT(test_http2_stays),
                TEST_SHORT(test_kernel_watches),
                TEST_SHORT(test_http1_stays),
                TEST_SHORT(test_other_origin_ends),
                TEST(test_renew),
                TEST(test_backoff),
                TEST(test_asked),
                TEST(test_asked_in_vain),
                TEST(test_asked_and_cancelled),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
