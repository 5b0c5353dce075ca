/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/buf.h"
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
                const char *kind, *json, *name; /* NULL: none */
                usec_t seconds;
                const char *google;
        } rows[] = {
                { BINDING_FILES, "{\"name\":\"files/a\",\"expirationTime\":\"2026-11-22T12:00:00Z\"}",
                  "files/a", 1795348800 },
                { BINDING_FILES,
                  "{\"file\":{\"name\":\"files/a\",\"expirationTime\":\"2026-11-22T12:00:00Z\"}}", "files/a",
                  1795348800 },
                { BINDING_CACHES, "{\"name\":\"cachedContents/a\",\"expireTime\":\"2026-11-22T12:00:00Z\"}",
                  "cachedContents/a", 1795348800 },
                { BINDING_FILES, "{\"name\":\"files/a\"}", "files/a", 0 },
                { BINDING_FILES, "{\"name\":\"files/a\",\"expirationTime\":7}", "files/a", 0 },
                { BINDING_FILES, "{\"name\":\"cachedContents/a\"}", NULL, 0 },
                { BINDING_FILES, "{\"name\":\"uploads/a\"}", NULL, 0 },
                { BINDING_FILES, "{\"name\":\"files/a/b\"}", NULL, 0 },
                { BINDING_FILES, "{\"name\":\"files/a\\u0000\"}", NULL, 0 },
                { BINDING_FILES, "{\"name\":7}", NULL, 0 },
                { BINDING_FILES, "[]", NULL, 0 },
                { BINDING_FILES, "{", NULL, 0 },
                { BINDING_FILES, "", NULL, 0 },
                { BINDING_BATCHES, "{\"name\":\"batches/a\",\"done\":true,\"error\":{\"code\":3}}",
                  "batches/a", 0 },
                /* What is made belongs to the object that the operation makes. */
                { BINDING_TUNED, "{\"name\":\"tunedModels/a/operations/b\"}", "tunedModels/a", 0 },
                { BINDING_TUNED, "{\"name\":\"tunedModels/a/permissions/b\"}", NULL, 0 },
                { BINDING_OPERATIONS, "{\"name\":\"models/veo-3.1/operations/a\"}", "operations/a", 0,
                  "models/veo-3.1/operations/a" },
                { BINDING_OPERATIONS, "{\"name\":\"operations/a\"}", NULL, 0 },
                { BINDING_OPERATIONS, "{\"name\":\"models/../operations/a\"}", NULL, 0 },
                { BINDING_OPERATIONS, "{\"name\":\"models/m/x/operations/a\"}", NULL, 0 },
                /* Of what has an id the name is the client's word. */
                { BINDING_WEBHOOKS, "{\"name\":\"webhooks/b\",\"id\":\"a\"}", "webhooks/a", 0 },
                { BINDING_WEBHOOKS, "{\"name\":\"files/b\",\"id\":\"a\"}", "webhooks/a", 0 },
                { BINDING_AGENTS, "{\"id\":\"agents/a\"}", "agents/a", 0 },
                { BINDING_AGENTS, "{\"id\":\"a/b\"}", NULL, 0 },
                { BINDING_AGENTS, "{\"id\":\"\"}", NULL, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                GeminiResource r;

                if (gemini_resource_read(rows[i].json, strlen(rows[i].json), rows[i].kind, &r) !=
                    !!rows[i].name)
                        fail_msg("%s", rows[i].json);
                if (!rows[i].name)
                        continue;
                assert_string_equal(r.name, rows[i].name);
                assert_string_equal(r.google, rows[i].google ?: "");
                assert_int_equal(r.expires, rows[i].seconds * USEC_PER_SEC);
        }
}

static void test_name(void **state) {
        GeminiResource r;

        assert_true(gemini_resource_name("interactions/a", &r));
        assert_string_equal(r.name, "interactions/a");
        assert_string_equal(r.google, "");
        assert_true(gemini_resource_name("models/m/operations/a", &r));
        assert_string_equal(r.name, "operations/a");
        assert_string_equal(r.google, "models/m/operations/a");
        assert_false(gemini_resource_name("models/m", &r));
        assert_false(gemini_resource_name("x", &r));
        assert_false(gemini_resource_name("", &r));
}

static void test_check(void **state) {
        static const struct {
                const char *json;
                bool named, any; /* it passes */
        } rows[] = {
                { "{\"name\":\"batches/a\",\"error\":{\"code\":3}}", true, true },
                { "{\"id\":\"a\"}", true, true },
                { "{\"file\":{}}", true, true },
                { "{}", true, true },
                { "{\"documents\":[]}", false, true },
                { "{\"error\":{\"code\":503,\"message\":\"x\",\"status\":\"UNAVAILABLE\"}}", false, false },
                { "{\"documents\":[],\"error\":{}}", false, false },
                { "[]", false, false },
                { "<html>", false, false },
                { "", false, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (int any = 0; any < 2; any++) {
                        Verdict v;
                        int r = gemini_resource_check(rows[i].json, strlen(rows[i].json), !any, NULL, &v);

                        if ((r == 0) != (any ? rows[i].any : rows[i].named))
                                fail_msg("%s", rows[i].json);
                }
}

static void on_file(const char *name, void *userdata) {
        (void) buf_printf(userdata, "%s ", name);
}

static void test_files(void **state) {
        static const char google[] =
                "{\"name\":\"models/v/operations/o\",\"response\":{\"generateVideoResponse\":{"
                "\"generatedSamples\":[{\"video\":{\"uri\":"
                "\"https://generativelanguage.googleapis.com/v1beta/files/a:download?alt=media\"}},"
                "{\"video\":{\"uri\":\"files/b\"}},{\"video\":{\"uri\":\"https://h/v1beta/files/c\"}},"
                "{\"video\":{\"uri\":\"files/..\"}},{\"uri\":7},{\"uri\":[\"files/d\"]},"
                "{\"x\":\"files/e\"}]}}}";
        static const char batch[] = "{\"metadata\":{\"output\":{\"responsesFile\":\"files/batch-x\"},"
                                    "\"inputConfig\":{\"fileName\":\"files/in\"}}}";
        _cleanup_buf_ Buf text = BUF_INIT(256);

        gemini_resource_files(google, strlen(google), "uri", on_file, &text);
        assert_string_equal(buf_cstr(&text), "files/a files/b ");
        buf_clear(&text);
        gemini_resource_files(batch, strlen(batch), "responsesFile", on_file, &text);
        assert_string_equal(buf_cstr(&text), "files/batch-x ");
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
                cmocka_unit_test(test_name),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_upload_id),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
