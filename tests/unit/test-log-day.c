/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/log-day.h"

static void test_names(void **state _unused_) {
        static const struct {
                int64_t day;
                const char *name;
        } rows[] = {
                { 0, "gemgate-1970-01-01.log" },
                { 20782, "gemgate-2026-11-25.log" },
                { 21243, "gemgate-2028-02-29.log" },
                { 21244, "gemgate-2028-03-01.log" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char name[LOG_DAY_NAME_MAX];
                int64_t day = -1;

                log_day_name(rows[i].day, name);
                assert_string_equal(name, rows[i].name);
                assert_true(log_day_parse(name, &day));
                assert_int_equal(day, rows[i].day);
        }
}

/* What is deleted must be a name of ours to the letter. */
static void test_not_ours(void **state _unused_) {
        static const char *const names[] = {
                "",
                "gemgate.log",
                "gemgate-2026-11-25",
                "gemgate-2026-11-25.log.1",
                "gemgate-2026-11-25.log ",
                "gemgate-2026-11-25.txt",
                "gemgate-2026-02-30.log",
                "gemgate-2027-02-29.log",
                "gemgate-2026-13-01.log",
                "gemgate-2026-00-10.log",
                "gemgate-2026-1-02.log",
                "gemgate- 2026-11-25.log",
                "gemgate-+026-11-25.log",
                "gemgate-20261-11-25.log",
                "Gemgate-2026-11-25.log",
                "my-gemgate-2026-11-25.log",
                "gemgate-2026-11-25.log/x",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                int64_t day = 77;

                assert_false(log_day_parse(names[i], &day));
                assert_int_equal(day, 77);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_not_ours),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
