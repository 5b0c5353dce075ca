/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "dialect/tool-names.h"

#define TEN   "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const char *map(ToolNames *t, const char *original) {
        ToolName *e = NULL;

        assert_int_equal(tool_names_map(t, original, strlen(original), &e), 0);
        assert_string_equal(e->original, original);
        return e->mapped;
}

static const char *find(const ToolNames *t, const char *mapped) {
        const ToolName *e = tool_names_find(t, mapped, strlen(mapped));

        return e ? e->original : NULL;
}

/* Google's rule, and the shorter length. */
static bool is_good(const char *s) {
        size_t n = strlen(s);

        return n > 0 && n <= TOOL_NAME_MAPPED_MAX && !strchr("0123456789.:-", *s) &&
               strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") == n;
}

static void test_table(void **state) {
        static const struct {
                const char *original, *mapped; /* and a digest, if they differ */
        } rows[] = {
                { "get_weather", "get_weather" },
                { "mcp__gw__look_up-city", "mcp__gw__look_up-city" },
                { "mcp_gw_look.up-city", "mcp_gw_look.up-city" },
                { "a:b", "a:b" },
                { "_", "_" },
                { "Z", "Z" },
                { "a" SIXTY "xyz", "a" SIXTY "xyz" },

                { "a" SIXTY "xyzz", "a" TEN TEN TEN TEN TEN "0123_" },
                { "", "__" },
                { "look up", "look_up_" },
                { "look/up", "look_up_" },
                { "1st", "_1st_" },
                { ".net", "_.net_" },
                { "-x", "_-x_" },
                { ":x", "_:x_" },
                { "Gr\xC3\xB6\xC3\x9F" "e", "Gr_e_" },
                { "\xE5\xA4\xA9\xE6\xB0\x97", "__" },
                { "a\"b\\c\nd", "a_b_c_d_" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(tool_names_done) ToolNames t = {};
                const char *mapped = map(&t, rows[i].original);
                size_t n = strlen(rows[i].mapped);

                assert_true(is_good(mapped));
                assert_int_equal(strncmp(mapped, rows[i].mapped, n), 0);
                if (strcmp(rows[i].original, rows[i].mapped) != 0) {
                        assert_int_equal(strspn(mapped + n, "0123456789abcdef_"), strlen(mapped + n));
                        assert_in_range(strlen(mapped + n), 8, 9);
                } else
                        assert_string_equal(mapped, rows[i].mapped);
                assert_string_equal(find(&t, mapped), rows[i].original);
                assert_ptr_equal(map(&t, rows[i].original), mapped);
        }
}

/* The same names, whatever else is in the table. */
static void test_same_in_each_turn(void **state) {
        _cleanup_(tool_names_done) ToolNames first = {}, later = {};
        char name[32];

        for (unsigned i = 0; i < 100; i++) {
                (void) snprintf(name, sizeof(name), "tool %u", i);
                (void) map(&first, name);
        }
        for (unsigned i = 100; i-- > 0;) {
                (void) snprintf(name, sizeof(name), "tool %u", i);
                assert_string_equal(map(&later, name), map(&first, name));
        }
}

static void test_clashes(void **state) {
        _cleanup_(tool_names_done) ToolNames t = {};
        const char *odd, *even, *third;

        odd = map(&t, "look up");
        even = map(&t, "look-up!");
        assert_string_not_equal(odd, even);
        assert_string_not_equal(map(&t, "look.up?"), map(&t, "look.up!"));

        /* The mapped name of one is the original of another, and its mapped name of a third. */
        third = map(&t, odd);
        assert_string_not_equal(third, odd);
        assert_true(is_good(third));
        assert_string_not_equal(map(&t, third), third);
        assert_string_equal(find(&t, odd), "look up");
        assert_string_equal(find(&t, third), odd);

        /* The other way round: the name that Gemini takes comes first, and stays. */
        {
                _cleanup_(tool_names_done) ToolNames u = {};

                assert_string_equal(map(&u, odd), odd);
                assert_string_not_equal(map(&u, "look up"), odd);
                assert_string_equal(find(&u, map(&u, "look up")), "look up");
                assert_string_equal(find(&u, odd), odd);
        }

        /* Names that differ only behind what is kept. */
        assert_string_not_equal(map(&t, SIXTY SIXTY "a"), map(&t, SIXTY SIXTY "b"));
}

static void test_find(void **state) {
        _cleanup_(tool_names_done) ToolNames t = {};
        ToolName *e;

        assert_null(find(&t, "a"));
        assert_int_equal(tool_names_map(&t, "a\0b", 3, &e), 0);
        e->flags |= TOOL_NAME_CUSTOM;
        assert_int_equal(tool_names_find(&t, e->mapped, strlen(e->mapped))->flags, TOOL_NAME_CUSTOM);
        assert_int_equal(e->n_original, 3);
        assert_string_equal(map(&t, "a"), "a");
        assert_null(find(&t, "ab"));
        assert_null(find(&t, ""));
        assert_null(tool_names_find(&t, e->mapped, strlen(e->mapped) - 1));

        assert_string_equal(find(&t, "default_api.a"), "a");
        assert_string_equal(find(&t, "default_api:a"), "a");
        assert_null(find(&t, "default_api_a"));
        assert_null(find(&t, "default_api."));
        assert_null(find(&t, "default_api"));
        assert_string_equal(map(&t, "default_api.a"), "default_api.a");
        assert_string_equal(find(&t, "default_api.a"), "default_api.a");
}

static void test_view(void **state) {
        _cleanup_(tool_names_done) ToolNames t = {};
        ToolName *e, *same;

        assert_int_equal(tool_names_map_view(&t, json_view("\"a\\u0062\"", 9), &e), 0);
        assert_string_equal(e->mapped, "ab");
        assert_int_equal(tool_names_map_view(&t, json_view("\"ab\"", 4), &same), 0);
        assert_ptr_equal(same, e);
        assert_int_equal(tool_names_map_view(&t, json_view("\"\"", 2), &e), 0);
        assert_true(is_good(e->mapped));
        assert_string_equal(e->original, "");
}

static void test_ceilings(void **state) {
        _cleanup_(tool_names_done) ToolNames t = {};
        char name[TOOL_NAME_MAX + 2], json[TOOL_NAME_MAX + 4];
        ToolName *e;

        memset(name, ' ', sizeof(name));
        assert_int_equal(tool_names_map(&t, name, TOOL_NAME_MAX + 1, &e), -E2BIG);
        assert_int_equal(tool_names_map(&t, name, TOOL_NAME_MAX, &e), 0);
        assert_true(is_good(e->mapped));
        (void) snprintf(json, sizeof(json), "\"%.*s\"", (int) TOOL_NAME_MAX + 1, name);
        assert_int_equal(tool_names_map_view(&t, json_view(json, TOOL_NAME_MAX + 3), &e), -E2BIG);
        for (unsigned i = 1; i < TOOL_NAMES_MAX; i++) {
                (void) snprintf(name, sizeof(name), i % 2 ? "%u" : "x%u", i);
                (void) map(&t, name);
        }
        assert_int_equal(tool_names_map(&t, "one more", 8, &e), -E2BIG);
        assert_string_equal(map(&t, "x2"), "x2");
        for (unsigned i = 1; i < TOOL_NAMES_MAX; i++) {
                (void) snprintf(name, sizeof(name), i % 2 ? "%u" : "x%u", i);
                assert_string_equal(find(&t, map(&t, name)), name);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table), cmocka_unit_test(test_same_in_each_turn),
                cmocka_unit_test(test_clashes), cmocka_unit_test(test_find),
                cmocka_unit_test(test_view), cmocka_unit_test(test_ceilings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
