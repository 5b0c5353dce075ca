/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/buf.h"
#include "dialect/gemini/names.h"

/* A host so long that only the beginning of the name behind it is within what is looked into. */
#define TEN   "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define FOUR_HUNDRED FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
#define LONG FOUR_HUNDRED FOUR_HUNDRED FOUR_HUNDRED FOUR_HUNDRED FOUR_HUNDRED FOUR_HUNDRED FOUR_HUNDRED \
                FOUR_HUNDRED FOUR_HUNDRED FOUR_HUNDRED FIFTY TEN TEN

static bool on_name(const char *name, void *userdata) {
        (void) buf_printf(userdata, "%s ", name);
        return true;
}

static void test_table(void **state) {
        static const struct {
                const char *json, *names;
        } rows[] = {
                { "{\"cachedContent\":\"cachedContents/x\"}", "cachedContents/x " },
                { "{\"cached_content\" :\n\"cachedContents/x\"}", "cachedContents/x " },
                { "{\"cached\\u0043ontent\":\"cachedContents\\/x\"}", "cachedContents/x " },
                { "{\"generateContentRequest\":{\"cachedContent\":\"cachedContents/x\"}}",
                  "cachedContents/x " },
                { "{\"a\":\"\\\\\",\"cachedContent\":\"cachedContents/x\"}", "cachedContents/x " },
                { "{\"a\":\"\\\\\\\"\",\"b\":[1,{}],\"cachedContent\":\"cachedContents/x\"}",
                  "cachedContents/x " },
                { "{\"contents\":[{\"parts\":[{\"fileData\":{\"fileUri\":\"https://h/v1beta/files/a\"}},"
                  "{\"file_data\":{\"mimeType\":\"x\",\"file_uri\":\"files/b\"}}]}],"
                  "\"systemInstruction\":{\"parts\":[{\"fileData\":{\"fileUri\":\"http://h:1/v1/files/"
                  "c\"}}]}}",
                  "files/a files/b files/c " },
                { "{\"fileData\":{\"fileUri\":\"https://h/v1alpha/files/a\"}}", "files/a " },

                { "{\"fileData\":{\"fileUri\":\"HTTPS://h/v1beta/files/a\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\"https://h/v9/files/a\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\"https://h//v1beta//files/a\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\"https://h/upload/v1beta/files/a\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\"https://h/v1beta/files/a?x\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\"https://h/v1beta/files/a?" LONG "\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\"https://h/v1beta/files/a:download#x\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\"https://h/v1beta/%66iles%2Fa\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\"v1beta/files/a\"}}", "files/a " },
                { "{\"fileData\":{\"fileUri\":\" /files/a \"}}", "files/a " },
                { "{\"cachedContent\":\" cachedContents/x\\n\"}", "cachedContents/x " },

                /* other things than names of ours */
                { "{\"fileData\":{\"fileUri\":\"https://h\"}}", "" },
                { "{\"fileData\":{\"fileUri\":\"https://h/%zz\"}}", "" },
                { "{\"fileData\":{\"fileUri\":\"\"}}", "" },
                { "{\"cachedContent\":\"x\"}", "" },
                { "{\"cachedContent\":\"files/x\"}", "" },
                { "{\"cachedContent\":\"cachedContents/../x\"}", "" },
                { "{\"cachedContent\":\"cachedContents/x\\u0000\"}", "" },
                { "{\"fileData\":{\"fileUri\":\"https://" LONG "/v1beta/files/" TEN TEN "\"}}", "" },
                { "{\"cachedContent\":{\"cachedContent\":\"cachedContents/x\"}}", "" },
                { "{\"contents\":[{\"cachedContent\":\"cachedContents/x\"}]}", "" },
                { "{\"contents\":[{\"parts\":[{\"text\":\"\\\"cachedContent\\\":\\\"cachedContents/"
                  "x\\\"\"}]}]}",
                  "" },
                { "{\"fileUri\":\"files/a\"}", "" },
                { "{\"fileData\":{\"fileUri\":\"uploads/a\"}}", "" },
                { "{\"fileData\":{\"fileUri\":\"https://youtu.be/files/a\"}}", "" },
                { "{\"fileData\":{\"fileUri\":\"https://h/x/v1beta/files/a\"}}", "" },
                { "{\"fileData\":{\"fileUri\":\"gs://h/files/a\"}}", "" },
                { "{\"fileData\":{\"displayName\":\"files/a\"}}", "" },
                { "{\"functionCall\":{\"args\":{\"fileData\":{\"fileUri\":\"files/a\"}}}}", "" },
                { "{\"functionResponse\":{\"response\":{\"x\":[{\"fileData\":{\"fileUri\":\"files/a\"}}]}}}",
                  "" },

                /* no JSON */
                { "", "" },
                { "{\"cachedContent\":\"cachedContents/x", "cachedContents/x " },
                { "{\"cachedContent\":\"", "" },
                { "{\"cachedContent\":\"cachedContents/x\"", "cachedContents/x " },
                { "{\"cachedContent\":\"cachedContents/x\\\"", "" },
                { "{\"cachedContent\":\"cachedContents/x\\u00", "" },
                { "}{\"cachedContent\":\"cachedContents/x\"", "" },
                { "[{\"cachedContent\":\"cachedContents/x\"}]", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf found = BUF_INIT(4096);

                gemini_names_each(rows[i].json, strlen(rows[i].json), on_name, &found);
                assert_string_equal(buf_cstr(&found), rows[i].names);
        }
}

static bool on_first(const char *name, void *userdata) {
        ++*(unsigned *) userdata;
        return false;
}

static void test_end(void **state) {
        static const char json[] = "{\"fileData\":{\"fileUri\":\"files/a\",\"fileUri\":\"files/b\"}}";
        unsigned n = 0;

        gemini_names_each(json, strlen(json), on_first, &n);
        assert_int_equal(n, 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
