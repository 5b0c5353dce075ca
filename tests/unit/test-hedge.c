/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "core/hedge.h"

#define MODEL "gemini-3.8-flash"

/* However they come, hedges are never more than a twentieth of what was begun, and of any stretch of
 * requests not more than that and what may be saved up. */
static void test_share(void **state) {
        _cleanup_(hedges_freep) Hedges *h = NULL;
        unsigned taken = 0, n = 0, in_a_row = 0;

        assert_int_equal(hedges_new(&h), 0);
        assert_false(hedges_may(h));
        for (; n < 1000; n++) {
                assert_true(hedges_begin(h, USEC_PER_SEC, MODEL, false) == USEC_PER_SEC);
                if (hedges_may(h)) {
                        hedges_take(h);
                        taken++;
                }
                assert_true(taken * HEDGE_SHARE <= n + 1);
        }
        assert_int_equal(taken, 50);

        for (n = 0; n < 100000; n++)
                (void) hedges_begin(h, USEC_PER_SEC, MODEL, false);
        for (; hedges_may(h); in_a_row++)
                hedges_take(h);
        assert_int_equal(in_a_row, HEDGE_SAVED);
}

static void test_off(void **state) {
        _cleanup_(hedges_freep) Hedges *h = NULL;

        assert_int_equal(hedges_new(&h), 0);
        for (unsigned i = 0; i < 100; i++)
                assert_true(hedges_begin(h, HEDGE_OFF, MODEL, false) == 0);
        assert_false(hedges_may(h));
}

static void test_p95(void **state) {
        _cleanup_(hedges_freep) Hedges *h = NULL;

        assert_int_equal(hedges_new(&h), 0);
        for (unsigned i = 1; i <= HEDGE_KNOWN; i++) {
                assert_true(hedges_begin(h, HEDGE_P95, MODEL, true) == 0); /* too little is known */
                hedges_note_first(h, MODEL, true, i * USEC_PER_MSEC);
        }
        /* The 31st of 1 … 32. */
        assert_true(hedges_begin(h, HEDGE_P95, MODEL, true) == 31 * USEC_PER_MSEC);
        assert_true(hedges_begin(h, HEDGE_P95, MODEL, false) == 0); /* a separate kind */
        assert_true(hedges_begin(h, HEDGE_P95, "other", true) == 0);

        /* What was long ago is forgotten. */
        for (unsigned i = 0; i < HEDGE_WINDOW; i++)
                hedges_note_first(h, MODEL, true, (i % 30 == 0 ? 900 : 100) * USEC_PER_MSEC);
        assert_true(hedges_begin(h, HEDGE_P95, MODEL, true) == 100 * USEC_PER_MSEC);
        for (unsigned i = 0; i < HEDGE_WINDOW; i++)
                hedges_note_first(h, MODEL, true, (i % 10 == 0 ? 900 : 100) * USEC_PER_MSEC);
        assert_true(hedges_begin(h, HEDGE_P95, MODEL, true) == 900 * USEC_PER_MSEC);
}

/* The table is full: the model unused longest is dropped. */
static void test_models(void **state) {
        _cleanup_(hedges_freep) Hedges *h = NULL;
        char name[32];

        assert_int_equal(hedges_new(&h), 0);
        for (unsigned m = 0; m <= HEDGE_MODELS_MAX; m++) {
                (void) snprintf(name, sizeof(name), "model-%u", m);
                for (unsigned i = 0; i < HEDGE_KNOWN; i++)
                        hedges_note_first(h, name, false, USEC_PER_SEC);
        }
        assert_true(hedges_begin(h, HEDGE_P95, name, false) == USEC_PER_SEC);
        assert_true(hedges_begin(h, HEDGE_P95, "model-1", false) == USEC_PER_SEC);
        assert_true(hedges_begin(h, HEDGE_P95, "model-0", false) == 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_share),
                cmocka_unit_test(test_off),
                cmocka_unit_test(test_p95),
                cmocka_unit_test(test_models),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
