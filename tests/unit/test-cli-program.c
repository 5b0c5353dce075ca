/* SPDX-License-Identifier: MIT */

/* Packages in a directory of the test's own, and what is found of them. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "engine/cli-program.h"

typedef struct Fixture {
        char dir[64];
        char *path; /* of the environment, as it was */
} Fixture;

static void join(const Fixture *f, const char *name, char ret[static 256]) {
        (void) snprintf(ret, 256, "%s/%s", f->dir, name);
}

static void make_dirs(const char *path) {
        char s[256];

        (void) snprintf(s, sizeof(s), "%s", path);
        for (char *p = strchr(s + 1, '/'); p; p = strchr(p + 1, '/')) {
                *p = 0;
                (void) mkdir(s, 0755);
                *p = '/';
        }
}

static void put(const Fixture *f, const char *name, const char *text, size_t n, mode_t mode) {
        char path[256];
        FILE *file;

        join(f, name, path);
        make_dirs(path);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(text, 1, n, file), n);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        (void) snprintf(f->dir, sizeof(f->dir), "/tmp/cli-program-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        f->path = strdup(getenv("PATH"));
        *state = f;
        return 0;
}

static void remove_below(const char *dir) {
        static const char *const names[] = {
                "p/bundle/gemini.js", "p/bundle",     "p/package.json", "p",      "bin/gemini",
                "bin/loop",           "bin/dir/x",    "bin/dir",        "bin/no", "bin",
                "gemini.js",          "other/gemini", "other",
        };
        char path[256];

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
                (void) remove(path);
        }
        assert_int_equal(rmdir(dir), 0);
}

static int teardown(void **state) {
        Fixture *f = *state;

        remove_below(f->dir);
        (void) setenv("PATH", f->path, 1);
        free(f->path);
        free(f);
        return 0;
}

static void expect(const char *path, const char *found, const char *version) {
        _cleanup_free_ char *got = NULL;
        char v[CLI_VERSION_MAX] = "as before";
        int r;

        r = cli_program_find(path, &got, v);
        if (!found) {
                assert_int_equal(r, -ENOENT);
                assert_string_equal(v, "as before");
                return;
        }
        assert_int_equal(r, 0);
        assert_string_equal(got, found);
        assert_string_equal(v, version);
}

static void test_version(void **state) {
        static const struct {
                const char *package, *version;
        } table[] = {
                { "{\"name\":\"@google/gemini-cli\",\"version\":\"0.61.0\"}", "0.61.0" },
                { "{\"name\":\"@google/gemini-cli\",\"version\":\"0.62.0-nightly.20261001+abc\"}",
                  "0.62.0-nightly.20261001+abc" },
                { "{\"name\":\"gemini\",\"version\":\"0.61.0\"}", "" },
                { "{\"version\":\"0.61.0\"}", "" },
                { "{\"name\":\"@google/gemini-cli\"}", "" },
                { "{\"name\":\"@google/gemini-cli\",\"version\":61}", "" },
                { "{\"name\":\"@google/gemini-cli\",\"version\":\"0.61.0\\n\"}", "" },
                { "{\"name\":\"@google/gemini-cli\",\"version\":\"<b>\"}", "" },
                { "{\"name\":\"@google/gemini-cli\",\"version\":\"0123456789012345678901234567890\"}",
                  "0123456789012345678901234567890" },
                { "{\"name\":\"@google/gemini-cli\",\"version\":\"01234567890123456789012345678901\"}", "" },
                { "[]", "" },
                { "no json", "" },
                { "", "" },
        };
        Fixture *f = *state;
        char path[256];

        put(f, "p/bundle/gemini.js", "", 0, 0755);
        join(f, "p/bundle/gemini.js", path);
        expect(path, path, "");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                put(f, "p/package.json", table[i].package, strlen(table[i].package), 0644);
                expect(path, path, table[i].version);
        }
}

/* It is not read without a bound. */
static void test_large_package(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        Fixture *f = *state;
        char path[256];

        (void) buf_puts(&b, "{\"name\":\"@google/gemini-cli\",\"version\":\"0.61.0\",\"a\":\"");
        while (b.n < 100000)
                (void) buf_putc(&b, 'a');
        (void) buf_puts(&b, "\"}");
        put(f, "p/bundle/gemini.js", "", 0, 0755);
        put(f, "p/package.json", buf_data(&b), b.n, 0644);
        join(f, "p/bundle/gemini.js", path);
        expect(path, path, "");
}

static void test_find(void **state) {
        static const char package[] = "{\"name\":\"@google/gemini-cli\",\"version\":\"0.61.0\"}";
        char real[256], link[256], loop[256], no[256], dir[256], other[256], env[1024];
        Fixture *f = *state;

        put(f, "p/bundle/gemini.js", "", 0, 0755);
        put(f, "p/package.json", package, strlen(package), 0644);
        put(f, "bin/no", "", 0, 0644);
        put(f, "bin/dir/x", "", 0, 0644);
        join(f, "p/bundle/gemini.js", real);
        join(f, "bin/gemini", link);
        join(f, "bin/loop", loop);
        join(f, "bin/no", no);
        join(f, "bin/dir", dir);
        assert_int_equal(symlink(real, link), 0);
        assert_int_equal(symlink("loop", loop), 0);

        expect(real, real, "0.61.0");
        expect(link, link, "0.61.0"); /* as it was asked for, with the version behind the link */
        expect(loop, NULL, NULL);
        expect(dir, NULL, NULL);
        expect(no, no, ""); /* node runs it: to the daemon, in its sandbox, nothing there is executable */
        expect("/nonexistent/gemini", NULL, NULL);

        /* a bare name: the first of PATH that has it; what is not absolute there is passed over */
        (void) snprintf(env, sizeof(env), ":bin:.:%s/other:%s/bin", f->dir, f->dir);
        assert_int_equal(setenv("PATH", env, 1), 0);
        expect("gemini", link, "0.61.0");
        expect("gemini-that-is-not-there", NULL, NULL);
        put(f, "other/gemini", "", 0, 0755);
        join(f, "other/gemini", other);
        expect("gemini", other, "");
        assert_int_equal(setenv("PATH", "", 1), 0);
        expect("gemini-that-is-not-there", NULL, NULL);
        assert_int_equal(unsetenv("PATH"), 0);
        expect("gemini-that-is-not-there", NULL, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_version, setup, teardown),
                cmocka_unit_test_setup_teardown(test_large_package, setup, teardown),
                cmocka_unit_test_setup_teardown(test_find, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
