/* SPDX-License-Identifier: MIT */

/* What the messages about settings show of secrets, and which secrets give a warning. */
#include "test.h"

#include "base/text.h"
#include "config/internal.h"

typedef struct Said {
        char text[16384];
} Said;

static void say(LogLevel level, const char *line, void *userdata) {
        Said *s = userdata;
        size_t n = strlen(s->text);

        (void) snprintf(s->text + n, sizeof(s->text) - n, "%s%s\n",
                        level == LOG_LEVEL_WARNING ? "warning: " : "", line);
}

static void set(ConfigText *t, ConfigSource source, const char *name, const char *value) {
        assert_int_equal(config_text_set(t, source, name, value, strlen(value)), 0);
}

/* A client with such a token could use the key without gemgate. */
static void test_token_is_a_key(void **state _unused_) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "AIzaSy-0123456789,another-key-1,another-key-2");
        set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", "a-client-1,AIzaSy-0123456789");
        set(t, CONFIG_SOURCE_ENV_FILE, "ADMIN_TOKENS", "an-admin-1,another-key-2");
        assert_int_equal(config_new(t, say, &said, &c), -EINVAL);
        assert_string_equal(said.text,
                            "ALLOWED_TOKENS: AIza****6789: must differ from the API keys, because a client "
                            "with this token could use the key elsewhere\n"
                            "ADMIN_TOKENS: anot****ey-2: must differ from the API keys, because a client "
                            "with this token could use the key elsewhere\n");
}

/* A key or a password that was pasted into the wrong place is not shown. */
static void test_pasted(void **state _unused_) {
        static const char *const secrets[] = {
                "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "AQ.Ab8RN6Kx1y2z3A4b5C6d7E8f9G0h1I2j3K4l5M6n",
                "sk-proj-9f8e7d6c5b4a39281706f5e4d3c2b1a0", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
                "tok-1-0123456789abcdef01234567",
        };
        static const char *const forms[][2] = {
                { "", "" },         { "{\"a\": \"", "\"}" },      { "{\"", "\": \"../x\"}" },
                { "unix:", "" },    { "redis://me:", "@host" }, { "[\"", "\"]" },
                { "x,", "" },       { "{\"", "\": {\"rpm\": \"x\"}}" },
        };
        const char *name;
        bool secret;

        for (size_t i = 0; (name = config_setting_name(i, &secret)); i++)
                for (size_t j = 0; j < ELEMENTSOF(secrets) * ELEMENTSOF(forms); j++) {
                        const char *pasted = secrets[j / ELEMENTSOF(forms)];
                        _cleanup_(config_text_freep) ConfigText *t = NULL;
                        _cleanup_(config_unrefp) Config *c = NULL;
                        char value[256];
                        Said said = {};

                        (void) snprintf(value, sizeof(value), "%s%s%s", forms[j % ELEMENTSOF(forms)][0],
                                        pasted, forms[j % ELEMENTSOF(forms)][1]);
                        assert_int_equal(config_text_new(&t), 0);
                        set(t, CONFIG_SOURCE_ENV_FILE, name, value);
                        (void) config_new(t, say, &said, &c);
                        for (size_t k = 5; pasted[k + 8]; k++) {
                                char piece[9];

                                (void) snprintf(piece, sizeof(piece), "%.8s", pasted + k);
                                if (strstr(said.text, piece))
                                        fail_msg("%s=%s: %s", name, value, said.text);
                        }
                }
}

/* A key is a good model's name or path, but no value of such a setting; and what is configured as a secret
 * is not shown, however it looks. */
static void test_in_wrong_setting(void **state _unused_) {
#define KEY   "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"
#define STARS "***********************************"
        static const char *const rows[][3] = {
                { "DEFAULT_MODEL", KEY, "DEFAULT_MODEL: AIza" STARS ": must not hold an API key\n" },
                { "MODEL_ALIASES", "{\"gpt\":\"" KEY "\"}",
                  "MODEL_ALIASES: {\"gpt\":\"AIza" STARS "\"}: must not hold an API key\n" },
                { "LOG_DIR", "/" KEY, "LOG_DIR: /AIza" STARS ": must not hold an API key\n" },
                { "LOG_LEVEL", "my-simple-token",
                  "LOG_LEVEL: ***************: must be DEBUG, INFO, WARNING or ERROR\n" },
                { "LOG_LEVEL", "x my-simple-keys y",
                  "LOG_LEVEL: x ************** y: must be DEBUG, INFO, WARNING or ERROR\n" },
                { "LOG_LEVEL", "a@b http://me:h/t@r/2@h:1/p@q",
                  "LOG_LEVEL: *@b http://****************@q: must be DEBUG, INFO, WARNING or ERROR\n" },
                { "LOG_LEVEL", "/p/me:hunter2@h:1",
                  "LOG_LEVEL: /p/**********@h:1: must be DEBUG, INFO, WARNING or ERROR\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                Config *c = NULL;
                Said said = {};

                assert_int_equal(config_text_new(&t), 0);
                set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "my-simple-keys");
                set(t, CONFIG_SOURCE_ENV_FILE, "ALLOWED_TOKENS", "my-simple-token");
                set(t, CONFIG_SOURCE_ENV_FILE, rows[i][0], rows[i][1]);
                assert_int_equal(config_new(t, say, &said, &c), -EINVAL);
                assert_string_equal(said.text, rows[i][2]);
        }
}

/* Names that a message must go on showing. */
static void test_names_are_shown(void **state _unused_) {
        static const char *const names[] = {
                "gemini-2.5-flash-preview-native-audio-dialog", "gemini-2.5-flash-preview-09-2025",
                "models/gemini-flash-latest", "America/Argentina/ComodRivadavia", "127.0.0.1:8080",
                "[2001:db8::1]:443", "https://generativelanguage.googleapis.com",
                "/var/lib/gemgate/state.db", "30seconds!", "localhost:8080",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *copy = strdup(names[i]);

                assert_non_null(copy);
                secret_scrub_suspects(copy);
                assert_string_equal(copy, names[i]);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_token_is_a_key),
                cmocka_unit_test(test_pasted),
                cmocka_unit_test(test_in_wrong_setting),
                cmocka_unit_test(test_names_are_shown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
