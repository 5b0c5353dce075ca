/* SPDX-License-Identifier: MIT */

/* Files, environment and credentials, in a directory of the test's own. */
#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/text.h"
#include "daemon/config-load.h"

typedef struct Said {
        char text[4096];
} Said;

static void say(LogLevel level, const char *line, void *userdata) {
        static const char *const marks[] = {
                [LOG_LEVEL_ERROR] = "", [LOG_LEVEL_WARNING] = "warning: ", [LOG_LEVEL_INFO] = "info: "
        };
        Said *s = userdata;
        size_t n = strlen(s->text);

        (void) snprintf(s->text + n, sizeof(s->text) - n, "%s%s\n", marks[level], line);
}

/* --- the directory --- */

static char home[] = "/tmp/gemgate-test-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *w) {
        return w->level > 0 ? remove(path) : 0;
}

static int empty_home(void) {
        return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int group_setup(void **state) {
        return mkdtemp(home) && chdir(home) == 0 ? 0 : -1;
}

static int group_teardown(void **state) {
        return empty_home() == 0 && chdir("/") == 0 ? rmdir(home) : -1;
}

static int setup(void **state) {
        const char *name;
        bool secret;

        config_load_done();
        for (size_t i = 0; (name = config_setting_name(i, &secret)); i++)
                (void) unsetenv(name);
        (void) unsetenv("CREDENTIALS_DIRECTORY");
        (void) empty_home();
        (void) chmod(".", 0700);
        return mkdir("etc", 0750) + mkdir("credentials", 0750);
}

static void write_file(const char *path, const char *text) {
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fchmod(fileno(f), 0640), 0);
        assert_int_equal(fclose(f), 0);
}

static void assert_key(const Config *c, const char *key) {
        assert_int_equal(c->n_keys, 1);
        assert_true(secret_equal(c->keys[0].secret, key, strlen(key)));
}

/* --- sources --- */

static void test_nothing(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &said, &c), 0);
        assert_int_equal(c->n_keys, 0);
        assert_string_equal(said.text, "warning: API_KEYS: no key is set, so no request can be answered\n");
}

/* From the weakest to the strongest, each added to those before it. */
static void test_precedence(void **state) {
        static const struct {
                const char *file; /* NULL: the environment */
                const char *text;
                bool dir, env_file; /* --config-dir, --env-file=given.env */
                const char *key;
        } rows[] = {
                { ".env", "API_KEYS=dot-env\n", false, false, "dot-env" },
                { ".env", "API_KEYS=dot-env\n", true, false, "dot-env" },
                { "etc/gemgate.env", "API_KEYS=gemgate-env\n", false, false, "dot-env" },
                { "etc/gemgate.env", "API_KEYS=gemgate-env\n", true, false, "gemgate-env" },
                { "given.env", "API_KEYS=given-env\n", true, false, "gemgate-env" },
                { "given.env", "API_KEYS=given-env\n", true, true, "given-env" },
                { NULL, "environment", true, true, "environment" },
                { "etc/api-keys", "# a template\r\n\n \t#AIza\n#", true, true, "environment" },
                { "etc/api-keys", "# ours\napi-keys-file\n", false, true, "environment" },
                { "etc/api-keys", "# ours\napi-keys-file\n", true, true, "api-keys-file" },
                { "etc/api-keys", "\xEF\xBB\xBF# a template\r\n", true, true, "environment" },
                { "etc/api-keys", "\xEF\xBB\xBF# ours\r\napi-keys-file\r\n", true, true, "api-keys-file" },
                { "credentials/api-keys", "\xEF\xBB\xBF[\"credential\"]\n", true, true, "credential" },
                { "credentials/api-keys", "[\"credential\"]\n", true, true, "credential" },
        };

        assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "credentials", true), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                ConfigPaths paths = { rows[i].env_file ? "given.env" : NULL, rows[i].dir ? "etc" : NULL };
                Said said = {};

                config_load_done();
                if (rows[i].file)
                        write_file(rows[i].file, rows[i].text);
                if (i >= 6)
                        assert_int_equal(setenv("API_KEYS", rows[6].text, true), 0);
                assert_int_equal(config_load(&paths, NULL, say, &said, &c), 0);
                assert_key(c, rows[i].key);
                assert_string_equal(said.text, "");
        }
}

static void test_own_files(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        write_file("etc/api-keys", "key-one\n\n# the second\nkey-two\n");
        write_file("etc/allowed-tokens", "[\"client-1\", {\"token\": \"named-12\", \"name\": \"n\"}]");
        write_file("etc/admin-tokens", "# none yet\n");
        assert_int_equal(config_load(&(ConfigPaths){ .config_dir = "etc" }, NULL, say, &said, &c), 0);
        assert_string_equal(said.text, "");
        assert_int_equal(c->n_keys, 2);
        assert_int_equal(c->tokens.n_client, 2);
        assert_int_equal(c->tokens.n_admin, 0);
}

/* --- secrets in the environment --- */

static void test_environment_is_cleaned(void **state) {
        static char key[] = "API_KEYS=hidden-in-the-environment", level[] = "LOG_LEVEL=DEBUG";
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        assert_int_equal(putenv(key), 0);
        assert_int_equal(putenv(level), 0);
        assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &said, &c), 0);
        assert_key(c, "hidden-in-the-environment");
        assert_null(getenv("API_KEYS"));
        for (size_t i = sizeof("API_KEYS=") - 1; i < sizeof(key); i++)
                assert_int_equal(key[i], 0); /* the very bytes */
        assert_string_equal(getenv("LOG_LEVEL"), "DEBUG");
}

/* A second call reads the files again; environment and credentials stay what they were. */
static void test_again(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL, *d = NULL;
        ConfigPaths paths = { .config_dir = "etc" };
        Said said = {};

        write_file("etc/gemgate.env", "LOG_LEVEL=DEBUG\nDEFAULT_MODEL=one\n");
        write_file("etc/allowed-tokens", "first-one\n");
        write_file("credentials/admin-tokens", "chief-one\n");
        assert_int_equal(setenv("API_KEYS", "from-the-environment", true), 0);
        assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "credentials", true), 0);
        assert_int_equal(config_load(&paths, NULL, say, &said, &c), 0);
        assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
        assert_string_equal(c->default_model, "one");

        write_file("etc/gemgate.env", "DEFAULT_MODEL=two\n");
        assert_int_equal(unlink("etc/allowed-tokens"), 0);
        write_file("credentials/admin-tokens", "other-one\n");
        assert_int_equal(setenv("API_KEYS", "set-later", true), 0);
        assert_int_equal(config_load(&paths, NULL, say, &said, &d), 0);
        assert_key(d, "from-the-environment");
        assert_int_equal(d->log_level, LOG_LEVEL_INFO);
        assert_string_equal(d->default_model, "two");
        assert_int_equal(d->tokens.n_client, 0);
        assert_non_null(token_set_find(&d->tokens, "chief-one", 9));
        assert_string_equal(said.text, "");
}

/* --- what is wrong --- */

static void test_faults(void **state) {
        static const struct {
                const char *file, *text; /* text NULL: a directory */
                const char *env_file, *dir;
                int r;
                const char *said;
        } rows[] = {
                { ".env", "", "nowhere.env", NULL, -EINVAL,
                  "--env-file: nowhere.env: must be a file that exists\n" },
                { ".env", NULL, NULL, NULL, -EINVAL,
                  "./.env: must be a regular file, not a directory, a pipe or a device\n" },
                { "etc/api-keys", NULL, NULL, "etc", -EINVAL,
                  "etc/api-keys: must be a regular file, not a directory, a pipe or a device\n" },
                { "file", "", NULL, "file", -ENOTDIR, "file/gemgate.env: Not a directory\n" },
                /* a bad line does not hide the other faults, nor does it become a start */
                { ".env", "API_KEYS=k\nnonsense\nLOG_LEVEL=LOUD\n", NULL, NULL, -EINVAL,
                  "./.env:2: must be NAME=value\nLOG_LEVEL: LOUD: must be DEBUG, INFO, WARNING or ERROR "
                  "(./.env:3)\n" },
                { ".env", "API_KEYS=k\nnonsense\n", NULL, NULL, -EBADMSG,
                  "./.env:2: must be NAME=value\n" },
                { ".env", "API_KEYS=k\nQUOTA_RESET_TIMEZONE=America/Nowhere\n", NULL, NULL, -EINVAL,
                  "QUOTA_RESET_TIMEZONE: America/Nowhere: must be a time zone that is installed here "
                  "(package "
                  "tzdata) (./.env:2)\n" },
                { ".env", "API_KEYS=k\nLISTEN=0.0.0.0:80\n", NULL, NULL, -EINVAL,
                  "ALLOWED_TOKENS: none: must be at least one token, because LISTEN goes beyond "
                  "loopback\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ConfigPaths paths = { rows[i].env_file, rows[i].dir };
                Config *c = NULL;
                Said said = {};

                assert_int_equal(setup(state), 0);
                if (rows[i].text)
                        write_file(rows[i].file, rows[i].text);
                else
                        assert_int_equal(mkdir(rows[i].file, 0750), 0);
                assert_int_equal(config_load(&paths, NULL, say, &said, &c), rows[i].r);
                assert_string_equal(said.text, rows[i].said);
                assert_null(c);
        }
}

/* Neither a FIFO without a writer nor a device is waited for. */
static void test_not_regular(void **state) {
        static const char *const files[] = { ".env", "etc/gemgate.env", "etc/api-keys", "etc/allowed-tokens",
                                             "etc/admin-tokens", "credentials/api-keys" };

        for (size_t i = 0; i < 2 * ELEMENTSOF(files); i++) {
                const char *file = files[i / 2];
                char expected[256];
                Config *c = NULL;
                Said said = {};

                assert_int_equal(setup(state), 0);
                assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "credentials", true), 0);
                assert_int_equal(i % 2 ? symlink("/dev/zero", file) : mkfifo(file, 0600), 0);
                assert_int_equal(config_load(&(ConfigPaths){ .config_dir = "etc" }, NULL, say, &said, &c),
                                 -EINVAL);
                (void) snprintf(expected, sizeof(expected),
                                "%s%s: must be a regular file, not a directory, a pipe or a device\n",
                                *file == '.' ? "./" : "", file);
                assert_string_equal(said.text, expected);
        }
}

/* MODEL_RULES may be the path of a file, which each reload reads again. The other faults are found beside
 * one that cannot be read. */
static void test_named(void **state) {
        static const struct {
                const char *file, *said;
        } rows[] = {
                { "none", "must be a file that exists" },
                { "etc", "must be a regular file, not a directory, a pipe or a device" },
                { "fifo", "must be a regular file, not a directory, a pipe or a device" },
                { "device", "must be a regular file, not a directory, a pipe or a device" },
        };
        /* A fault of the whole text has the file's path, not the text. */
        static const struct {
                const char *text;
                bool is_path;
        } texts[] = {
                { "{\"m\":{\"price\":3}}", false }, { "{\"m\":{},}", true },
                { "[]", true },                       { "nonsense", true },
        };
        char text[PATH_MAX + 64], expected[PATH_MAX + 256];
        Config *c = NULL;

        write_file("rules", "{\"m\":{\"price\":{\"input\":2}}}\n");
        (void) snprintf(text, sizeof(text), "API_KEYS=k\nMODEL_RULES=%s/rules \n", home);
        write_file(".env", text);
        for (unsigned i = 2; i < 4; i++) {
                Said said = {};

                assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &said, &c), 0);
                assert_string_equal(said.text, "");
                assert_true(model_rules_find(&c->route.rules, "m")->price[PRICE_INPUT] == i);
                c = config_unref(c);
                write_file("rules", "{\"m\":{\"price\":{\"input\":3}}}");
        }
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Said said = {};

                write_file("rules", texts[i].text);
                assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &said, &c), -EINVAL);
                (void) snprintf(expected, sizeof(expected), "MODEL_RULES: %s%s: must be ",
                                texts[i].is_path ? home : "m", texts[i].is_path ? "/rules" : ": price");
                assert_memory_equal(said.text, expected, strlen(expected));
        }

        assert_int_equal(mkfifo("fifo", 0600) + symlink("/dev/zero", "device"), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Said said = {};

                (void) snprintf(text, sizeof(text), "API_KEYS=k\nMODEL_RULES=%s/%s\nLISTEN=x\n", home,
                                rows[i].file);
                write_file(".env", text);
                assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &said, &c), -EINVAL);
                (void) snprintf(expected, sizeof(expected), "MODEL_RULES: %s/%s: %s\n", home, rows[i].file,
                                rows[i].said);
                assert_memory_equal(said.text, expected, strlen(expected));
                assert_memory_equal(said.text + strlen(expected), "LISTEN: x: must be", 18);
        }
        write_file(".env", "API_KEYS=k\n");
        assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &(Said){}, &c), 0);
        assert_int_equal(c->route.rules.n, 0);
        config_unref(c);
}

static void test_too_large(void **state) {
        _cleanup_close_ int fd = -1;
        Config *c = NULL;
        Said said = {};

        /* A hole is as large as content, and costs nothing. */
        fd = open("etc/api-keys", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, CONFIG_FILE_MAX + 1), 0);
        assert_int_equal(config_load(&(ConfigPaths){ .config_dir = "etc" }, NULL, say, &said, &c), -EINVAL);
        assert_string_equal(said.text, "etc/api-keys: must be at most 16 MiB\n");

        said = (Said){};
        assert_int_equal(ftruncate(fd, CONFIG_FILE_MAX), 0);
        assert_int_equal(config_load(&(ConfigPaths){ .config_dir = "etc" }, NULL, say, &said, &c), -EINVAL);
        assert_string_equal(said.text, "API_KEYS: must be text without NUL bytes (etc/api-keys)\n");
}

/* --check-config reports more: the files that were read, who else can read them, and lines that systemd or
 * compose would read differently. */
static void test_check(void **state) {
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        write_file(".env", "export API_KEYS=k\n");
        assert_int_equal(chmod(".env", 0644) + chmod(".", 0711), 0);
        assert_int_equal(config_load(&(ConfigPaths){ .check = true }, NULL, say, &said, &c), 0);
        assert_string_equal(said.text,
                            "info: ./.env: read\n"
                            "warning: ./.env: every user of this machine can read it: must not be readable "
                            "by others\n"
                            "warning: ./.env:1: other programs read this line differently: export: "
                            "systemd ignores the line\n");
        said = (Said){};
        c = config_unref(c);
        assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &said, &c), 0);
        assert_string_equal(said.text, "");
}

/* What a directory keeps from others needs no warning; what others may replace does. */
static void test_directory(void **state _unused_) {
        static const struct {
                mode_t above, dir, file;
                const char *said;
        } rows[] = {
#define READ                                                                                                \
        "warning: etc/gemgate.env: every user of this machine can read it: must not be readable by " \
        "others\n"
#define WRITE(what)                                                                                         \
        "warning: etc/gemgate.env: other users of this machine may write " what ", and could have the " \
        "keys sent to another server: must not be writable by others\n"
                { 0755, 0755, 0640, "" },
                { 0755, 0755, 0644, READ },
                { 0755, 0750, 0644, "" },
                { 0700, 0755, 0644, "" },
                { 0755, 0754, 0644, "" }, /* a list of names is no way to the file */
                { 0755, 0750, 0646, WRITE("it") },
                { 0755, 0757, 0640, WRITE("a directory that it is in") },
                { 0755, 01757, 0640, "" },
                { 0700, 0777, 0640, "" },
        };

        write_file("etc/gemgate.env", "API_KEYS=k\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                const char *rest;
                Said said = {};

                assert_int_equal(chmod(".", rows[i].above) + chmod("etc", rows[i].dir) +
                                         chmod("etc/gemgate.env", rows[i].file),
                                 0);
                assert_int_equal(config_load(&(ConfigPaths){ .config_dir = "etc", .check = true }, NULL, say,
                                             &said, &c),
                                 0);
                rest = said.text;
                for (const char *p; (p = strstr(rest, "info: etc/gemgate.env: read\n"));)
                        memmove((char *) (uintptr_t) p, p + 28, strlen(p + 28) + 1);
                if (strstr(rest, "only root can read it"))
                        continue;
                assert_string_equal(rest, rows[i].said);
        }
        assert_int_equal(chmod(".", 0700) + chmod("etc", 0750), 0);
}

/* The Gemini CLI, if it is asked for. */
static void test_programs(void **state _unused_) {
        static const char *const rows[][2] = {
                { "CLI_TIMEOUT=9s", "" },
                { "ENGINE=cli\nCLI_PATH=/bin/sh", "" },
                { "ENGINE=cli\nCLI_PATH=/nope",
                  "warning: CLI_PATH: /nope: must be a program that is installed here (./.env:3)\n" },
                { "CLI_PATH=no-such-program",
                  "warning: CLI_PATH: no-such-program: must be a program that is in /opt/gemgate-cli/bin or "
                  "in PATH here (./.env:2)\n" },
                { "DEFAULT_MODEL=cli/m\nCLI_RUNNER=/nope",
                  "warning: CLI_PATH: gemini: must be a program that is in /opt/gemgate-cli/bin or in PATH "
                  "here\n"
                  "warning: CLI_RUNNER: /nope: must be a program that is installed here (./.env:3)\n" },
                { "MODEL_ALIASES={\"a\":\"cli/m\"}\nCLI_PATH=/bin/sh\nCLI_RUNNER=unix:/nope",
                  "warning: CLI_RUNNER: unix:/nope: must be a socket that exists (./.env:4)\n" },
        };
        _cleanup_free_ char *path = strdup(strempty(getenv("PATH")));

        assert_non_null(path);
        assert_int_equal(setenv("PATH", "/nowhere", true), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(config_unrefp) Config *c = NULL;
                char text[256];
                Said said = {};

                (void) snprintf(text, sizeof(text), "API_KEYS=k\n%s\n", rows[i][0]);
                write_file(".env", text);
                assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &said, &c), 0);
                if (access("/opt/gemgate-cli/bin/gemini", F_OK) < 0 || i != 4)
                        assert_string_equal(said.text, rows[i][1]);
        }
        assert_int_equal(setenv("PATH", path, true), 0);
}

/* Reported at each load: what others write there takes effect with the next one. A file of MODEL_RULES has
 * no secrets, so everyone may read it. */
static void test_writable(void **state _unused_) {
        char text[PATH_MAX + 64], expected[2 * PATH_MAX + 256];
        _cleanup_(config_unrefp) Config *c = NULL;
        Said said = {};

        write_file(".env", "API_KEYS=k\n");
        assert_int_equal(chmod(".env", 0662), 0);
        assert_int_equal(config_load(&(ConfigPaths){}, NULL, say, &said, &c), 0);
        assert_string_equal(said.text,
                            "warning: ./.env: other users of this machine may write it, and could have the "
                            "keys sent to another server: must not be writable by others\n");

        said = (Said){};
        c = config_unref(c);
        write_file("rules", "{}");
        assert_int_equal(chmod("rules", 0666), 0);
        (void) snprintf(text, sizeof(text), "API_KEYS=k\nMODEL_RULES=%s/rules\n", home);
        write_file(".env", text);
        assert_int_equal(chmod(".env", 0600), 0);
        assert_int_equal(config_load(&(ConfigPaths){ .check = true }, NULL, say, &said, &c), 0);
        (void) snprintf(expected, sizeof(expected),
                        "info: ./.env: read\n"
                        "warning: MODEL_RULES: %s/rules: other users of this machine may write it: must "
                        "not be writable by others\n"
                        "info: MODEL_RULES: %s/rules: read\n",
                        home, home);
        assert_string_equal(said.text, expected);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_nothing, setup),
                cmocka_unit_test_setup(test_precedence, setup),
                cmocka_unit_test_setup(test_own_files, setup),
                cmocka_unit_test_setup(test_environment_is_cleaned, setup),
                cmocka_unit_test_setup(test_again, setup),
                cmocka_unit_test_setup(test_faults, setup),
                cmocka_unit_test_setup(test_not_regular, setup),
                cmocka_unit_test_setup(test_named, setup),
                cmocka_unit_test_setup(test_too_large, setup),
                cmocka_unit_test_setup(test_directory, setup),
                cmocka_unit_test_setup(test_programs, setup),
                cmocka_unit_test_setup(test_writable, setup),
                cmocka_unit_test_setup(test_check, setup),
        };

        return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
