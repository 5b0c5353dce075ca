/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/limits.h"
#include "base/text.h"
#include "dialect/gemini/opening.h"

static void test_find(void **state) {
        static const struct {
                const char *json, *opening; /* NULL: none */
        } rows[] = {
                { "{\"contents\":[{\"a\":1}]}", "{\"a\":1}" },
                { " { \"contents\" : [ {\"a\":[1,2]} , {\"b\":2}]}", "{\"a\":[1,2]}" },
                { "{\"x\":{\"contents\":[1]},\"contents\":[{\"a\":\"]}\\\",\"},3]}", "{\"a\":\"]}\\\",\"}" },
                { "{\"x\":\"\\\\\",\"y\":[{},[]],\"z\":1,\"contents\":[7]}", "7" },
                { "{\"contents\":[\"cut", "\"cut" },
                { "{\"contents\":[{\"a\":\"cut\\", "{\"a\":\"cut\\" },
                { "{\"contents\":[]}", NULL },
                { "{\"contents\":{}}", NULL },
                { "{\"contents\":1}", NULL },
                { "{\"contentsX\":[1]}", NULL },
                { "{\"a\":1}", NULL },
                { "{\"a\":1,}", NULL },
                { "{\"a\" 1}", NULL },
                { "{\"contents\"", NULL },
                { "{", NULL },
                { "[1]", NULL },
                { "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                /* Exactly as long as it is, so that a sanitizer sees a step beyond. */
                _cleanup_free_ char *copy = malloc(MAX(strlen(rows[i].json), (size_t) 1));
                const char *p = NULL;
                size_t n = 0;
                bool found;

                assert_non_null(copy);
                memcpy(copy, rows[i].json, strlen(rows[i].json));
                found = gemini_opening_find(copy, strlen(rows[i].json), &p, &n);
                assert_int_equal(found, rows[i].opening != NULL);
                if (found) {
                        assert_int_equal(n, strlen(rows[i].opening));
                        assert_memory_equal(p, rows[i].opening, n);
                }
        }
}

static void test_ceilings(void **state) {
        static char json[2 * OPENING_SEARCH_MAX];
        const char *p;
        size_t n;

        memset(json, 'a', sizeof(json));
        memcpy(json, "{\"contents\":[\"", 14);
        assert_true(gemini_opening_find(json, sizeof(json), &p, &n));
        assert_int_equal(n, OPENING_DIGEST_MAX);
        memcpy(json, "{\"x\":\"aaaaaaaa", 14);
        memcpy(json + OPENING_SEARCH_MAX, "\",\"contents\":[1]}", 17);
        assert_false(gemini_opening_find(json, sizeof(json), &p, &n));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_ceilings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
