/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "config/config.h"

/* What a reload may not change, and what is left out of GEMINI_BASE_URL. */

typedef struct Said {
        char text[4096];
        size_t n_lines;
} Said;

static void say(LogLevel level _unused_, const char *line, void *userdata) {
        Said *s = userdata;
        size_t n = strlen(s->text);

        s->n_lines++;
        (void) snprintf(s->text + n, sizeof(s->text) - n, "%s\n", line);
}

static void set(ConfigText *t, ConfigSource source, const char *name, const char *value) {
        assert_int_equal(config_text_set(t, source, name, value, strlen(value)), 0);
}

/* A setting that is fixed until a restart keeps its value over a reload, but the new value must be valid. */
static void test_what_is_fixed(void **state) {
        static const struct {
                const char *name, *value; /* beside what runs */
                const char *differ;
                int r;
        } rows[] = {
                { "DEFAULT_MODEL", "two", "", 0 },
                { "MAX_CONNECTIONS", "7", "", 0 },
                { "MAX_CONNECTIONS", "8", "MAX_CONNECTIONS", 0 },
                { "MAX_CONNECTIONS", "", "MAX_CONNECTIONS", 0 }, /* the default is another */
                { "LISTEN", "127.0.0.1:1", "LISTEN", 0 },
                { "QUOTA_RESET_TIMEZONE", "UTC", "QUOTA_RESET_TIMEZONE", 0 },
                { "ALLOWED_TOKENS", "", "", -EINVAL }, /* it listens beyond loopback */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                _cleanup_(config_unrefp) Config *running = NULL, *c = NULL;
                _cleanup_buf_ Buf differ = BUF_INIT(4096);
                Said said = {};
                int r;

                assert_int_equal(config_text_new(&t), 0);
                set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k");
                set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", "token-of-this-test");
                set(t, CONFIG_SOURCE_ENV_FILE, "LISTEN", "0.0.0.0:8080");
                set(t, CONFIG_SOURCE_ENV_FILE, "MAX_CONNECTIONS", "7");
                assert_int_equal(config_new(t, say, &said, &running), 0);
                set(t, CONFIG_SOURCE_ENV_FILE, rows[i].name, rows[i].value);
                r = config_new(t, say, &said, &c);
                assert_int_equal(r, rows[i].r);
                if (r < 0)
                        continue;
                assert_int_equal(config_keep_fixed(t, running, say, &said, &differ, &c), 0);
                assert_string_equal(buf_cstr(&differ) ?: "", rows[i].differ);
                assert_string_equal(said.text, "");
                assert_string_equal(c->listen[0], "0.0.0.0:8080");
                assert_int_equal(c->max_connections, 7);
                assert_string_equal(c->quota_reset_timezone, "America/Los_Angeles");
                assert_string_equal(c->default_model,
                                    streq(rows[i].name, "DEFAULT_MODEL") ? "two" : "gemini-flash-latest");
        }
}

/* Good for a start, but not beside what runs: no token any more, and a listener that only a restart moves.
 */
static void test_what_is_fixed_forbids(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        _cleanup_(config_unrefp) Config *running = NULL, *c = NULL;
        _cleanup_buf_ Buf differ = BUF_INIT(4096);
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k");
        set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", "token-of-this-test");
        set(t, CONFIG_SOURCE_ENV_FILE, "LISTEN", "0.0.0.0:8080");
        assert_int_equal(config_new(t, say, &said, &running), 0);
        set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", "");
        set(t, CONFIG_SOURCE_ENV_FILE, "LISTEN", "127.0.0.1:8080");
        assert_int_equal(config_new(t, say, &said, &c), 0);
        assert_int_equal(config_keep_fixed(t, running, say, &said, &differ, &c), -EINVAL);
        assert_int_equal(said.n_lines, 1);
        assert_non_null(startswith(said.text, "ALLOWED_TOKENS: none: "));
}

/* A version at the end of GEMINI_BASE_URL is left out. */
static void test_base_url(void **state) {
        static const char *const rows[][2] = {
                { "", "" },               { "//", "" },                 { "/gem/", "/gem" },
                { "/v1beta", "" },        { "/v1beta/openai/", "" },    { "/gem/v1//", "/gem" },
                { "/V1Beta/models", "" }, { "/v1alpha", "" },           { "/v1beta2", "/v1beta2" },
                { "/openai", "/openai" }, { "/v1/openai/v1beta/", "" }, { "/v2", "/v2" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                _cleanup_(config_unrefp) Config *c = NULL;
                char url[64] = "https://v1beta", said_so[256] = "";
                Said said = {};

                text_copy(url + strlen(url), sizeof(url) - strlen(url), rows[i][0]);
                assert_int_equal(config_text_new(&t), 0);
                set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k");
                set(t, CONFIG_SOURCE_ENV_FILE, "GEMINI_BASE_URL", url);
                assert_int_equal(config_new(t, say, &said, &c), 0);
                assert_string_equal(startswith(c->gemini_base_url, "https://v1beta"), rows[i][1]);
                if (strlen(rows[i][0]) > strlen(rows[i][1]) + 2)
                        (void) snprintf(said_so, sizeof(said_so),
                                        "GEMINI_BASE_URL: %s: is taken as %s: gemgate adds the API's "
                                        "version itself\n",
                                        url, c->gemini_base_url);
                assert_string_equal(said.text, said_so);
        }
}

/* A scheme and a host in capitals are the same ones. */
static void test_capitals(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "k");
        set(t, CONFIG_SOURCE_ENV_FILE, "GEMINI_BASE_URL", "HTTPS://Gateway.Example:8443/Gem");
        assert_int_equal(config_new(t, say, &said, &c), 0);
        assert_string_equal(c->gemini_base_url, "https://gateway.example:8443/Gem");
        assert_string_equal(said.text, "");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_fixed),
                cmocka_unit_test(test_base_url),
                cmocka_unit_test(test_capitals),
                cmocka_unit_test(test_what_is_fixed_forbids),
        };

        return cmocka_run_group_tests_name("config-fixed", tests, NULL, NULL);
}
