/* SPDX-License-Identifier: MIT */
/* The pure parts of the benchmark's load clients: what they count, and from when. */
#include "test.h"

#include "../bench/answer.h"
#include "../bench/samples.h"
#include "../bench/schedule.h"

/* The nearest rank: 1,000 samples from 1 to 1,000. */
static void test_percentiles(void **state) {
        Samples s;

        assert_int_equal(samples_init(&s, 1000), 0);
        assert_int_equal(samples_at(&s, 0.5), 0);
        samples_add(&s, 7);
        samples_sort(&s);
        assert_int_equal(samples_at(&s, 0.001), 7);
        assert_int_equal(samples_at(&s, 1), 7);

        s.n = 0;
        for (unsigned i = 1000; i > 0; i--)
                samples_add(&s, i);
        samples_sort(&s);
        assert_int_equal(samples_at(&s, 0.5), 500);
        assert_int_equal(samples_at(&s, 0.99), 990);
        assert_int_equal(samples_at(&s, 0.999), 999);
        assert_int_equal(samples_at(&s, 0.9991), 1000);
        assert_int_equal(samples_at(&s, 1), 1000);

        s.n = 0;
        samples_add(&s, USEC_PER_DAY);
        assert_true(samples_at(&s, 1) == UINT32_MAX);
        samples_done(&s);
}

static void test_schedule(void **state) {
        Schedule s = { .begin = 1000, .rate = 3, .n_all = 7 };

        assert_true(schedule_wait(&s, 0) == 1000);
        assert_false(schedule_due(&s, 999));
        assert_true(schedule_due(&s, 1000));
        assert_true(schedule_take(&s) == 1000);
        assert_false(schedule_due(&s, 1000));
        assert_true(schedule_wait(&s, 1000) == 333333);

        /* Nothing was sent for a second: the requests keep the times at which they were due. */
        assert_true(schedule_due(&s, 1001000));
        assert_true(schedule_wait(&s, 1001000) == 0);
        assert_true(schedule_take(&s) == 1000 + 333333);
        assert_true(schedule_take(&s) == 1000 + 666666);
        assert_true(schedule_take(&s) == 1000 + USEC_PER_SEC);
        assert_false(schedule_due(&s, 1001000));

        /* No rounding adds up. */
        s.n_taken = 6;
        assert_true(schedule_take(&s) == 1000 + 2 * USEC_PER_SEC);
        assert_true(schedule_done(&s));
        assert_false(schedule_due(&s, USEC_PER_DAY));
        assert_true(schedule_wait(&s, 0) == USEC_INFINITY);
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Each answer, cut at each byte. */
static void test_framing(void **state) {
        static const struct {
                const char *bytes, *mark;
                AnswerState state;
                bool closes_well, complete;
                unsigned status, n_events;
        } rows[] = {
                { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{1}", "", ANSWER_DONE, true, false, 200, 0 },
                { "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", ANSWER_DONE, true, false, 200, 0 },
                { "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{1}", "",
                  ANSWER_LENGTH, false, false, 200, 0 },
                { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{1}", "", ANSWER_BAD, false, false, 200, 0 },
                { "HTTP/1.1 503 No\r\n\r\nfull", "", ANSWER_UNTIL_CLOSE, true, false, 503, 0 },
                { CHUNKED "9\r\ndata: a\n\n\r\n10\r\ndata: [DONE]\n\n:x\r\n0\r\n\r\n", "[DONE]",
                  ANSWER_DONE, true, true, 200, 2 },
                { CHUNKED "9\r\ndata: a\n\n\r\n0\r\n\r\n", "[DONE]",
                  ANSWER_DONE, true, false, 200, 1 },
                { CHUNKED "zz\r\n", "", ANSWER_BAD, false, false, 200, 0 },
                { "SSH-2.0-x\r\n\r\n\r\n", "", ANSWER_BAD, false, false, 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t cut = 0, n = strlen(rows[i].bytes); cut <= n; cut++) {
                        Answer a;
                        answer_reset(&a, rows[i].mark);
                        answer_feed(&a, rows[i].bytes, cut);
                        answer_feed(&a, rows[i].bytes + cut, n - cut);
                        assert_int_equal(a.state, rows[i].state);
                        assert_int_equal(a.status, rows[i].status);
                        assert_int_equal(a.n_events, rows[i].n_events);
                        assert_int_equal(a.complete, rows[i].complete);
                        assert_int_equal(answer_closed(&a), rows[i].closes_well);
                }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_percentiles),
                cmocka_unit_test(test_schedule),
                cmocka_unit_test(test_framing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
