/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "dialect/dialect.h"

/* Which `store` goes upstream: "" for none. */
static void test_store(void **state) {
        static const struct {
                GeminiStore store;
                bool is_told;
                const char *absent, *no, *yes; /* by the client's own */
        } rows[] = {
                { GEMINI_STORE_OFF, true, "false", "false", "false" },
                { GEMINI_STORE_OFF, false, "", "false", "false" },
                { GEMINI_STORE_CLIENT, true, "false", "false", "true" },
                { GEMINI_STORE_CLIENT, false, "", "false", "true" },
                { GEMINI_STORE_PROJECT, true, "", "false", "" },
                { GEMINI_STORE_PROJECT, false, "", "false", "" },
        };
        static const char *const fields[] = { "", ",\"store\":false", ",\"store\":true",
                                              ",\"store\":null" };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t k = 0; k < ELEMENTSOF(fields); k++) {
                        const char *const wants[] = { rows[i].absent, rows[i].no, rows[i].yes,
                                                      rows[i].absent };
                        const DialectContext c = { .default_model = "m", .store = rows[i].store,
                                                   .store_is_told = rows[i].is_told };
                        _cleanup_(translation_freep) Translation *t = NULL;
                        char body[128], want[32] = "";
                        ApiError e;

                        (void) snprintf(body, sizeof(body),
                                        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]%s}",
                                        fields[k]);
                        if (*wants[k])
                                (void) snprintf(want, sizeof(want), ",\"store\":%s}", wants[k]);
                        assert_int_equal(dialect_openai_chat.request(&c, body, strlen(body), &t, &e), 0);
                        if (*want)
                                assert_non_null(strstr(buf_cstr(&t->gemini), want));
                        else
                                assert_null(strstr(buf_cstr(&t->gemini), "store"));
                }
}

/* The dialect of the CLI has no such field, and Gemini's own passes bytes. */
static void test_others(void **state) {
        static const char command[] = "{\"command\":\"Hi\"}";
        DialectContext c = { .default_model = "m", .store_is_told = true, .path_rest = "m:generateContent" };
        Translation *t = NULL;
        ApiError e;

        assert_int_equal(dialect_run_gemini.request(&c, command, strlen(command), &t, &e), 0);
        assert_non_null(strstr(buf_cstr(&t->gemini), "\"store\":false}"));
        t = translation_free(t);
        assert_int_equal(dialect_gemini.request(&c, "{}", 2, &t, &e), 0);
        assert_string_equal(buf_cstr(&t->gemini), "{}");
        translation_free(t);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_store),
                cmocka_unit_test(test_others),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
