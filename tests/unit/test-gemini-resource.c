/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "dialect/gemini/resource.h"

static void test_time(void **state) {
        static const struct {
                const char *text;
                usec_t seconds;
        } rows[] = {
                { "2026-11-22T12:00:00Z", 1795348800 },
                { "2026-11-22T12:00:00.123456Z", 1795348800 },
                { "1970-01-01T00:00:01Z", 1 },
                { "1970-01-01T00:00:00Z", 0 },
                { "2026-11-22T12:00:00", 0 },
                { "2026-11-22T12:00:00+01:00", 0 },
                { "2026-11-22", 0 },
                { "", 0 },
                { "tomorrow", 0 },
                { "1969-01-01T00:00:00Z", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(gemini_time_read(rows[i].text), rows[i].seconds * USEC_PER_SEC);
}

static void test_read(void **state) {
        static const struct {
                const char *json, *name; /* NULL: none */
                usec_t seconds;
        } rows[] = {
                { "{\"name\":\"files/a\",\"expirationTime\":\"2026-11-22T12:00:00Z\"}", "files/a",
                  1795348800 },
                { "{\"file\":{\"name\":\"files/a\",\"expirationTime\":\"2026-11-22T12:00:00Z\"}}", "files/a",
                  1795348800 },
                { "{\"name\":\"cachedContents/a\",\"expireTime\":\"2026-11-22T12:00:00Z\"}",
                  "cachedContents/a", 1795348800 },
                { "{\"name\":\"files/a\"}", "files/a", 0 },
                { "{\"name\":\"files/a\",\"expirationTime\":7}", "files/a", 0 },
                { "{\"name\":\"uploads/a\"}", NULL, 0 },
                { "{\"name\":\"files/a/b\"}", NULL, 0 },
                { "{\"name\":\"files/a\\u0000\"}", NULL, 0 },
                { "{\"name\":7}", NULL, 0 },
                { "[]", NULL, 0 },
                { "{", NULL, 0 },
                { "", NULL, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                GeminiResource r;

                assert_int_equal(gemini_resource_read(rows[i].json, strlen(rows[i].json), &r),
                                 !!rows[i].name);
                if (!rows[i].name)
                        continue;
                assert_string_equal(r.name, rows[i].name);
                assert_int_equal(r.expires, rows[i].seconds * USEC_PER_SEC);
        }
}

static void test_upload_id(void **state) {
        static const struct {
                const char *url, *id;
        } rows[] = {
                { "https://generativelanguage.googleapis.com/upload/v1beta/"
                  "files?upload_id=AB-c_1&upload_protocol=resumable",
                  "AB-c_1" },
                { "https://evil.example/?x=y&upload_id=A", "A" },
                { "?upload_id=A", "A" },
                { "https://h/?upload_id=", NULL },
                { "https://h/?upload_id=A%2F", NULL },
                { "https://h/?upload_id=A/../B", NULL },
                { "https://h/?xupload_id=A", NULL },
                { "https://h/upload_id=A", NULL },
                { "", NULL },
        };
        char id[BINDING_UPSTREAM_MAX + 1], longest[BINDING_UPSTREAM_MAX + 16] = "?upload_id=";

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(gemini_upload_id(rows[i].url, strlen(rows[i].url), id), !!rows[i].id);
                if (rows[i].id)
                        assert_string_equal(id, rows[i].id);
        }
        memset(longest + 11, 'a', BINDING_UPSTREAM_MAX + 1);
        assert_true(gemini_upload_id(longest, 11 + BINDING_UPSTREAM_MAX, id));
        assert_false(gemini_upload_id(longest, 11 + BINDING_UPSTREAM_MAX + 1, id));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_upload_id),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
