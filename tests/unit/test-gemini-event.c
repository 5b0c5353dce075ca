/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "dialect/dialect.h"
#include "dialect/gemini/event.h"

#define U(members) "{\"usageMetadata\":{" members "}}"
#define ALL                                                                                               \
        U("\"promptTokenCount\":10,\"toolUsePromptTokenCount\":2,\"cachedContentTokenCount\":4,"            \
          "\"thoughtsTokenCount\":3,\"candidatesTokenCount\":5,\"totalTokenCount\":20")

/* What several events come to. */
static void test_usage(void **state) {
        static const struct {
                const char *events[3];
                Usage usage; /* prompt, cached, completion, thoughts, total */
        } rows[] = {
                { { "{}" }, { 0, 0, 0, 0, 0 } },
                { { ALL }, { 12, 4, 8, 3, 20 } },
                { { ALL, "{}" }, { 12, 4, 8, 3, 20 } },
                { { ALL, U("") }, { 12, 4, 8, 3, 20 } },
                { { ALL, "{\"usageMetadata\":null}" }, { 12, 4, 8, 3, 20 } },
                { { ALL, U("\"promptTokenCount\":11,\"totalTokenCount\":30") }, { 13, 4, 8, 3, 30 } },
                { { ALL, U("\"candidatesTokenCount\":9") }, { 12, 4, 12, 3, 24 } },
                { { U("\"promptTokenCount\":10"), U("\"candidatesTokenCount\":1"),
                    U("\"candidatesTokenCount\":5,\"thoughtsTokenCount\":3") },
                  { 10, 0, 8, 3, 18 } },
                /* no number is no count */
                { { ALL, U("\"promptTokenCount\":null,\"cachedContentTokenCount\":\"x\"") },
                  { 12, 4, 8, 3, 20 } },
                { { ALL, U("\"thoughtsTokenCount\":-1,\"candidatesTokenCount\":[]") }, { 12, 4, 8, 3, 20 } },
                { { ALL, U("\"cachedContentTokenCount\":0") }, { 12, 0, 8, 3, 20 } },
                /* spellings */
                { { U("\"promptTokenCount\":5.0,\"candidatesTokenCount\":\"7\",\"totalTokenCount\":1.2e1") },
                  { 5, 0, 7, 0, 12 } },
                { { U("\"promptTokenCount\":5e0,\"candidatesTokenCount\":\"7.0\"") }, { 5, 0, 7, 0, 12 } },
                { { U("\"promptTokenCount\":5.5,\"candidatesTokenCount\":1e400") }, { 0, 0, 0, 0, 0 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                GeminiCounts counts = {};
                Usage u = {};

                for (size_t k = 0; k < ELEMENTSOF(rows[i].events) && rows[i].events[k]; k++) {
                        const char *json = rows[i].events[k];
                        GeminiEvent e;
                        Verdict v;

                        assert_int_equal(gemini_event_parse(json, strlen(json), &e, &v), 0);
                        gemini_event_count(&e, &counts, &u);
                }
                if (memcmp(&u, &rows[i].usage, sizeof(Usage)) != 0)
                        fail_msg("row %zu: %llu %llu %llu %llu %llu", i, (unsigned long long) u.prompt,
                                 (unsigned long long) u.cached, (unsigned long long) u.completion,
                                 (unsigned long long) u.thoughts, (unsigned long long) u.total);
        }
}

static uint64_t prompt_of(const char *json) {
        GeminiCounts counts = {};
        GeminiEvent e;
        Usage u = {};
        Verdict v;

        assert_int_equal(gemini_event_parse(json, strlen(json), &e, &v), 0);
        gemini_event_count(&e, &counts, &u);
        return u.prompt;
}

/* A text that was prepared, is read with its own index; another one in between, and the same place with
 * another text, are checked. */
static void test_prepare(void **state) {
        char text[] = U("\"promptTokenCount\":10");
        GeminiEvent e;
        Verdict v;

        assert_false(gemini_event_prepare("{", 1));
        assert_false(gemini_event_prepare("{}{}", 4));
        assert_true(gemini_event_prepare(text, strlen(text)));
        assert_int_equal(prompt_of(text), 10);
        assert_int_equal(prompt_of(text), 10);
        assert_int_equal(prompt_of(U("  \"promptTokenCount\" : 7")), 7);
        assert_int_equal(prompt_of(text), 10);

        assert_true(gemini_event_prepare(text, strlen(text)));
        assert_int_equal(gemini_event_parse(text, strlen(text) - 1, &e, &v), DIALECT_E_VERDICT);
        assert_true(gemini_event_prepare(text, strlen(text)));
        gemini_event_forget();
        text[0] = 'x';
        assert_int_equal(gemini_event_parse(text, strlen(text), &e, &v), DIALECT_E_VERDICT);
}

static void test_error(void **state) {
        static const struct {
                const char *text, *error; /* NULL: none is found */
        } rows[] = {
                { "{\"error\":{}}", "{\"error\":{}}" },
                { "[{\"error\":{}}]\n", "[{\"error\":{}}]\n" },
                { "[{},{\"error\":{}}]", "[{},{\"error\":{}}]" },
                { ",\n{\"error\":{}}\n]\n", "{\"error\":{}}" },
                { "error: {\"error\":\"x\"} bye", "{\"error\":\"x\"}" },
                { "{\"error\":null}", NULL },
                { "{\"candidates\":[]}", NULL },
                { "{\"error\":{", NULL },
                { "}{", NULL },
                { "error", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *error;
                size_t n;

                assert_int_equal(gemini_event_find_error(rows[i].text, strlen(rows[i].text), &error, &n),
                                 !!rows[i].error);
                if (rows[i].error) {
                        assert_int_equal(n, strlen(rows[i].error));
                        assert_memory_equal(error, rows[i].error, n);
                }
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_usage),
                cmocka_unit_test(test_prepare),
                cmocka_unit_test(test_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
