/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "config/config.h"

static void say(LogLevel level, const char *line, void *userdata) {
}

static void set(ConfigText *t, const char *name, const char *value) {
        if (value)
                assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENVIRONMENT, name, value, strlen(value)),
                                 0);
}

static void make_with(const char *url, const char *store, Config **ret) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;

        assert_int_equal(config_text_new(&t), 0);
        set(t, "API_KEYS", "the-key-of-this-test");
        set(t, "GEMINI_BASE_URL", url);
        set(t, "GEMINI_STORE", store);
        assert_int_equal(config_new(t, say, NULL, ret), 0);
}

/* Without a value of GEMINI_STORE only Google's own hosts get the member. */
static void test_store(void **state) {
        static const struct {
                const char *url, *store_text; /* GEMINI_BASE_URL, GEMINI_STORE; NULL: not set */
                GeminiStore store;
                bool is_told;
        } rows[] = {
                { NULL, NULL, GEMINI_STORE_OFF, true },
                { NULL, "", GEMINI_STORE_OFF, true },
                { NULL, "Client", GEMINI_STORE_CLIENT, true },
                { NULL, "project", GEMINI_STORE_PROJECT, true },
                { "https://X.GoogleApis.com:443/x", NULL, GEMINI_STORE_OFF, true },
                { "https://googleapis.com.example.org", NULL, GEMINI_STORE_OFF, false },
                { "https://example.org/.googleapis.com", NULL, GEMINI_STORE_OFF, false },
                { "http://127.0.0.1:8081", NULL, GEMINI_STORE_OFF, false },
        };
        _cleanup_(config_unrefp) Config *explicit = NULL;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;

                make_with(rows[i].url, rows[i].store_text, &c);
                assert_int_equal(c->route.store, rows[i].store);
                assert_int_equal(c->route.store_is_told, rows[i].is_told);
        }
        make_with("http://127.0.0.1:8081", "off", &explicit);
        assert_true(explicit->route.store_is_told);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_store),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
