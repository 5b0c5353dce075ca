/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "core/rules.h"

static void test_patterns(void **state) {
        static const struct {
                const char *pattern, *model;
                bool matches;
                size_t literal;
        } rows[] = {
                { "gemini-3.8-flash", "gemini-3.8-flash", true, SIZE_MAX },
                { "gemini-3.8-flash", "gemini-3.8-flash-lite", false },
                { "gemini-3.8-flash", "gemini-3.8-flas", false },
                { "gemini-3*", "gemini-3.8-flash", true, 8 },
                { "gemini-3*", "gemini-3", true, 8 },
                { "gemini-3*", "gemini-2.5-pro", false },
                { "*-image*", "gemini-3-pro-image-preview", true, 6 },
                { "*-image*", "gemini-3-pro-imag", false },
                { "a*b*c", "abbbcbc", true, 3 },
                { "a*b*c", "abbbcb", false },
                { "*", "", true, 0 },
                { "", "", true, SIZE_MAX },
                { "", "a", false },
                { "**", "ab", true, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t literal = 1234;

                assert_int_equal(model_pattern_matches(rows[i].pattern, rows[i].model, &literal),
                                 rows[i].matches);
                assert_int_equal(literal, rows[i].matches ? rows[i].literal : 1234);
        }
}

/* A pattern with many stars must not take time that grows with a power of its length. */
static void test_pattern_of_stars(void **state) {
        char pattern[128], model[4096];
        size_t literal;

        for (size_t i = 0; i < sizeof(pattern) - 2; i += 2) {
                pattern[i] = '*';
                pattern[i + 1] = 'a';
        }
        pattern[sizeof(pattern) - 2] = 'b';
        pattern[sizeof(pattern) - 1] = 0;
        memset(model, 'a', sizeof(model) - 1);
        model[sizeof(model) - 1] = 0;
        assert_false(model_pattern_matches(pattern, model, &literal));
}

/* Which built-in row a name gets. */
static void test_rows(void **state) {
        static const struct {
                const char *model, *pattern;
        } rows[] = {
                { "gemini-4-argon", "gemini-4-*" },
                { "gemini-4-neon", "gemini-4-neon*" },
                { "gemini-3-flash-preview", "gemini-3*" },
                { "gemini-3.1-pro-preview", "gemini-3*-pro*" },
                { "gemini-3.5-flash", "gemini-3*" },
                { "gemini-3.5-flash-lite", "gemini-3.5-flash-lite*" },
                { "gemini-3.8-flash", "gemini-3.8-flash*" },
                { "gemini-3.8-flash-lite", "gemini-3.8-flash-lite*" },
                { "gemini-3.8-flash-tts", "gemini-3*-flash-tts*" },
                { "gemini-3.8-flash-lite-tts", "gemini-3*-flash-lite-tts*" },
                { "gemini-3.1-flash-image", "gemini-3*-flash-image*" },
                { "gemini-3.8-flash-image", "gemini-3*-flash-image*" },
                { "gemini-3.1-flash-lite-image", "gemini-3*-flash-lite-image*" },
                { "gemini-3-pro-image", "gemini-3*-image*" },
                { "gemini-nano-banana-2.1", "gemini-nano-banana*" },
                { "gemini-2.5-pro", "gemini-2.5-pro*" },
                { "gemini-2.5-flash", "gemini-2.5-*" },
                { "gemini-2.5-flash-lite", "gemini-2.5-flash-lite*" },
                { "gemini-2.5-flash-image", "gemini-2.*-image*" },
                { "gemini-2.5-pro-preview-tts", "gemini-2.5-*-tts*" },
                { "gemini-2.0-flash", "gemini-2.0-*" },
                { "gemini-flash-latest", "gemini-flash-latest" },
                { "gemma-3-27b-it", "gemma-3*" },
                { "gemma-4-31b-it", "gemma-*" },
                { "gemini-5-xenon", "*" },
                { "", "*" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_string_equal(model_rules_find(NULL, rows[i].model)->pattern, rows[i].pattern);
}

/* Every built-in row is reachable by some name, has a source, and is consistent. */
static void test_built_in(void **state) {
        const ModelRules *rows;
        size_t n;

        rows = model_rules_built_in(&n);
        assert_string_equal(rows[n - 1].pattern, "*");
        for (size_t i = 0; i < n; i++) {
                const ModelRules *r = rows + i;
                char name[64];
                size_t k = 0;

                for (const char *p = r->pattern; *p; p++)
                        if (*p != '*')
                                name[k++] = *p;
                name[k] = 0;
                assert_ptr_equal(model_rules_find(NULL, name), r);
                assert_true(r->source && r->source[0]);
                assert_true(model_can(r, MODEL_CAN_TEXT) || model_can(r, MODEL_CAN_AUDIO));
                assert_true(r->thinking != THINKING_LEVEL || r->level_lowest <= r->level_default);
                assert_true(r->thinking != THINKING_LEVEL || r->level_default <= r->level_highest);
                assert_true(r->thinking != THINKING_BUDGET || r->budget_lowest < r->budget_highest);
        }
}

/* The operator's rows go first, however general they are. */
static void test_set(void **state) {
        ModelRules mine[] = {
                { "gemini-*", "test", MODEL_CAN_TEXT },
                { "gemini-3.8-flash", "test", MODEL_CAN_TEXT | MODEL_CAN_TOOLS },
        };
        ModelRuleSet set = { mine, ELEMENTSOF(mine) };

        assert_ptr_equal(model_rules_find(&set, "gemini-4-argon"), &mine[0]);
        assert_ptr_equal(model_rules_find(&set, "gemini-3.8-flash"), &mine[1]);
        assert_string_equal(model_rules_find(&set, "gemma-4-31b-it")->pattern, "gemma-*");
}

static void test_thinking(void **state) {
        static const struct {
                const char *model;
                ThinkingLevel wanted, sent;
        } levels[] = {
                { "gemini-4-argon", THINKING_MINIMAL, THINKING_LOW },
                { "gemini-4-argon", THINKING_XHIGH, THINKING_HIGH },
                { "gemini-4-neon", THINKING_XHIGH, THINKING_XHIGH },
                { "gemini-3.5-flash-lite", THINKING_MINIMAL, THINKING_MINIMAL },
                { "gemini-3.8-flash", THINKING_MINIMAL, THINKING_LOW },
                { "gemini-3.8-flash", THINKING_MEDIUM, THINKING_MEDIUM },
        };
        static const struct {
                const char *model;
                int wanted, sent;
        } budgets[] = {
                { "gemini-2.5-flash", 0, 0 },
                { "gemini-2.5-flash", 99999, 24576 },
                { "gemini-2.5-flash", -1, -1 },
                { "gemini-2.5-pro", 0, 128 },
                { "gemini-2.5-pro", 32768, 32768 },
                { "gemini-2.5-flash-lite", 0, 0 },
                { "gemini-2.5-flash-lite", 1, 512 },
        };

        for (size_t i = 0; i < ELEMENTSOF(levels); i++)
                assert_int_equal(
                        model_rules_level(model_rules_find(NULL, levels[i].model), levels[i].wanted),
                        levels[i].sent);
        for (size_t i = 0; i < ELEMENTSOF(budgets); i++)
                assert_int_equal(
                        model_rules_budget(model_rules_find(NULL, budgets[i].model), budgets[i].wanted),
                        budgets[i].sent);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_patterns),  cmocka_unit_test(test_pattern_of_stars),
                cmocka_unit_test(test_rows),      cmocka_unit_test(test_built_in),
                cmocka_unit_test(test_set),       cmocka_unit_test(test_thinking),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
