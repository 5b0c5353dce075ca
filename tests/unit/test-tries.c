/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "core/tries.h"

#define MIB (1U << 20)

static const struct {
        VerdictClass class;
        int status;
        usec_t took;
        size_t n_sent;
        bool cheap;
} rows[] = {
        { VERDICT_MINUTE, 429, 0, 0, true },
        { VERDICT_DAY, 429, USEC_PER_SEC, MIB - 1, true },
        { VERDICT_KEY_DEAD, 400, 1, 1, true },
        { VERDICT_PROJECT_DEAD, 403, 1, 1, true },
        { VERDICT_DAY, 429, USEC_PER_SEC + 1, 1, false },
        { VERDICT_DAY, 429, 1, MIB, false },
        { VERDICT_OVERLOAD, 503, 1, 1, false },
        { VERDICT_FOREIGN, 429, 1, 1, false }, /* not Google's own form: it is no judgement on the key */
        { VERDICT_FOREIGN, 401, 1, 1, false },
        { VERDICT_UNREACHABLE, 0, 1, 1, false },
        { VERDICT_OVERLOAD, 0, 1, 1, false },
        { VERDICT_TIMEOUT, 0, USEC_PER_MINUTE, 1, false },
        { VERDICT_CUT, 200, 1, 1, false },
        { VERDICT_INTERNAL, 0, 1, 1, false },
};

static void test_cheap(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Verdict v;

                verdict_init(&v, rows[i].class, rows[i].status, NULL);
                if (try_is_cheap(&v, rows[i].took, rows[i].n_sent) != rows[i].cheap)
                        fail_msg("row %zu", i);
        }
}

static void test_ends(void **state) {
        Verdict cheap, dear;
        Tries t = {};

        verdict_init(&cheap, VERDICT_DAY, 429, NULL);
        verdict_init(&dear, VERDICT_OVERLOAD, 503, NULL);
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                assert_true(tries_are_left(&t));
                t.n++;
                tries_failed(&t, &cheap, 0, 0);
        }
        assert_false(tries_are_left(&t));

        t = (Tries){};
        for (unsigned i = 0; i < TRIES_DEAR_MAX; i++) {
                assert_true(tries_are_left(&t));
                t.n++;
                tries_failed(&t, &dear, 0, 0);
        }
        assert_false(tries_are_left(&t));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cheap),
                cmocka_unit_test(test_ends),
        };

        return cmocka_run_group_tests_name("tries", tests, NULL, NULL);
}
