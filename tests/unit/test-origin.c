/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/origin.h"

static void test_form(void **state) {
        static const struct {
                const char *text, *origin; /* NULL: not one */
        } rows[] = {
                { "https://app.example.org", "https://app.example.org" },
                { "HTTPS://App.Example.org", "https://app.example.org" },
                { "https://app.example.org:443", "https://app.example.org" },
                { "https://app.example.org:80", "https://app.example.org:80" },
                { "http://localhost:80", "http://localhost" },
                { "http://localhost:3000", "http://localhost:3000" },
                { "http://127.0.0.1:65535", "http://127.0.0.1:65535" },
                { "http://[::1]:3000", "http://[::1]:3000" },
                { "http://[::1]", "http://[::1]" },
                { "chrome-extension://abcdefghij", "chrome-extension://abcdefghij" },
                { "app://obsidian.md", "app://obsidian.md" },
                { "tauri://localhost", "tauri://localhost" },
                { "https://app.example.org/", NULL },
                { "https://app.example.org/path", NULL },
                { "https://app.example.org?x", NULL },
                { "https://user@app.example.org", NULL },
                { "https://*.example.org", NULL },
                { "https://app.example.org:", NULL },
                { "https://app.example.org:0", NULL },
                { "https://app.example.org:0443", NULL },
                { "https://app.example.org:65536", NULL },
                { "https://app.example.org:+1", NULL },
                { "https://app example.org", NULL },
                { "https://app.example.org\n", NULL },
                { "https://m\xc3\xbcnchen.example", NULL },
                { "https://[::1", NULL },
                { "https://[]", NULL },
                { "https://", NULL },
                { "https:app.example.org", NULL },
                { "://app.example.org", NULL },
                { "1https://app.example.org", NULL },
                { "app.example.org", NULL },
                { "null", NULL },
                { "file://", NULL },
                { "", NULL },
                { "**", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(origin_set_done) OriginSet s = {};
                int r = origin_set_add(&s, rows[i].text);

                if (!rows[i].origin) {
                        assert_int_equal(r, -EINVAL);
                        assert_true(origin_set_is_empty(&s));
                        continue;
                }
                assert_int_equal(r, 0);
                assert_int_equal(s.n, 1);
                assert_string_equal(s.origins[0], rows[i].origin);
                assert_string_equal(origin_set_match(&s, rows[i].origin), rows[i].origin);
        }
}

/* An origin fits as a whole or not at all. */
static void test_match(void **state) {
        static const char *const others[] = {
                "",     "null", "https://app.example.org.evil.example", "https://app.example.or",
                "http://app.example.org", "https://app.example.org:8443", "https://APP.example.org",
                "https://app.example.org ", "https://evil.app.example.org", "*",
        };
        _cleanup_(origin_set_done) OriginSet s = {};

        assert_int_equal(origin_set_add(&s, "https://app.example.org"), 0);
        assert_int_equal(origin_set_add(&s, "http://localhost:3000"), 0);
        assert_int_equal(origin_set_add(&s, "https://app.example.org:443"), 0);
        assert_int_equal(s.n, 2);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_null(origin_set_match(&s, others[i]));
        assert_string_equal(origin_set_match(&s, "http://localhost:3000"), "http://localhost:3000");

        assert_int_equal(origin_set_add(&s, "*"), 0);
        assert_string_equal(origin_set_match(&s, "null"), "*");
        assert_string_equal(origin_set_match(&s, "http://localhost:3000"), "*");
}

static void test_ceilings(void **state) {
        _cleanup_(origin_set_done) OriginSet s = {};
        char text[CORS_ORIGIN_MAX + 2];

        for (unsigned i = 0; i < CORS_ORIGINS_MAX; i++) {
                (void) snprintf(text, sizeof(text), "https://h%u", i);
                assert_int_equal(origin_set_add(&s, text), 0);
        }
        assert_int_equal(origin_set_add(&s, "https://one-more"), -E2BIG);
        assert_int_equal(origin_set_add(&s, "https://h0"), 0);
        memset(text, 'a', sizeof(text) - 1);
        memcpy(text, "http://", strlen("http://"));
        text[CORS_ORIGIN_MAX + 1] = 0;
        assert_int_equal(origin_set_add(&s, text), -EINVAL);
}

static void test_header_names(void **state) {
        static const struct {
                const char *names;
                bool valid;
        } rows[] = {
                { "authorization,content-type,x-stainless-arch,x-stainless-retry-count", true },
                { "x-api-key", true },
                { " anthropic-version ,\tx-goog-api-key ", true },
                { "", false },      { " ", false },       { ",", false },     { "a,", false },
                { ",a", false },    { "a,,b", false },    { "a b", false },   { "a\r\nX: y", false },
                { "a:b", false },   { "a;b", false },     { "\xc3\xbc", false }, { "\"a\"", false },
        };
        char longest[CORS_HEADER_NAMES_MAX + 2];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(header_names_are_valid(rows[i].names), rows[i].valid);
        memset(longest, 'x', sizeof(longest));
        longest[CORS_HEADER_NAMES_MAX] = 0;
        assert_true(header_names_are_valid(longest));
        longest[CORS_HEADER_NAMES_MAX] = 'x';
        longest[CORS_HEADER_NAMES_MAX + 1] = 0;
        assert_false(header_names_are_valid(longest));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_form),
                cmocka_unit_test(test_match),
                cmocka_unit_test(test_ceilings),
                cmocka_unit_test(test_header_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
