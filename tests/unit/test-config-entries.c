/* SPDX-License-Identifier: MIT */

/* The forms of a file of keys or tokens, and the message about a line that is none, with its number. */
#include "test.h"

#include "base/text.h"
#include "config/internal.h"

#define KEY_A "AIzaSyA0123456789"
#define KEY_WHOLE "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"
#define KEY_B "AQ.Ab8RN6-0123456"

typedef struct Said {
        char text[4096];
} Said;

static void say(LogLevel level, const char *line, void *userdata) {
        Said *s = userdata;
        size_t n = strlen(s->text);

        (void) snprintf(s->text + n, sizeof(s->text) - n, "%s%s\n",
                        level == LOG_LEVEL_WARNING ? "warning: " : "", line);
}

static int read_as(ConfigSource source, const char *name, const char *text, Config **ret, Said *said) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;

        *said = (Said){};
        assert_int_equal(config_text_new(&t), 0);
        assert_int_equal(config_text_set(t, CONFIG_SOURCE_ENV_FILE, "API_KEYS", "another-key", 11), 0);
        assert_int_equal(config_text_set_from(t, source, name, text, strlen(text),
                                              source == CONFIG_SOURCE_ENVIRONMENT ? NULL : "the-file",
                                              source == CONFIG_SOURCE_ENV_FILE ? 7 : 0),
                         0);
        return config_new(t, say, said, ret);
}

/* MASK, MASK=NAME, MASK=NAME@PROJECT, MASK!, joined by blanks. */
static const char *show_keys(const Config *c, char ret[static 512]) {
        *ret = 0;
        for (size_t i = 0; i < c->n_keys; i++) {
                const KeyConfig *key = c->keys + i;
                char mask[SECRET_MASK_MAX];
                size_t n = strlen(ret);

                secret_mask_key(key->secret, mask);
                (void) snprintf(ret + n, 512 - n, "%s%s%s%s%s%s%s", n > 0 ? " " : "", mask,
                                key->name ? "=" : "", strempty(key->name), key->project ? "@" : "",
                                strempty(key->project), key->disabled ? "!" : "");
        }
        return ret;
}

#define A "AIza****6789"
#define B "AQ.A****3456"

static void test_forms(void **state _unused_) {
        static const char *const rows[][2] = {
                { KEY_A "\n" KEY_B "\n", A " " B },
                { "# ours\n\n" KEY_A "   # the first\n" KEY_B " # and, # another\n# end", A " " B },
                { "work = " KEY_A "\r\nat home\t=\t" KEY_B "\r\n", A "=work " B "=at home" },
                { "work= " KEY_A "\nhome =" KEY_B " # spare", A "=work " B "=home" },
                { "a = " KEY_A ", b = " KEY_B, A "=a " B "=b" },
                { "{\"key\": \"" KEY_A "\", \"name\": \"work\", \"project\": \"p, # q\"} # comment\n" KEY_B,
                  A "=work@p, # q " B },
                { "{\"key\": \"" KEY_A "\"}, {\"key\": \"" KEY_B "\", \"disabled\": true},", A " " B "!" },
                { "# over several lines\n{\n  \"key\": \"" KEY_A "\",\n  \"name\": \"}{\"\n}\nb = " KEY_B,
                  A "=}{ " B "=b" },
                { "# an array\n[\"" KEY_A "\", {\"key\": \"" KEY_B "\", \"name\": \"b\"}]\n", A " " B "=b" },
                { "key-that-ends-in==", "key-****in==" },
                { "#" KEY_A "\n" KEY_B, B },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                char shown[512];
                Said said;
                int r;

                r = read_as(CONFIG_SOURCE_DIRECTORY, "API_KEYS", rows[i][0], &c, &said);
                if (*said.text)
                        print_message("%s\n%s", rows[i][0], said.text);
                assert_int_equal(r, 0);
                assert_string_equal(said.text, "");
                assert_string_equal(show_keys(c, shown), rows[i][1]);
        }
}

static void test_tokens(void **state _unused_) {
        _cleanup_(config_unrefp) Config *c = NULL;
        const Token *t;
        Said said;

        assert_int_equal(read_as(CONFIG_SOURCE_CREDENTIAL, "ALLOWED_TOKENS",
                                 "alice = token-of-alice # hers\n{\"token\": \"token-of-bob\", \"name\": "
                                 "\"bob\"}\ntoken-of-none",
                                 &c, &said),
                         0);
        assert_string_equal(said.text, "");
        assert_int_equal(c->tokens.n_client, 3);
        t = token_set_find(&c->tokens, "token-of-alice", strlen("token-of-alice"));
        assert_string_equal(t->name, "alice");
        t = token_set_find(&c->tokens, "token-of-bob", strlen("token-of-bob"));
        assert_string_equal(t->name, "bob");
        t = token_set_find(&c->tokens, "token-of-none", strlen("token-of-none"));
        assert_null(t->name);
}

#define CHARACTERS "must be 1 to 512 printable ASCII characters without blanks"
#define QUOTES     "must be without quotes and brackets, or be in a JSON array"
#define OBJECT     "must be {key, name?, project?, proxy?, disabled?}"

static void test_faults(void **state _unused_) {
        static const struct {
                ConfigSource source;
                const char *text, *said;
        } rows[] = {
                { CONFIG_SOURCE_DIRECTORY, "# x\n" KEY_A "\nhas a blank\n",
                  "API_KEYS: entry 2: " CHARACTERS " (the-file:3)\n" },
                { CONFIG_SOURCE_ENV_FILE, KEY_A "\nhas a blank\n",
                  "API_KEYS: entry 2: " CHARACTERS " (the-file:8)\n" },
                { CONFIG_SOURCE_ENVIRONMENT, KEY_A ",has a blank", "API_KEYS: entry 2: " CHARACTERS "\n" },
                { CONFIG_SOURCE_DIRECTORY, "work=" KEY_A,
                  "API_KEYS: entry 1: must be NAME = KEY, with blanks around the = (the-file:1)\n" },
                { CONFIG_SOURCE_ENVIRONMENT, "[\"work=" KEY_A "\"]",
                  "API_KEYS: entry 1: must be NAME = KEY, with blanks around the =\n" },
                { CONFIG_SOURCE_DIRECTORY, "work=x\n{",
                  "warning: API_KEYS: entry 1: should have blanks around the =, if it is NAME = KEY "
                  "(the-file:1)\n"
                  "API_KEYS: entry 2: must be valid JSON: unexpected end of data, at character 2 "
                  "(the-file:2)\n" },
                { CONFIG_SOURCE_DIRECTORY, "work = \n" KEY_WHOLE " = work\n",
                  "API_KEYS: entry 1: " CHARACTERS " (the-file:1)\n"
                  "API_KEYS: entry 2 (****): name: must not be a key or token (the-file:2)\n" },
                { CONFIG_SOURCE_DIRECTORY, "twice-as-name = twice-as-name",
                  "API_KEYS: entry 1 (twic****name): name: must not be a key or token (the-file:1)\n" },
                { CONFIG_SOURCE_DIRECTORY, "AIza…\nAIzaSy...\n",
                  "API_KEYS: entry 1: must be the whole key, without … at its end (the-file:1)\n"
                  "API_KEYS: entry 2: must be the whole key, without … at its end (the-file:2)\n" },
                { CONFIG_SOURCE_DIRECTORY, "x\n\"" KEY_A "\"\n'" KEY_A "'\n[\"" KEY_A "\"]\na = \"b\"",
                  "API_KEYS: entry 2: " QUOTES " (the-file:2)\n"
                  "API_KEYS: entry 3: " QUOTES " (the-file:3)\n"
                  "API_KEYS: entry 4: " QUOTES " (the-file:4)\n"
                  "API_KEYS: entry 5: " QUOTES " (the-file:5)\n" },
                { CONFIG_SOURCE_DIRECTORY, "\n[\"" KEY_A "\",\n \"" KEY_B "\"\n",
                  "API_KEYS: must be a JSON array ([\"…\", \"…\"]) or entries separated by commas: "
                  "unexpected end of data, at character 1 of line 3 (the-file:4)\n" },
                { CONFIG_SOURCE_DIRECTORY,
                  "{\"key\": \"" KEY_A "\",}\n{\"name\": \"n\"}\n{\"key\": \"x\"} y\n",
                  "API_KEYS: entry 1: must be valid JSON: a name in quotes is expected, at character 29 "
                  "(the-file:1)\n"
                  "API_KEYS: entry 2: an object without key: " OBJECT " (the-file:2)\n"
                  "API_KEYS: entry 3: must end with its line or a comma (the-file:3)\n" },
                { CONFIG_SOURCE_DIRECTORY, "{\"key\": \"" KEY_A "\", \"name\": \"" KEY_WHOLE "\"}",
                  "API_KEYS: entry 1 (" A "): name: must not be a key or token (the-file:1)\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Config *c = NULL;
                Said said;
                int r;

                r = read_as(rows[i].source, "API_KEYS", rows[i].text, &c, &said);
                if (!streq(said.text, rows[i].said))
                        print_message("%s\n", rows[i].text);
                assert_string_equal(said.text, rows[i].said);
                assert_int_equal(r, -EINVAL);
                assert_null(c);
        }
}

/* Names that are nearly a setting's; and compose's, which are another matter. */
static void test_near(void **state _unused_) {
        static const char *const rows[][2] = {
                { "ALOWED_IPS", "ALLOWED_IPS" },      { "ALLOWED_IP", "ALLOWED_IPS" },
                { "API_KEY", "API_KEYS" },            { "APIKEYS", "API_KEYS" },
                { "api_keys", "API_KEYS" },           { "Log_Levle", "LOG_LEVEL" },
                { "LISTNE", "LISTEN" },               { "GEMINI_BASEURL", "GEMINI_BASE_URL" },
                { "QUOTA_RESET_TIME_ZONE", "QUOTA_RESET_TIMEZONE" },
                { "ALLOWED_TOKEN", "ALLOWED_TOKENS" }, { "MAXBODY", "MAX_BODY" },
                { "HTTP_PROXI", "HTTPS_PROXY" },      { "NO_SUCH", NULL },
                { "GOOGLE_API_KEY", NULL },           { "ALLOWED", NULL },
                { "A_NAME_THAT_IS_MUCH_LONGER_THAN_THE_NAME_OF_ANY_SETTING_CAN_BE_X", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Setting *s = config_setting_near(rows[i][0], strlen(rows[i][0]));

                if (!streq_ptr(s ? s->name : NULL, rows[i][1]))
                        print_message("%s\n", rows[i][0]);
                assert_true(streq_ptr(s ? s->name : NULL, rows[i][1]));
        }
        for (size_t i = 0; i < config_n_settings; i++) {
                const Setting *s = config_settings + i;

                assert_ptr_equal(config_setting_near(s->name, strlen(s->name)), s);
        }
}

/* Bits behind the prefix are no mistake that a request would show. */
static void test_host_bits(void **state _unused_) {
        static const char *const rows[][2] = {
                { "10.0.0.5/8",
                  "warning: ALLOWED_IPS: 10.0.0.5/8: means 10.0.0.0/8: should be written like this, or as "
                  "10.0.0.5 for one address\n" },
                { "2001:db8::1/32",
                  "warning: ALLOWED_IPS: 2001:db8::1/32: means 2001:db8::/32: should be written like this, "
                  "or as 2001:db8::1 for one address\n" },
                { "1.2.3.4/0",
                  "warning: ALLOWED_IPS: 1.2.3.4/0: means 0.0.0.0/0: should be written like this, or as "
                  "1.2.3.4 for one address\n" },
                { "10.0.0.0/8,1.2.3.4/32,1.2.3.4,::/0,2001:db8::/32,*", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                Said said;

                assert_int_equal(
                        read_as(CONFIG_SOURCE_ENVIRONMENT, "ALLOWED_IPS", rows[i][0], &c, &said), 0);
                assert_string_equal(said.text, rows[i][1]);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),  cmocka_unit_test(test_tokens), cmocka_unit_test(test_faults),
                cmocka_unit_test(test_near),   cmocka_unit_test(test_host_bits),
        };

        return cmocka_run_group_tests_name("config-entries", tests, NULL, NULL);
}
