/* SPDX-License-Identifier: MIT */

/* What a loader answers when it is asked for a program's libraries. */
#include "test.h"

#include "base/text.h"
#include "runner/libraries.h"

static void test_lines(void **state) {
        static const struct {
                const char *line;
                const char *path; /* NULL: none */
        } table[] = {
                { "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f0000000000)",
                  "/lib/x86_64-linux-gnu/libm.so.6" },
                { "\t/lib64/ld-linux-x86-64.so.2 (0x00007f0000000000)", "/lib64/ld-linux-x86-64.so.2" },
                { "\tlibx.so => /opt/with blank/libx.so (0x1)", "/opt/with blank/libx.so" },
                { "\tlinux-vdso.so.1 (0x00007ffc00000000)", NULL },
                { "\tlibx.so => not found", NULL },
                { "\tstatically linked", NULL },
                { "v22.23.3", NULL }, /* a program without a loader has run */
                { "/lib/x.so (0x1)", NULL },
                { "\tlibx.so => lib/x.so (0x1)", NULL },
                { "\t", NULL },
                { "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(libraries_done) Libraries l = {};

                assert_int_equal(libraries_add_line(&l, table[i].line), 0);
                assert_int_equal(l.n, table[i].path != NULL);
                if (table[i].path)
                        assert_string_equal(l.path[0], table[i].path);
        }
}

static void test_ceiling(void **state) {
        _cleanup_(libraries_done) Libraries l = {};

        for (size_t i = 0; i < LIBRARIES_MAX; i++)
                assert_int_equal(libraries_add_line(&l, "\t/x (0x1)"), 0);
        assert_int_equal(libraries_add_line(&l, "\t/x (0x1)"), -E2BIG);
}

/* This very program has a loader and a C library. */
static void test_real(void **state) {
        _cleanup_(libraries_done) Libraries l = {};
        bool has_libc = false;

        assert_int_equal(libraries_find("/proc/self/exe", &l), 0);
        for (size_t i = 0; i < l.n; i++)
                has_libc = has_libc || strstr(l.path[i], "/libc.so");
        assert_true(has_libc);
        assert_int_equal(libraries_find("/nonexistent", &l), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_ceiling),
                cmocka_unit_test(test_real),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
