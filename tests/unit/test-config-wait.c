/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "config-setting.h"

/* QUEUE_WAIT, and the settings that it depends on. */

#define SILENT(wait) "QUEUE_WAIT: " wait ": must be at most 1min, because STREAM_OPEN_AFTER is off\n"
#define LATE "QUEUE_WAIT: 1h: no request waits so long: REQUEST_DEADLINE ends it before\n"
#define OPEN "must be off, 0 or a duration from 100ms to 10min\n"

static void set(ConfigText *t, const char *name, const char *value) {
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENV_FILE, name, value, strlen(value)), 0);
}

/* A wait beyond a minute needs bytes for the client meanwhile. */
static void test_long_wait(void **state) {
        static const struct {
                const char *wait, *open_after, *deadline, *said;
                int r;
        } rows[] = {
                { "1min", "", "", "", 0 },
                { "61s", "", "", SILENT("61s"), -EINVAL },
                { "1h", "0", "", SILENT("1h") LATE, -EINVAL },
                { "1h", "30s", "2h", "", 0 },
                { "1h", "30s", "", LATE, 0 },
                { "61min", "30s", "2h", "QUEUE_WAIT: 61min: must be a duration from 0 to 1h\n", -EINVAL },
                { "5min", "soon", "", "STREAM_OPEN_AFTER: soon: " OPEN, -EINVAL },
                { "5min", "50ms", "", "STREAM_OPEN_AFTER: 50ms: " OPEN, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                _cleanup_(config_unrefp) Config *c = NULL;
                char said[SAID_MAX] = "";

                assert_int_equal(config_text_new(&t), 0);
                set(t, "API_KEYS", "k");
                set(t, "QUEUE_WAIT", rows[i].wait);
                set(t, "STREAM_OPEN_AFTER", rows[i].open_after);
                set(t, "REQUEST_DEADLINE", rows[i].deadline);
                assert_int_equal(config_new(t, say, said, &c), rows[i].r);
                assert_string_equal(said, rows[i].said);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_long_wait),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
