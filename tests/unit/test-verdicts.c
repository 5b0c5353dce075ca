/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "core/verdicts.h"
#include "test.h"

static void test_in_order(void **state _unused_) {
        char text[VERDICTS_TEXT_MAX] = "x";
        Verdicts l = {};

        verdicts_format(&l, ", ", text);
        assert_string_equal(text, "");
        verdicts_add(&l, VERDICT_MINUTE);
        verdicts_add(&l, VERDICT_OVERLOAD);
        verdicts_add(&l, VERDICT_OK);
        verdicts_format(&l, ", ", text);
        assert_string_equal(text, "minute, overload, ok");
        verdicts_amend(&l, VERDICT_CUT);
        verdicts_format(&l, ",", text);
        assert_string_equal(text, "minute,overload,cut");
        verdicts_done(&l);
}

/* However many there are, they fit, and the last one is there. */
static void test_ceiling(void **state _unused_) {
        char text[VERDICTS_TEXT_MAX];
        Verdicts l = {};

        for (unsigned i = 0; i < 3 * VERDICTS_MAX; i++)
                verdicts_add(&l, VERDICT_MODEL_FOR_PROJECT); /* the longest name */
        assert_int_equal(l.n, VERDICTS_MAX);
        verdicts_add(&l, VERDICT_OK);
        verdicts_format(&l, ", ", text);
        assert_true(strlen(text) < sizeof(text));
        assert_string_equal(strrchr(text, ','), ", ok");
}

/* A request has TRIES_MAX attempts at most, and each verdict is kept. */
static void test_all_kept(void **state _unused_) {
        char text[VERDICTS_TEXT_MAX];
        Verdicts l = {};

        for (unsigned i = 0; i < TRIES_MAX; i++)
                verdicts_add(&l, i % 2 ? VERDICT_DAY : VERDICT_OK);
        verdicts_format(&l, ",", text);
        assert_int_equal(strlen(text), TRIES_MAX / 2 * strlen("ok,day,") - 1);
        for (unsigned i = 0; i < TRIES_MAX / 2; i++)
                assert_memory_equal(text + i * strlen("ok,day,"), "ok,day", strlen("ok,day"));
        verdicts_done(&l);
}

static void test_names_are_short(void **state _unused_) {
        for (VerdictClass i = 0; i < _VERDICT_CLASS_MAX; i++)
                assert_true((strlen(verdict_rule(i)->name) + 2) * VERDICTS_MAX < VERDICTS_TEXT_MAX);
}

static void test_cause(void **state _unused_) {
        Verdicts l = {};

        verdicts_set_cause(&l, "");
        assert_null(l.cause);
        verdicts_set_cause(&l, "Connection refused");
        verdicts_set_cause(&l, "Could not resolve host");
        verdicts_set_cause(&l, "");
        assert_string_equal(l.cause, "Could not resolve host");
        verdicts_done(&l);
        assert_null(l.cause);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_in_order),
                cmocka_unit_test(test_ceiling),
                cmocka_unit_test(test_all_kept),
                cmocka_unit_test(test_names_are_short),
                cmocka_unit_test(test_cause),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
