/* SPDX-License-Identifier: MIT */

/*
 * The .env grammar, compared with systemd's and compose's. The promise: a line without a note means the
 * same to all three. It is checked with a table, with .env.example, and with every short text over the
 * characters that are special to any of them.
 */
#include "test.h"

#include "base/text.h"
#include "config/internal.h"
#include "env-readers.h"

#define A "LISTEN"
#define B "DEFAULT_MODEL"

/* The notes made while reading. */
typedef struct Said {
        char text[4096];
        unsigned n_notes, n_unknown, n_errors;
} Said;

static void say(LogLevel level, const char *line, void *userdata) {
        Said *s = userdata;
        size_t n = strlen(s->text);

        if (level == LOG_LEVEL_ERROR)
                s->n_errors++;
        else if (strstr(line, "other programs read this line differently"))
                s->n_notes++;
        else
                s->n_unknown++;
        (void) snprintf(s->text + n, sizeof(s->text) - n, "%s\n", line);
}

static int read_env(const char *text, size_t n, ConfigText **ret, Said *said) {
        _cleanup_free_ char *copy = malloc(n ?: 1); /* exactly as long as it is */

        *said = (Said){};
        assert_non_null(copy);
        memcpy(copy, text, n);
        assert_int_equal(config_text_new(ret), 0);
        return config_text_read_env(*ret, copy, n, "x.env", true, say, said);
}

static const char *value_of(const ConfigText *t, const char *name) {
        size_t n;

        return config_text_get_raw(t, CONFIG_SOURCE_ENV_FILE, name, &n);
}

static void assert_value(const char *what, const char *text, const char *value, const char *expected) {
        if (!streq_ptr(value, expected))
                print_message("%s reads %s\nas %s, not %s\n", what, text, value ?: "nothing",
                              expected ?: "nothing");
        assert_true(streq_ptr(value, expected));
}

/* Each text sets A, and what the three make of it; NULL: nothing, or an error. */
static void test_side_by_side(void **state) {
        static const struct {
                const char *text;
                const char *ours, *systemd, *compose;
                bool noted;
        } rows[] = {
                /* --- the same to all --- */
                { A "=a", "a", "a", "a" },
                { A "=", "", "", "" },
                { A "=\n" B "=b", "", "", "" },
                { A "=a b", "a b", "a b", "a b" },
                { A "=[\"a\",\"b\"]", "[\"a\",\"b\"]", "[\"a\",\"b\"]", "[\"a\",\"b\"]" },
                { A "={\"a\": 'b'}", "{\"a\": 'b'}", "{\"a\": 'b'}", "{\"a\": 'b'}" },
                { A "=a=b", "a=b", "a=b", "a=b" },
                { A "=a\"b'c", "a\"b'c", "a\"b'c", "a\"b'c" },
                { "  " A "=a", "a", "a", "a" },
                { A " = a  \t\n", "a", "a", "a" },
                { A "=a\r\n" B "=b\r\n", "a", "a", "a" },
                { "\r\n\r\n" A "=\"a\"\r\n", "a", "a", "a" },
                { "# comment\n\n  # comment = too\n" A "=a\n#" A "=b", "a", "a", "a" },
                { "# \xC3\xA4\n" A "=a", "a", "a", "a" },
                { A "='a b'", "a b", "a b", "a b" },
                { A "=' a '  \n", " a ", " a ", " a " },
                { A "='a$b #c'", "a$b #c", "a$b #c", "a$b #c" },
                { A "=\"a #b\"", "a #b", "a #b", "a #b" },
                { A "=\"a'b\"", "a'b", "a'b", "a'b" },
                { A "='a\"b'", "a\"b", "a\"b", "a\"b" },
                { A "=\"[\\\"a\\\"]\"", "[\"a\"]", "[\"a\"]", "[\"a\"]" },
                { A "='[\n\"a\",\n\"b\"\n]'\n" B "=b", "[\n\"a\",\n\"b\"\n]", "[\n\"a\",\n\"b\"\n]",
                  "[\n\"a\",\n\"b\"\n]" },
                { A "=\"a\nb\"", "a\nb", "a\nb", "a\nb" },
                { A "=''", "", "", "" },
                { A "=\"\"", "", "", "" },
                { A "=a\n" A "=b", "b", "b", "b" },
                { A "=h\xC3\xA9t", "h\xC3\xA9t", "h\xC3\xA9t", "h\xC3\xA9t" },
                { A "=\ta", "a", "a", "a" },

                /* --- noted --- */
                { "export " A "=a", "a", NULL, "a", true },
                { "export\t" A "=a", "a", NULL, "a", true },
                { "\xEF\xBB\xBF" A "=a", "a", NULL, "a", true },
                { A "=a #b", "a", "a #b", "a", true },
                { A "=a\t#b", "a", "a\t#b", "a\t#b", true },
                { A "= #b", "", "#b", "#b", true },
                { A "=a#b", "a#b", "a#b", "a#b", true }, /* compose 1 cut it */
                { A "='a' # b", "a", "a# b", "a", true },
                { A "=\"a\" # b", "a", "a# b", "a", true },
                { A "=a\\b", "a\\b", "ab", "a\\b", true },
                { A "=a\\", "a\\", "a", "a\\", true },
                { A "=a$b", "a$b", "a$b", INTERPOLATED, true },
                { A "=\"a$b\"", "a$b", "a$b", INTERPOLATED, true },
                { A "=\"a\\$b\"", "a$b", "a$b",
                  "a\x01"
                  "b",
                  true },
                { A "=\"a\\nb\"", "a\nb", "a\\nb",
                  "a\x01"
                  "b",
                  true },
                { A "=\"a\\\\b\"", "a\\b", "a\\b", "a\\b", true },
                { A "=\"a\\zb\"", "a\\zb", "a\\zb", "a\\zb", true },
                { A "=\"a\\\nb\"", "ab", "ab", "a\\\nb", true },
                { A "=\"a\\\r\nb\"", "ab", NULL, "a\\\r\nb", true },
                { A "='a\\b'", "a\\b", "a\\b", "a\\b", true },
                { A "='a\\'", "a\\", "a\\", NULL, true },
                { A "='a\r\nb'", "a\r\nb", NULL, "a\r\nb", true },
                { A "=a\x01", "a\x01", NULL, "a\x01", true },
                { A "=a\rb", "a\rb", "a", "a\rb", true },
                { A "=a\xC2\xA0", "a\xC2\xA0", "a\xC2\xA0", "a", true },
                { A "=\xC2\xA0"
                    "a",
                  "\xC2\xA0"
                  "a",
                  "\xC2\xA0"
                  "a",
                  "a", true },
                { A "=a\xFF"
                    "b",
                  "a\xFF"
                  "b",
                  NULL,
                  "a\xFF"
                  "b",
                  true },
                { "# a \\\n" A "=a", "a", NULL, "a", true },
                { "# a\r" A "=b\n" A "=a", "a", "a", "a", true },

                /* --- no line of ours --- */
                { A "=\"a\"b", NULL, "ab", "a" },
                { A "='a''b'", NULL, "ab", NULL },
                { A "=\"a\",\"b\"", NULL, "a,\"b\"", NULL },
                { A "='a'#b", NULL, "a#b", "a" },
                { A "=\"a", NULL, "a", NULL },
                { A "='a", NULL, "a", NULL },
                { A ": a", NULL, NULL, "a" },
                { A, NULL, NULL, NULL },
                { "; a\n" A "=a", "a", "a", NULL },
                { "=a", NULL, NULL, NULL },
                { A "-X=a", NULL, NULL, NULL },
                { "1" A "=a", NULL, NULL, NULL },
                { "export =a", NULL, NULL, NULL },
                { A " x=a", NULL, NULL, NULL },
                { A ".x=a", NULL, NULL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                const char *text = rows[i].text;
                EnvPairs systemd, compose;
                Said said;
                int r;

                r = read_env(text, strlen(text), &t, &said);
                assert_value("gemgated", text, value_of(t, A), rows[i].ours);
                if (r >= 0 && (said.n_notes > 0) != rows[i].noted)
                        print_message("%s\n%s\n", text, said.text);
                assert_int_equal(r >= 0 && said.n_notes > 0, rows[i].noted);
                assert_int_equal(r<0, said.n_errors> 0);

                r = systemd_read(text, &systemd);
                assert_value("systemd", text, r < 0 ? NULL : env_pairs_get(&systemd, A), rows[i].systemd);
                r = compose_read(text, &compose);
                assert_value("compose", text, r < 0 ? NULL : env_pairs_get(&compose, A), rows[i].compose);
        }
}

/* 0: refused by us; 1: noted; 2: the same to all. */
static int classify(const char *text) {
        static const char *const names[] = { A, B };
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        EnvPairs systemd, compose;
        Said said;

        if (read_env(text, strlen(text), &t, &said) < 0)
                return 0;
        if (said.n_notes > 0)
                return 1;
        if (systemd_read(text, &systemd) < 0 || compose_read(text, &compose) < 0)
                print_message("%s\n", text);
        assert_int_equal(systemd_read(text, &systemd), 0);
        assert_int_equal(compose_read(text, &compose), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_value("systemd", text, env_pairs_get(&systemd, names[i]), value_of(t, names[i]));
                assert_value("compose", text, env_pairs_get(&compose, names[i]), value_of(t, names[i]));
        }
        return 2;
}

static void test_every_short_text(void **state) {
        static const char *const pieces[] = { "a",    " ",        "\t",        "\"", "'",      "\\",
                                              "$",    "#",        "n",         ";",  "\n",     "\r",
                                              "\r\n", "\xC2\xA0", "\n" B "=b", "=",  "export " };
        unsigned n[3] = {};
        size_t k = ELEMENTSOF(pieces);

        for (size_t i = 0; i < k * k * k * k; i++) {
                char text[128];

                (void) snprintf(text, sizeof(text), A "=%s%s%s%s", pieces[i % k], pieces[i / k % k],
                                pieces[i / k / k % k], pieces[i / k / k / k]);
                n[classify(text)]++;
                (void) snprintf(text, sizeof(text), "%s%s" A "=%s%s\n" B "=z", pieces[i % k],
                                pieces[i / k % k], pieces[i / k / k % k], pieces[i / k / k / k]);
                n[classify(text)]++;
        }
        /* Each kind is there in numbers, so that the promise was not held by refusing or noting everything.
         */
        assert_true(n[0] > 1000 && n[1] > 1000 && n[2] > 1000);
}

static void test_messages(void **state) {
        static const struct {
                const char *text;
                int r;
                const char *said;
        } rows[] = {
                { A "=a\nNO_SUCH=1\n", 0, "x.env:2: NO_SUCH is not a setting\n" },
                { "COMPOSE_FILE=packaging/compose.yaml\nPUBLISH=1\nTZ=UTC\n" A "=a\n", 0, "" },
                { "LOG_LEVEL=DEBUG\nALOWED_IPS=[\"*\"]\n" A "=a\n", -EBADMSG,
                  "x.env:2: ALOWED_IPS: must be the name of a setting, such as ALLOWED_IPS\n" },
                { "export api_keys=a\n", -EBADMSG,
                  "x.env:1: other programs read this line differently: export: systemd ignores the line\n"
                  "x.env:1: api_keys: must be the name of a setting, such as API_KEYS\n" },
                { "COMPOSE=1\n", 0, "x.env:1: COMPOSE is not a setting\n" },
                /* the text in place of a name may be a secret */
                { "AIzaSyKEY=1\n", 0, "x.env:1: this is not a setting\n" },
                { "\n\nfoo\nbar\n", -EBADMSG,
                  "x.env:3: must be NAME=value\nx.env:4: must be NAME=value\n" },
                { "\n" A "='a\nb\n", -EBADMSG, "x.env:2: must have a closing quote\n" },
                { A "='a\nb'x\nfoo\n", -EBADMSG,
                  "x.env:1: must have only a comment after the closing quote\n"
                  "x.env:3: must be NAME=value\n" },
                { A "='a\n\nb'\n\nfoo", -EBADMSG, "x.env:5: must be NAME=value\n" },
                { A "=\"a\\\nb\"\nfoo", -EBADMSG,
                  "x.env:1: other programs read this line differently: a backslash before "
                  "anything but a double quote: readers differ\nx.env:3: must be NAME=value\n" },
                { "export " A "=$a", 0,
                  "x.env:1: other programs read this line differently: export: systemd ignores the line\n" },
                { "\xEF\xBB\xBF", 0,
                  "x.env:1: other programs read this line differently: a byte order mark: "
                  "systemd makes it part of the line\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                Said said;

                assert_int_equal(read_env(rows[i].text, strlen(rows[i].text), &t, &said), rows[i].r);
                assert_string_equal(said.text, rows[i].said);
        }
}

static void test_nul(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        Said said;

        assert_int_equal(read_env(A "=a\0b", sizeof(A "=a\0b") - 1, &t, &said), -EBADMSG);
        assert_null(value_of(t, A));
        assert_int_equal(said.n_errors, 1);
}

static void test_too_long_for_an_environment(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        static char text[200 << 10] = A "=";
        Said said;

        memset(text + strlen(text), 'a', sizeof(text) - strlen(text));
        assert_int_equal(read_env(text, sizeof(text), &t, &said), 0);
        assert_int_equal(said.n_notes, 1);
}

/* Notes are for --check-config; a start does not log them. */
static void test_quiet(void **state) {
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        Said said = {};

        assert_int_equal(config_text_new(&t), 0);
        assert_int_equal(config_text_read_env(t, "export " A "=a", 15, "x.env", false, say, &said), 0);
        assert_string_equal(value_of(t, A), "a");
        assert_string_equal(said.text, "");
}

/* --- .env.example --- */

static char *example(bool uncomment) {
        _cleanup_free_ char *text = calloc(1, 65536);
        FILE *f = fopen(TEST_DATA "/../.env.example", "re");
        char line[512];

        assert_non_null(f);
        assert_non_null(text);
        while (fgets(line, sizeof(line), f)) {
                /* `#NAME=` is a setting that is commented out, `# ` is prose. */
                bool setting = uncomment && line[0] == '#' && line[1] >= 'A' && line[1] <= 'Z';
                size_t n = strlen(text);

                (void) snprintf(text + n, 65536 - n, "%s", line + setting);
        }
        (void) fclose(f);
        return TAKE_PTR(text);
}

static void test_example_means_the_same_to_all(void **state) {
        for (int uncomment = 0; uncomment < 2; uncomment++) {
                _cleanup_free_ char *text = example(uncomment);
                _cleanup_(config_text_freep) ConfigText *t = NULL;
                char *line, *rest = text;
                Said said;

                assert_int_equal(read_env(text, strlen(text), &t, &said), 0);
                assert_string_equal(said.text, "");

                /* Line by line, for the models keep but a few; no value of the example has several lines. */
                while ((line = strsep(&rest, "\n"))) {
                        char name[64] = "";
                        EnvPairs systemd, compose;

                        assert_int_equal(systemd_read(line, &systemd), 0);
                        assert_int_equal(compose_read(line, &compose), 0);
                        assert_int_equal(systemd.n, compose.n);
                        if (systemd.n == 0)
                                continue;
                        (void) snprintf(name, sizeof(name), "%s", systemd.pairs[0].name);
                        if (!config_setting(name)) { /* compose's; the others are in the table above */
                                assert_value("compose", line, env_pairs_get(&compose, name),
                                             systemd.pairs[0].value);
                                continue;
                        }
                        assert_value("systemd", line, systemd.pairs[0].value, value_of(t, name));
                        assert_value("compose", line, env_pairs_get(&compose, name), value_of(t, name));
                }
        }
}

/* Every setting is in it; what is commented out shows the default; every secret in it is refused by name. */
static void test_example_is_complete(void **state) {
        _cleanup_free_ char *text = example(true);
        _cleanup_(config_text_freep) ConfigText *t = NULL;
        Said said;

        assert_int_equal(read_env(text, strlen(text), &t, &said), 0);
        for (size_t i = 0; i < config_n_settings; i++) {
                const Setting *s = config_settings + i;
                const char *value = value_of(t, s->name);

                if (!value)
                        print_message("%s is not in .env.example\n", s->name);
                assert_non_null(value);
                if (!s->secret)
                        assert_string_equal(value, s->initial);
        }

        /* In the text a secret is quoted, and nothing else in those lines is. */
        for (size_t i = 0; i < config_n_settings; i++) {
                _cleanup_free_ char *value = NULL;
                char *rest, *entry;

                if (!config_settings[i].secret)
                        continue;
                value = rest = strdup(value_of(t, config_settings[i].name));
                while ((entry = strsep(&rest, ","))) {
                        bool known = streq(entry, config_settings[i].initial);

                        entry += strspn(entry, "[\"");
                        entry[strcspn(entry, "\"")] = 0;
                        for (size_t k = 0; config_examples[k]; k++)
                                known = known || streq(config_examples[k], entry);
                        if (!known)
                                print_message("%s is not in config_examples\n", entry);
                        assert_true(known);
                }
        }
        for (size_t k = 0; config_examples[k]; k++)
                assert_non_null(strstr(text, config_examples[k]));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_side_by_side),
                cmocka_unit_test(test_every_short_text),
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_too_long_for_an_environment),
                cmocka_unit_test(test_quiet),
                cmocka_unit_test(test_example_means_the_same_to_all),
                cmocka_unit_test(test_example_is_complete),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
