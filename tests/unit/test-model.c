/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "core/model.h"

#define X8   "xxxxxxxx"
#define X64  X8 X8 X8 X8 X8 X8 X8 X8
#define X128 X64 X64

static void test_model_name(void **state) {
        static const struct {
                const char *text;
                const char *name; /* NULL: refused */
                bool cli;
        } rows[] = {
                { "gemini-2.5-flash", "gemini-2.5-flash", false },
                { "models/gemini-2.5-flash", "gemini-2.5-flash", false },
                { "cli/gemini-2.5-flash", "gemini-2.5-flash", true },
                { "cli/models/x", "x", true },
                { "x", "x", false },
                { "A_z.0-9", "A_z.0-9", false },
                { "...", "...", false }, /* no step in a path */
                { "..x", "..x", false },
                { "cli", "cli", false },
                { "models", "models", false },
                { X128, X128, false },
                { "models/" X128, X128, false },
                { "cli/models/" X128, X128, true },
                { X128 "x", NULL },
                { "models/" X128 "x", NULL },
                { "", NULL },
                { "models/", NULL },
                { "cli/", NULL },
                { "cli/models/", NULL },
                { "models/models/x", NULL },
                { "models/cli/x", NULL },
                { "cli/cli/x", NULL },
                { "/x", NULL },
                { "x/", NULL },
                { "tunedModels/x", NULL },
                { "Models/x", NULL },
                { "CLI/x", NULL },
                { ".", NULL },
                { "..", NULL },
                { "models/..", NULL },
                { "cli/.", NULL },
                { "../x", NULL },
                { "models/../x", NULL },
                { "x/../y", NULL },
                { "..%2fx", NULL },
                { "%2f", NULL },
                { "%2e%2e", NULL },
                { "x?key=1", NULL },
                { "x#y", NULL },
                { "x:generateContent", NULL },
                { "x\\y", NULL },
                { "x y", NULL },
                { " x", NULL },
                { "x\n", NULL },
                { "x\r\nHost: y", NULL },
                { "x\t", NULL },
                { "x@y", NULL },
                { "x+y", NULL },
                { "x;y", NULL },
                { "mod\xC3\xA8le", NULL },
                { "x\xFF", NULL },
                { "\xEF\xBC\x8E\xEF\xBC\x8E", NULL }, /* full-width dots */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ModelName name = { .name = "untouched", .cli = true };
                int r = model_name_parse(rows[i].text, strlen(rows[i].text), &name);

                if (rows[i].name) {
                        assert_int_equal(r, 0);
                        assert_string_equal(name.name, rows[i].name);
                        assert_int_equal(name.cli, rows[i].cli);
                } else {
                        assert_int_equal(r, -EINVAL);
                        assert_string_equal(name.name, "untouched");
                }
        }
}

/* The length decides: a NUL does not end the text, and bytes behind the end are not read. */
static void test_model_name_length(void **state) {
        ModelName name;

        assert_int_equal(model_name_parse("x\0y", 3, &name), -EINVAL);
        assert_int_equal(model_name_parse("x\0", 2, &name), -EINVAL);
        assert_int_equal(model_name_parse("\0", 1, &name), -EINVAL);
        assert_int_equal(model_name_parse("models/x\0/../y", 14, &name), -EINVAL);
        assert_int_equal(model_name_parse("..x", 2, &name), -EINVAL);
        assert_int_equal(model_name_parse("x/../y", 1, &name), 0);
        assert_string_equal(name.name, "x");
        assert_int_equal(model_name_parse("models/x", 6, &name), 0);
        assert_string_equal(name.name, "models");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_model_name),
                cmocka_unit_test(test_model_name_length),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
