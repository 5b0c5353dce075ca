/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "core/key-test.h"

static void test_outcomes(void **state _unused_) {
        static const struct {
                VerdictClass class;
                const char *name;
        } rows[_VERDICT_CLASS_MAX] = {
                { VERDICT_OK, "works" },
                { VERDICT_KEY_DEAD, "dead" },
                { VERDICT_PROJECT_DEAD, "refused" },
                { VERDICT_BILLING, "refused" },
                { VERDICT_LIMIT_ZERO, "refused" },
                { VERDICT_DAY, "refused" },
                { VERDICT_MINUTE, "refused" },
                { VERDICT_RATE_UNKNOWN, "refused" },
                { VERDICT_TOO_LARGE, "refused" },
                { VERDICT_MODEL_FOR_PROJECT, "refused" },
                { VERDICT_KEY_REFUSED, "refused" },
                { VERDICT_GEO, "refused" },
                { VERDICT_RESOURCE, "refused" },
                { VERDICT_SIGNATURE, "refused" },
                { VERDICT_REQUEST, "refused" },
                { VERDICT_OVERLOAD, "unreachable" },
                { VERDICT_UNREACHABLE, "unreachable" },
                { VERDICT_FOREIGN, "unreachable" },
                { VERDICT_CUT, "unreachable" },
                { VERDICT_TIMEOUT, "unreachable" },
                { VERDICT_CLI, "unreachable" },
                { VERDICT_CLIENT_GONE, "unreachable" },
                { VERDICT_INTERNAL, "unreachable" },
        };
        Verdict v;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(rows[i].class, i);
                verdict_init(&v, rows[i].class, 0, NULL);
                assert_string_equal(key_test_to_string(key_test_outcome(&v)), rows[i].name);
        }
        /* Google refuses the key and does not say that it does not know it. */
        verdict_init(&v, VERDICT_KEY_DEAD, 403, NULL);
        v.is_unsure = true;
        assert_int_equal(key_test_outcome(&v), KEY_TEST_REFUSED);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_outcomes),
        };

        return cmocka_run_group_tests_name("key-test", tests, NULL, NULL);
}
