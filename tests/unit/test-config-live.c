/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "config-setting.h"

/* The settings of the Live API: their bounds and defaults. */

static int read_one(const char *name, const char *value, char said[static SAID_MAX], Config **ret) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;

        said[0] = 0;
        assert_int_equal(config_text_new(&t), 0);
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k", 1), 0);
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENV_FILE, name, value, strlen(value)), 0);
        return config_new(t, say, said, ret);
}

static void test_values(void **state) {
        static const struct {
                const char *name, *value;
                size_t field;
                uint64_t expected;
        } rows[] = {
                { "MAX_LIVE", "", offsetof(Config, max_live), 64 },
                { "MAX_LIVE", "0", offsetof(Config, max_live), 0 },
                { "MAX_LIVE", "4096", offsetof(Config, max_live), 4096 },
                { "LIVE_MAX_MESSAGE", "", offsetof(Config, live_max_message), 4 << 20 },
                { "LIVE_MAX_MESSAGE", "16M", offsetof(Config, live_max_message), 16 << 20 },
                { "LIVE_DEADLINE", "", offsetof(Config, live_deadline), USEC_PER_HOUR },
                { "LIVE_DEADLINE", "1d", offsetof(Config, live_deadline), USEC_PER_DAY },
                { "LIVE_IDLE_TIMEOUT", "", offsetof(Config, live_idle_timeout), 10 * USEC_PER_MINUTE },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                char said[SAID_MAX];
                uint64_t value;

                assert_int_equal(read_one(rows[i].name, rows[i].value, said, &c), 0);
                memcpy(&value, (char *) c + rows[i].field, sizeof(value));
                assert_true(value == rows[i].expected);
        }
}

static void test_faults(void **state) {
        static const struct {
                const char *name, *value, *said;
        } rows[] = {
                { "MAX_LIVE", "4097", "MAX_LIVE: 4097: must be a number from 0 to 4096\n" },
                { "LIVE_MAX_MESSAGE", "17M", "LIVE_MAX_MESSAGE: 17M: must be a size from 1K to 16M\n" },
                { "LIVE_DEADLINE", "0", "LIVE_DEADLINE: 0: must be a duration from 100ms to 1d\n" },
                { "LIVE_IDLE_TIMEOUT", "off",
                  "LIVE_IDLE_TIMEOUT: off: must be a duration from 100ms to 1d\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                char said[SAID_MAX];

                assert_int_equal(read_one(rows[i].name, rows[i].value, said, &c), -EINVAL);
                assert_string_equal(said, rows[i].said);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_faults),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
