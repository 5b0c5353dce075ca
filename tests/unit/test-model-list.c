/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/buf.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/model-list.h"

#define FLASH                                                                                               \
        "{\"name\": \"models/flash\", \"displayName\": \"Flash\", \"inputTokenLimit\": 1048576, "           \
        "\"outputTokenLimit\": 65536, \"supportedGenerationMethods\": [\"generateContent\"]}"

static const GeminiModel flash = { (char *) "flash", (char *) FLASH, sizeof(FLASH) - 1 };
static const GeminiModel bare = { (char *) "bare", NULL, 0 };

static const ListedModel models[] = {
        { "flash", &flash, false }, { "bare", &bare, false }, { "fast", &flash, true },
        { "lost", NULL, true },
};

/* --- forms --- */

#define ANTHROPIC(id, name, in, out)                                                                        \
        "{\"type\":\"model\",\"id\":\"" id "\",\"display_name\":\"" name "\","                              \
        "\"created_at\":\"1970-01-01T00:00:00Z\",\"lifecycle\":\"active\",\"deprecated_at\":null,"          \
        "\"retires_at\":null,\"line\":null,\"max_input_tokens\":" in ",\"max_tokens\":" out ","             \
        "\"capabilities\":null}"
#define OPENAI(id, owner)                                                                                   \
        "{\"id\":\"" id "\",\"object\":\"model\",\"created\":0,\"owned_by\":\"" owner "\"}"

static void test_forms(void **state) {
        static const struct {
                const ErrorShape *errors;
                bool more;
                const char *text;
        } rows[] = {
                { &error_shape_openai, true,
                  "{\"object\":\"list\",\"data\":[" OPENAI("flash", "google") ","
                  OPENAI("bare", "google") "," OPENAI("fast", "gemgate") ","
                  OPENAI("lost", "gemgate") "]}" },
                { &error_shape_anthropic, true,
                  "{\"data\":[" ANTHROPIC("flash", "Flash", "1048576", "65536") ","
                  ANTHROPIC("bare", "bare", "null", "null") ","
                  ANTHROPIC("fast", "fast", "1048576", "65536") ","
                  ANTHROPIC("lost", "lost", "null", "null") "],"
                  "\"has_more\":true,\"first_id\":\"flash\",\"last_id\":\"lost\"}" },
                { &error_shape_google, true,
                  "{\"models\":[" FLASH ",{\"name\":\"models/bare\",\"displayName\":\"bare\"},"
                  "{\"name\":\"models/fast\",\"displayName\":\"fast\",\"inputTokenLimit\":1048576,"
                  "\"outputTokenLimit\":65536,\"supportedGenerationMethods\":[\"generateContent\"]},"
                  "{\"name\":\"models/lost\",\"displayName\":\"lost\"}],\"nextPageToken\":\"lost\"}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1U << 16);
                JWriter w = JWRITER_INIT(&b);

                model_list_form(rows[i].errors)->list(&w, models, ELEMENTSOF(models), rows[i].more);
                assert_string_equal(buf_cstr(&b), rows[i].text);
        }
}

static void test_empty(void **state) {
        static const struct {
                const ErrorShape *errors;
                const char *text;
        } rows[] = {
                { &error_shape_openai, "{\"object\":\"list\",\"data\":[]}" },
                { &error_shape_plain, "{\"object\":\"list\",\"data\":[]}" },
                { &error_shape_anthropic,
                  "{\"data\":[],\"has_more\":false,\"first_id\":null,\"last_id\":null}" },
                { &error_shape_google, "{\"models\":[]}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1U << 16);
                JWriter w = JWRITER_INIT(&b);

                model_list_form(rows[i].errors)->list(&w, models, 0, false);
                assert_string_equal(buf_cstr(&b), rows[i].text);
        }
}

/* --- pages --- */

static void test_pages(void **state) {
        static const struct {
                const ErrorShape *errors;
                ModelPageArguments arguments;
                const char *ids; /* or NULL: refused, with this message */
                bool more;
                const char *message;
        } rows[] = {
                { &error_shape_anthropic, {}, "flash bare fast lost", false, NULL },
                { &error_shape_anthropic, { "4", NULL, NULL }, "flash bare fast lost", false, NULL },
                { &error_shape_anthropic, { "3", NULL, NULL }, "flash bare fast", true, NULL },
                { &error_shape_anthropic, { "1000", NULL, NULL }, "flash bare fast lost", false, NULL },
                { &error_shape_anthropic, { "2", "flash", NULL }, "bare fast", true, NULL },
                { &error_shape_anthropic, { "2", "bare", NULL }, "fast lost", false, NULL },
                { &error_shape_anthropic, { NULL, "lost", NULL }, "", false, NULL },
                { &error_shape_anthropic, { NULL, "f%61st", NULL }, "lost", false, NULL },
                { &error_shape_anthropic, { "2", NULL, "lost" }, "bare fast", true, NULL },
                { &error_shape_anthropic, { "2", NULL, "fast" }, "flash bare", false, NULL },
                { &error_shape_anthropic, { NULL, NULL, "flash" }, "", false, NULL },
                { &error_shape_anthropic, { "0", NULL, NULL }, NULL, false,
                  "limit must be a number from 1 to 1000." },
                { &error_shape_anthropic, { "1001", NULL, NULL }, NULL, false,
                  "limit must be a number from 1 to 1000." },
                { &error_shape_anthropic, { "x", NULL, NULL }, NULL, false,
                  "limit must be a number from 1 to 1000." },
                { &error_shape_anthropic, { "-1", NULL, NULL }, NULL, false,
                  "limit must be a number from 1 to 1000." },
                { &error_shape_anthropic, { NULL, "x", NULL }, NULL, false,
                  "after_id must be a model of this list." },
                { &error_shape_anthropic, { NULL, NULL, "%" }, NULL, false,
                  "before_id must be a model of this list." },
                { &error_shape_anthropic, { NULL, "fast", "fast" }, NULL, false,
                  "before_id must not be sent with after_id." },
                { &error_shape_google, { "0", NULL, NULL }, "flash bare fast lost", false, NULL },
                { &error_shape_google, { "5000", NULL, NULL }, "flash bare fast lost", false, NULL },
                { &error_shape_google, { "1", "bare", NULL }, "fast", true, NULL },
                { &error_shape_google, { "x", NULL, NULL }, NULL, false,
                  "pageSize must be a number from 1 to 1000." },
                { &error_shape_google, { NULL, "x", NULL }, NULL, false,
                  "pageToken must be a model of this list." },
                { &error_shape_openai, {}, "flash bare fast lost", false, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf ids = BUF_INIT(4096);
                const ListedModel *page = models;
                size_t n = ELEMENTSOF(models);
                bool more = false;
                ApiError e;
                int r;

                r = model_list_page(model_list_form(rows[i].errors), &rows[i].arguments, &page, &n, &more,
                                    &e);
                assert_int_equal(r, rows[i].ids ? 0 : DIALECT_E_REFUSED);
                if (!rows[i].ids) {
                        assert_int_equal(e.status, 400);
                        assert_string_equal(e.message, rows[i].message);
                        continue;
                }
                for (size_t k = 0; k < n; k++)
                        (void) buf_printf(&ids, "%s%s", k > 0 ? " " : "", page[k].id);
                assert_string_equal(strempty(buf_cstr(&ids)), rows[i].ids);
                assert_int_equal(more, rows[i].more);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_pages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
