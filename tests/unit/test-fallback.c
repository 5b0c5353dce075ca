/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "config/config.h"

static void say(LogLevel level, const char *line, void *userdata) {
        char *said = userdata;
        size_t n = strlen(said);

        (void) snprintf(said + n, 1024 - n, "%s%s\n", level == LOG_LEVEL_WARNING ? "warning: " : "", line);
}

static void set(ConfigText *t, ConfigSource source, const char *name, const char *value) {
        assert_int_equal(config_text_set(t, source, name, value, strlen(value)), 0);
}

static void test_fallbacks(void **state) {
        static const struct {
                const char *aliases, *fallbacks, *said;
                int result;
        } rows[] = {
                { "{}", "{\"a\":[\"b\",\"models/c\"],\"b\":[\"a\"]}", "", 0 },
                { "{}", "{\"a\":[\"b\",\"a\"]}", "warning: FALLBACK_MODELS: a: falls back to itself\n", 0 },
                { "{\"x\":\"a\"}", "{\"x\":[\"a\"]}", "warning: FALLBACK_MODELS: x: falls back to itself\n",
                  0 },
                { "{\"x\":\"cli/a\"}", "{\"b\":[\"x\"]}",
                  "FALLBACK_MODELS: x: must be a model that Gemini's API serves, not an alias of cli/a\n",
                  -EINVAL },
                { "{}", "[]", "FALLBACK_MODELS: []: must be {\"MODEL\": [\"MODEL\", …]}\n", -EINVAL },
                { "{}", "{\"a\":\"b\"}",
                  "FALLBACK_MODELS: a: must be {\"MODEL\": [\"MODEL\", …]}\n", -EINVAL },
                { "{}", "{\"a\":[]}", "FALLBACK_MODELS: a: must be {\"MODEL\": [\"MODEL\", …]}\n", -EINVAL },
                { "{}", "{\"a\":[1]}", "FALLBACK_MODELS: must be {\"MODEL\": [\"MODEL\", …]}\n", -EINVAL },
                { "{}", "{\"a/b\":[\"c\"],\"d\":[\"cli/e\",\"f?\"]}",
                  "FALLBACK_MODELS: a/b: must be a model's name without cli/\n"
                  "FALLBACK_MODELS: cli/e: must be a model's name without cli/\n"
                  "FALLBACK_MODELS: f?: must be a model's name without cli/\n",
                  -EINVAL },
                { "{}", "{\"a\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}",
                  "FALLBACK_MODELS: 9: must be at most 8 fallbacks of one model\n", -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                _cleanup_(config_unrefp) Config *c = NULL;
                char said[1024] = "";

                assert_int_equal(config_text_new(&t), 0);
                set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "the-key-of-this-test");
                set(t, CONFIG_SOURCE_ENV_FILE, "MODEL_ALIASES", rows[i].aliases);
                set(t, CONFIG_SOURCE_ENV_FILE, "FALLBACK_MODELS", rows[i].fallbacks);
                assert_int_equal(config_new(t, say, said, &c), rows[i].result);
                assert_string_equal(said, rows[i].said);
                if (i == 0) {
                        const Fallback *f = fallback_set_find(&c->route.fallbacks, "a");

                        assert_int_equal(f->n_instead, 2);
                        assert_string_equal(f->instead[1], "c");
                        assert_null(fallback_set_find(&c->route.fallbacks, "c"));
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fallbacks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
