/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/buf.h"
#include "base/text.h"
#include "dialect/gemini/names.h"

#define TEN   "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define FIVE_HUNDRED FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
#define TWO_THOUSAND  FIVE_HUNDRED FIVE_HUNDRED FIVE_HUNDRED FIVE_HUNDRED
#define G "https://generativelanguage.googleapis.com"
#define FIVE_THOUSAND TWO_THOUSAND TWO_THOUSAND FIVE_HUNDRED FIVE_HUNDRED

static bool on_name(const char *name, void *userdata) {
        (void) buf_printf(userdata, "%s ", name);
        return true;
}

#define OPEN_20  "[[[[[[[[[[[[[[[[[[[["
#define CLOSE_20 "]]]]]]]]]]]]]]]]]]]]"
#define OPEN_80  OPEN_20 OPEN_20 OPEN_20 OPEN_20
#define CLOSE_80 CLOSE_20 CLOSE_20 CLOSE_20 CLOSE_20

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

                /* other things than names of ours */
                { "{\"cachedContent\":{\"cachedContent\":\"cachedContents/x\"}}", "" },
                { "{\"contents\":[{\"cachedContent\":\"cachedContents/x\"}]}", "" },
                { "{\"contents\":[{\"parts\":[{\"text\":\"\\\"cachedContent\\\":\\\"cachedContents/"
                  "x\\\"\"}]}]}",
                  "" },
                { "{\"fileUri\":\"files/a\"}", "" },
                { "{\"fileData\":{\"displayName\":\"files/a\"}}", "" },
                { "{\"functionCall\":{\"args\":{\"fileData\":{\"fileUri\":\"files/a\"}}}}", "" },
                { "{\"parametersJsonSchema\":{\"fileData\":{\"fileUri\":\"files/a\"}}}", "" },
                /* what is behind data is found, however deep the data are */
                { "{\"args\":" OPEN_80 CLOSE_80 ",\"fileData\":{\"fileUri\":\"files/a\"}}", "files/a " },
                { "{\"functionResponse\":{\"response\":{\"x\":[{\"fileData\":{\"fileUri\":\"files/a\"}}]}}}",
                  "" },

                /* no JSON */
                { "", "" },
                { "{\"cachedContent\":\"cachedContents/x", "cachedContents/x " },
                { "{\"cachedContent\":\"", "" },
                { "{\"cachedContent\":5}", "" },
                { "{\"functionResponse\":{\"parts\":[{\"fileData\":{\"fileUri\":\"files/a\"}}]}}",
                  "files/a " },
                { "{\"function_response\":{\"parts\":[{\"file_data\":{\"file_uri\":\"files/a\"}}]}}",
                  "files/a " },
                { "{\"system_instruction\":{\"parts\":[{\"file_data\":{\"file_uri\":\"files//a\"}}]}}",
                  "files/a !" },
                { "{\"cachedContent\":\"cachedContents/x\"", "cachedContents/x " },
                { "{\"cachedContent\":\"cachedContents/x\\\"", "cachedContents/x !" },
                { "{\"cachedContent\":\"cachedContents/x\\u00", "cachedContents/x !" },
                { "}{\"cachedContent\":\"cachedContents/x\"", "" },
                { "[{\"cachedContent\":\"cachedContents/x\"}]", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf found = BUF_INIT(4096);

                if (gemini_names(rows[i].json, strlen(rows[i].json), false, on_name, &found))
                        (void) buf_puts(&found, "!");
                assert_string_equal(buf_cstr(&found), rows[i].names);
        }
}

/* What other bodies name: of batches, stores, interactions, triggers, predictions. */
static void test_all(void **state) {
        static const struct {
                const char *json, *names;
        } rows[] = {
                { "{\"tools\":[{\"fileSearch\":{\"fileSearchStoreNames\":["
                  "\"fileSearchStores/a\",\"fileSearchStores/b\"]}}]}",
                  "fileSearchStores/a fileSearchStores/b " },
                { "{\"tools\":[{\"file_search_store_names\":[\"x/fileSearchStores/a\"]}]}",
                  "fileSearchStores/a !" },
                { "{\"fileSearchStoreNames\":{\"enum\":[\"fileSearchStores/a\"]}}", "" },
                { "{\"previous_interaction_id\":\"v1_a-B\"}", "interactions/v1_a-B " },
                { "{\"previousInteractionId\":\"interactions/a\"}", "interactions/a " },
                { "{\"previous_interaction_id\":\"a/b\"}", "!" },
                { "{\"previous_interaction_id\":\"\"}", "" },
                { "{\"agent\":\"a\",\"base_agent\":\"agents/b\"}", "agents/a agents/b " },
                { "{\"agent\":\"deep-research.1\"}", "" },
                { "{\"agent\":\"/agents%2Fa\"}", "agents/2Fa agents/a " },
                { "{\"environment\":{\"environment_id\":\"e\"}}", "environments/e " },
                { "{\"interaction\":{\"agent\":\"a\",\"cached_content\":\"cachedContents/c\"}}",
                  "agents/a cachedContents/c " },
                { "{\"model\":\"tunedModels/t\"}", "tunedModels/t " },
                { "{\"model\":\"models/m\"}", "" },
                { "{\"fileName\":\"files/a\"}", "files/a " },
                { "{\"fileName\":\"a\"}", "!" },
                { "{\"batch\":{\"inputConfig\":{\"fileName\":\"files/a\"}}}", "files/a " },
                { "{\"batch\":{\"input_config\":{\"requests\":{\"requests\":[{\"request\":{"
                  "\"cachedContent\":\"cachedContents/c\",\"contents\":[{\"parts\":["
                  "{\"fileData\":{\"fileUri\":\"files/f\"}}]}]}}]}}}}",
                  "cachedContents/c files/f " },
                { "{\"input\":[{\"content\":[{\"type\":\"image\",\"uri\":\"files/a\"}]}]}", "files/a " },
                { "{\"input\":[{\"uri\":\"https://h/x\"},{\"uri\":\"gs://b/x\"}]}", "" },
                { "{\"input\":[{\"uri\":\"//files/a\"}]}", "files/a !" },
                { "{\"input\":[{\"type\":\"function_call\",\"arguments\":{\"uri\":\"files//a\"}}]}", "" },
                { "{\"input\":[{\"result\":{\"uri\":\"files//a\"}},{\"result\":[{\"uri\":\"files/b\"}]}]}",
                  "files/b " },
                { "{\"instances\":[{\"video\":{\"uri\":\"" G "/v1beta/files/a:download?alt=media\"}}]}",
                  "files/a " },
                { "{\"instances\":[{\"video\":{\"uri\":\"" G "/v1beta/files/a:copy\"}}]}", "files/a !" },
                { "{\"uri\":\"files/a\",\"contents\":[{\"uri\":\"files//b\"}]}", "files/a files/b " },
                { "{\"uri\":\"https://h/x\",\"args\":{\"uri\":\"files/a\"}}", "" },
                { "{\"tunedModelSource\":{\"tunedModel\":\"tunedModels/t\",\"baseModel\":\"models/m\"}}",
                  "tunedModels/t " },
                { "{\"tuned_model_source\":{\"tuned_model\":\"tunedModels/t\"},"
                  "\"base_model\":\"tunedModels/u\"}",
                  "tunedModels/t tunedModels/u " },
                { "{\"batch\":{\"model\":\"tunedModels/t\"}}", "tunedModels/t " },
                { "{\"requests\":[{\"model\":\"tunedModels/t\"}]}", "tunedModels/t " },
                { "{\"parameters\":{\"image\":{\"uri\":\"files//a\"}}}", "files/a !" },
                { "{\"a\":[{\"voiceName\":\"v\"},{\"voice_name\":\"voices/w\"}]}", "voices/v voices/w " },
                { "{\"a\":{\"interaction_id\":\"i\"}}", "interactions/i " },
                { "", "" },
                { "[]", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf found = BUF_INIT(4096);

                if (gemini_names(rows[i].json, strlen(rows[i].json), true, on_name, &found))
                        (void) buf_puts(&found, "!");
                if (!streq(strempty(buf_cstr(&found)), rows[i].names))
                        fail_msg("%s: %s", rows[i].json, strempty(buf_cstr(&found)));
        }
}

/* What a value is: names that must be looked up, and "!" where the spelling is refused. */
static void test_spellings(void **state) {
        static const struct {
                const char *uri, *names; /* the value of fileUri, in JSON's escapes */
        } files[] = {
                /* as documented */
                { "files/a", "files/a " },
                { G "/v1beta/files/a-b_C9", "files/a-b_C9 " },
                { G "/v1/files/a", "files/a " },
                { G "/v1alpha/files/a", "files/a " },
                { G "\\/v1beta\\/files\\/a", "files/a " },

                /* other spellings of a name */
                { "files//a", "files/a !" },
                { "files/a/", "files/a !" },
                { "files/./a", "files/a !" },
                { "files/../files/a", "files/files files/a !" },
                { "./files/a", "files/a !" },
                { "/files/a", "files/a !" },
                { " files/a", "files/a !" },
                { "files/a\\n", "files/a !" },
                { "\\u00a0files/a\\u00a0", "files/a !" },
                { "\\u2003files/a", "files/a !" },
                { "\\ufefffiles/a", "files/a !" },
                { "files/\\u200ba", "files/a !" },
                { "files\\u2215a", "files/a !" },
                { "files\\\\a", "files/a !" },
                { "files/a?alt=media", "files/a !" },
                { "files/a#x", "files/a !" },
                { "files/a:download?alt=media", "files/a !" },
                { "files/a;x", "files/a !" },
                { "files/a.", "files/a !" },
                { "FILES/a", "files/a !" },
                { "v1beta/files/a", "files/a !" },
                { "/v1beta/files/a", "files/a !" },
                { "%66iles/a", "files/a !" },
                { "%2566iles/a", "files/a !" },
                { "%25252566iles%2Fa", "files/a !" },
                { "files%2fa", "files/2fa files/a !" },
                { "files%252Fa", "files/252Fa files/2Fa files/a !" },
                { "files/%61", "files/61 files/a !" },
                { "files/a%", "files/a !" },
                { "files/a%00", "files/a !" },
                { "files/a\\u0000", "files/a !" },
                { "file:files/a", "files/a !" },
                { "https:files/a", "files/a !" },
                { "https:///files/a", "files/a !" },
                { "//generativelanguage.googleapis.com/v1beta/files/a", "files/a !" },

                /* Google's host */
                { G "/files/a", "files/a !" },
                { G "//v1beta/files/a", "files/a !" },
                { G "/v1beta//files/a", "files/a !" },
                { G "/v1beta/files/a/", "files/a !" },
                { G "/v1beta/./files/a", "files/a !" },
                { G "/v1beta/x/../files/a", "files/a !" },
                { G "/upload/v1beta/files/a", "files/a !" },
                { G "/download/v1beta/files/a:download?alt=media", "files/a !" },
                { G "/v1beta/files/a:download?alt=media", "files/a !" },
                { G "/v1beta/files/a?key=x", "files/a !" },
                { G "/v1beta/%66iles/a", "files/a !" },
                { G "/v1beta/files/a ", "files/a !" },
                { G ":443/v1beta/files/a", "files/a !" },
                { G "./v1beta/files/a", "files/a !" },
                { G "/v1beta/corpora/x", "!" },
                { G, "!" },
                { "http://generativelanguage.googleapis.com/v1beta/files/a", "files/a !" },
                { "HTTPS://generativelanguage.googleapis.com/v1beta/files/a", "files/a !" },
                { "https://GenerativeLanguage.googleapis.com/v1beta/files/a", "files/a !" },
                { "https://generativelanguage.mtls.googleapis.com/v1beta/files/a", "files/a !" },
                { "https://u:p@generativelanguage.googleapis.com/v1beta/files/a", "files/a !" },
                { "https://generativelanguage%2egoogleapis.com/v1beta/files/a", "files/a files/a !" },
                { "https://%67enerativelanguage.googleapis.com/v1beta/x", "!" },
                { "https://\\uff47enerativelanguage.googleapis.com/v1beta/x", "!" },
                { "https://generative\\tlanguage.googleapis.com/v1beta/x", "!" },
                { "https://h\\\\@generativelanguage.googleapis.com/v1beta/x", "!" },
                { "https:\\\\generativelanguage.googleapis.com/v1beta/x", "!" },

                /* another host: only the names matter */
                { "https://h", "" },
                { "https://h/%zz", "" },
                { "https://h/v1beta/files/a", "files/a " },
                { "http://h:1/v9//files/a?x", "files/a " },
                { "https://h/%66iles%2Fa", "files/a " },
                { "https://h/x?u=files/a", "files/a " },
                { "https://www.youtube.com/watch?v=x", "" },
                { "https://youtu.be/files/a", "files/a " },
                { "https://storage.googleapis.com/bucket/x.pdf?X-Goog-Signature=0", "" },
                { "gs://bucket/x", "" },
                { "https://h/files/report.pdf", "files/report " },
                { "https://h/" FIVE_THOUSAND "/files/a", "files/a " },
                { "https://h/files/a?" FIVE_THOUSAND, "files/a " },

                /* neither */
                { "", "" },
                { "x", "!" },
                { "uploads/a", "!" },
                { "files", "!" },
                { "files/", "!" },
                { "\\u0000", "!" },
                { "https://h/files/a?" FIVE_THOUSAND FIVE_THOUSAND, "files/a !" },
                { "%252525252525252541", "!" },
                { "https://%252525252525252541/", "!" },
                { "https://" FIVE_HUNDRED FIFTY "/x", "!" },
        }, caches[] = {
                { "cachedContents/a", "cachedContents/a " },
                { "", "" },
                { "/cachedContents/a", "cachedContents/a !" },
                { "cachedContents/a/", "cachedContents/a !" },
                { "cachedContents//a", "cachedContents/a !" },
                { "cachedContents/../a", "cachedContents/a !" },
                { " cachedContents/a\\n", "cachedContents/a !" },
                { "cachedContents/a?x=y", "cachedContents/a !" },
                { "cachedContents%2Fa", "cachedContents/2Fa cachedContents/a !" },
                { "cached%43ontents/a", "cachedContents/a !" },
                { "cached%2543ontents/a", "cachedContents/a !" },
                { "cachedcontents/a", "cachedContents/a !" },
                { "v1beta/cachedContents/a", "cachedContents/a !" },
                { G "/v1beta/cachedContents/a", "cachedContents/a !" },
                { "https://h/v1beta/cachedContents/a", "cachedContents/a !" },
                { "projects/p/locations/l/cachedContents/a", "cachedContents/a !" },
                { "files/a", "files/a !" },
                { "a", "!" },
        };

        for (size_t i = 0; i < ELEMENTSOF(files) + ELEMENTSOF(caches); i++) {
                bool is_file = i < ELEMENTSOF(files);
                const char *value = is_file ? files[i].uri : caches[i - ELEMENTSOF(files)].uri;
                const char *names = is_file ? files[i].names : caches[i - ELEMENTSOF(files)].names;
                _cleanup_buf_ Buf json = BUF_INIT(32768), found = BUF_INIT(4096);
                const char *fault;

                (void) buf_puts(&json, is_file ? "{\"contents\":[{\"parts\":[{\"fileData\":{\"fileUri\":\""
                                               : "{\"cachedContent\":\"");
                (void) buf_puts(&json, value);
                (void) buf_puts(&json, is_file ? "\"}}]}]}" : "\"}");
                fault = gemini_names(buf_cstr(&json), json.n, false, on_name, &found);
                if (fault)
                        (void) buf_puts(&found, "!");
                if (!streq(buf_cstr(&found), names))
                        fail_msg("%s: %s, not %s", value, buf_cstr(&found), names);
                assert_true(!fault || startswith(fault, is_file ? "fileUri must" : "cachedContent must"));
        }
}

static bool on_first(const char *name, void *userdata) {
        ++*(unsigned *) userdata;
        return false;
}

static void test_end(void **state) {
        static const char json[] = "{\"fileData\":{\"fileUri\":\"files/a\",\"fileUri\":\"files/b\"}}";
        unsigned n = 0;

        gemini_names(json, strlen(json), false, on_first, &n);
        assert_int_equal(n, 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_spellings),
                cmocka_unit_test(test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
