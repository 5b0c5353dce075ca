/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "core/aliases.h"

/* --- one pattern --- */

static void test_fits(void **state) {
        static const struct {
                const char *pattern, *name;
                bool fits;
        } rows[] = {
                { "a", "a", true },          { "a", "b", false },         { "a", "ab", false },
                { "*", "", true },           { "*", "abc", true },        { "***", "abc", true },
                { "a*", "a", true },         { "a*", "abc", true },       { "a*", "ba", false },
                { "*a", "a", true },         { "*a", "cba", true },       { "*a", "ab", false },
                { "a*a", "a", false },       { "a*a", "aa", true },       { "ab*ba", "aba", false },
                { "*b*", "abc", true },      { "*b*", "ac", false },      { "*ab*ab*", "ab", false },
                { "*ab*ab*", "aabab", true }, { "*aab", "aaab", true },   { "a*b*c", "a-b-b-c", true },
                { "a*b*c", "a-c-b", false }, { "*ab*b", "ab", false },    { "*.*", "a.b", true },
                { "claude-*haiku*", "claude-3-5-haiku-20241022", true },
                { "claude-*haiku*", "claude-haiku", true },
                { "claude-*haiku*", "claude-sonnet", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(alias_fits(rows[i].pattern, rows[i].name), rows[i].fits);
}

/* By definition: a `*` is nothing, or one character and a `*`. */
static bool plainly_fits(const char *p, const char *s) {
        if (*p == '*')
                return plainly_fits(p + 1, s) || (*s && plainly_fits(p, s + 1));
        return *p == *s && (!*p || plainly_fits(p + 1, s + 1));
}

static void write_number(size_t n, const char *letters, size_t length, char *ret) {
        size_t k = strlen(letters);

        for (size_t i = 0; i < length; i++, n /= k)
                ret[i] = letters[n % k];
        ret[length] = 0;
}

/* All patterns of up to six characters with all names of up to six. */
static void test_all_fits(void **state) {
        for (size_t m = 0, n_patterns = 1; m <= 6; m++, n_patterns *= 3)
                for (size_t i = 0; i < n_patterns; i++) {
                        char pattern[8];

                        write_number(i, "ab*", m, pattern);
                        for (size_t n = 0; n <= 6; n++)
                                for (size_t k = 0; k < (size_t) 1 << n; k++) {
                                        char name[8];

                                        write_number(k, "ab", n, name);
                                        assert_int_equal(alias_fits(pattern, name),
                                                         plainly_fits(pattern, name));
                                }
                }
}

/* --- a set --- */

static void test_order(void **state) {
        static const struct {
                const char *name, *model;
        } aliases[] = {
                { "*", "any" },         { "claude-*", "c" },
                { "*haiku*", "h" },     { "claude-*haiku*", "ch" },
                { "claude-x", "exact" }, { "?", "never" },     { "ab*", "first" },  { "*ab", "second" },
                { "a*b", "third" },     { "gemini-*", "gemini-1" },
        }, rows[] = {
                { "claude-3-haiku", "ch" }, { "claude-x", "exact" }, { "claude-y", "c" },
                { "my-haiku", "h" },
                { "other", "any" },        { "", "any" },
                /* As many characters: the first of the setting. */
                { "ab", "first" },         { "aab", "second" },      { "a-b", "third" },
                /* A model of an alias is itself. */
                { "gemini-1", NULL },      { "gemini-2", "gemini-1" }, { "ch", NULL },   { "exact", NULL },
        };
        AliasSet s = {};

        for (size_t i = 0; i < ELEMENTSOF(aliases); i++)
                assert_int_equal(alias_set_add(&s, aliases[i].name, aliases[i].model), 0);
        for (size_t i = 0; i < ELEMENTSOF(aliases); i++)
                assert_int_equal(alias_set_add(&s, aliases[i].name, "x"), -EEXIST);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *model = alias_set_find(&s, rows[i].name);

                assert_true(streq_ptr(model, rows[i].model));
        }
        assert_string_equal(alias_set_find_name(&s, "claude-x")->model, "exact");
        assert_null(alias_set_find_name(&s, "claude-y"));
        assert_null(alias_set_find_name(&s, "claude-*"));
        alias_set_done(&s);
        assert_null(alias_set_find(&s, "claude-x"));
}

static void test_names(void **state) {
        AliasSet s = {};

        for (size_t i = 0; i < ALIASES_MAX; i++) {
                char name[16], model[16];

                (void) snprintf(name, sizeof(name), "n%zu", i * 7919 % ALIASES_MAX);
                (void) snprintf(model, sizeof(model), "m%zu", i % 10);
                assert_int_equal(alias_set_add(&s, name, model), 0);
        }
        assert_int_equal(alias_set_add(&s, "one-more", "m"), -E2BIG);
        assert_int_equal(alias_set_add(&s, "pattern*", "m"), 0);
        for (size_t i = 0; i < ALIASES_MAX; i++) {
                char name[16], model[16];

                (void) snprintf(name, sizeof(name), "n%zu", i * 7919 % ALIASES_MAX);
                (void) snprintf(model, sizeof(model), "m%zu", i % 10);
                assert_string_equal(alias_set_find(&s, name), model);
                assert_string_equal(s.names[i].name, name); /* in the order of the setting */
        }
        assert_null(alias_set_find(&s, "one-more"));
        alias_set_done(&s);
}

/* The longest names with as many patterns as there may be, each made to be tried again and again. */
static void test_time(void **state) {
        char name[MODEL_NAME_MAX + 1], pattern[MODEL_NAME_MAX + 1];
        AliasSet s = {};
        usec_t before, best = USEC_INFINITY;

        memset(name, 'a', MODEL_NAME_MAX);
        name[MODEL_NAME_MAX] = 0;
        for (unsigned i = 0; i < ALIAS_PATTERNS_MAX; i++) {
                (void) snprintf(pattern, sizeof(pattern), "*a*aa*aaa*%.*sb%.*s*%u*", 20 + (int) i % 30, name,
                                20, name, i);
                assert_int_equal(alias_set_add(&s, pattern, "m"), 0);
        }
        for (size_t i = 0; i < 5; i++) {
                before = clock_monotonic();
                assert_null(alias_set_find(&s, name));
                best = MIN(best, clock_monotonic() - before);
        }
        assert_in_range(best, 0, 2 * USEC_PER_MSEC);
        alias_set_done(&s);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fits),  cmocka_unit_test(test_all_fits), cmocka_unit_test(test_order),
                cmocka_unit_test(test_names), cmocka_unit_test(test_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
