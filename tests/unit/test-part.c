/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "dialect/part.h"

static void check(JsonView v, const char *want, const char *what) {
        size_t n = want ? strlen(want) : 0;

        if (!v.p != !want || (size_t) (v.end - v.p) != n || (n > 0 && memcmp(v.p, want, n) != 0))
                fail_msg("%s is %.*s, not %s", what, (int) (v.end - v.p), v.p ?: "", want ?: "(none)");
}

/* Each kind, by itself. All values are as they are in the bytes, strings with their quotes. */
static void test_kinds(void **state) {
        static const struct {
                const char *json;
                GeminiPartKind kind;
                const char *text, *id, *name, *value, *type, *data, *signature;
                bool is_thought, has_text, has_content;
                const char *shown;
        } rows[] = {
                { .json = "{\"text\":\"a\\n\"}",
                  .kind = GEMINI_PART_TEXT,
                  .text = "\"a\\n\"",
                  .has_text = true,
                  .has_content = true,
                  .shown = "a\n" },
                { .json = "{\"text\":\"\",\"thoughtSignature\":\"c2ln\"}",
                  .kind = GEMINI_PART_TEXT,
                  .text = "\"\"",
                  .signature = "\"c2ln\"" },
                { .json = "{\"thought\":true,\"text\":\"hm\"}",
                  .kind = GEMINI_PART_TEXT,
                  .text = "\"hm\"",
                  .is_thought = true,
                  .has_content = true },
                { .json = "{\"thought\":false,\"text\":\"x\"}",
                  .kind = GEMINI_PART_TEXT,
                  .text = "\"x\"",
                  .has_text = true,
                  .has_content = true,
                  .shown = "x" },
                { .json = "{\"functionCall\":{\"id\":\"7\",\"name\":\"f\",\"args\":{ \"a\":[1,\"}\"]}},"
                          "\"thoughtSignature\":\"c2ln\"}",
                  .kind = GEMINI_PART_CALL,
                  .id = "\"7\"",
                  .name = "\"f\"",
                  .value = "{ \"a\":[1,\"}\"]}",
                  .signature = "\"c2ln\"",
                  .has_content = true },
                { .json = "{\"functionCall\":{\"name\":\"f\"}}", /* older models: no id; no arguments */
                  .kind = GEMINI_PART_CALL,
                  .name = "\"f\"",
                  .has_content = true },
                { .json = "{\"functionResponse\":{\"id\":\"7\",\"name\":\"f\",\"response\":{\"output\":1}}}",
                  .kind = GEMINI_PART_RESULT,
                  .id = "\"7\"",
                  .name = "\"f\"",
                  .value = "{\"output\":1}",
                  .has_content = true },
                { .json = "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}",
                  .kind = GEMINI_PART_DATA,
                  .type = "\"image/png\"",
                  .data = "\"AAAA\"",
                  .has_content = true },
                { .json = "{\"fileData\":{\"mimeType\":\"video/mp4\","
                          "\"fileUri\":\"https://h/v1beta/files/a\"}}",
                  .kind = GEMINI_PART_FILE,
                  .type = "\"video/mp4\"",
                  .data = "\"https://h/v1beta/files/a\"",
                  .has_content = true },
                { .json = "{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"print(1)\"}}",
                  .kind = GEMINI_PART_CODE,
                  .type = "\"PYTHON\"",
                  .text = "\"print(1)\"",
                  .has_content = true,
                  .shown = "\n```python\nprint(1)\n```\n" },
                { .json = "{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_OK\",\"output\":\"1\\n\"}}",
                  .kind = GEMINI_PART_CODE_RESULT,
                  .type = "\"OUTCOME_OK\"",
                  .text = "\"1\\n\"",
                  .has_content = true,
                  .shown = "\n```\n1\n```\n" },
                { .json = "{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_FAILED\"}}",
                  .kind = GEMINI_PART_CODE_RESULT,
                  .type = "\"OUTCOME_FAILED\"",
                  .has_content = true },
                { .json = "{\"toolCall\":{\"id\":\"1\",\"toolType\":\"URL_CONTEXT\",\"args\":{}}}",
                  .kind = GEMINI_PART_TOOL_CALL,
                  .id = "\"1\"",
                  .name = "\"URL_CONTEXT\"",
                  .value = "{}",
                  .has_content = true },
                { .json = "{\"toolResponse\":{\"id\":\"1\",\"toolType\":\"URL_CONTEXT\",\"response\":{}}}",
                  .kind = GEMINI_PART_TOOL_RESULT,
                  .id = "\"1\"",
                  .name = "\"URL_CONTEXT\"",
                  .value = "{}",
                  .has_content = true },

                /* what a kind lacks, or has in another type */
                { .json = "{}", .kind = GEMINI_PART_OTHER, .has_content = true },
                { .json = "{\"text\":5}", .kind = GEMINI_PART_OTHER, .has_content = true },
                { .json = "{\"functionCall\":\"f\"}", .kind = GEMINI_PART_OTHER, .has_content = true },
                { .json = "{\"functionCall\":null}", .kind = GEMINI_PART_OTHER, .has_content = true },
                { .json = "{\"functionCall\":{\"name\":1}}", .kind = GEMINI_PART_CALL, .has_content = true },
                { .json = "{\"hologram\":{\"data\":1}}", .kind = GEMINI_PART_OTHER, .has_content = true },
                { .json = "{\"text\":\"x\",\"thoughtSignature\":1}",
                  .kind = GEMINI_PART_TEXT,
                  .text = "\"x\"",
                  .has_text = true,
                  .has_content = true,
                  .shown = "x" },
                { .json = "1", .kind = GEMINI_PART_NONE },
                { .json = "[{\"text\":\"x\"}]", .kind = GEMINI_PART_NONE },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf json = BUF_INIT(4096), shown = BUF_INIT(4096);
                JsonCursor parts;
                GeminiPart part;

                assert_true(buf_printf(&json, "[%s,{\"text\":\"last\"}]", rows[i].json) >= 0);
                parts = json_enter_array(json_view(buf_data(&json), json.n));
                assert_true(gemini_part_next(&parts, &part));
                assert_int_equal(part.kind, rows[i].kind);
                check(part.text, rows[i].text, "text");
                check(part.id, rows[i].id, "id");
                check(part.name, rows[i].name, "name");
                check(part.value, rows[i].value, "value");
                check(part.type, rows[i].type, "type");
                check(part.data, rows[i].data, "data");
                check(part.signature, rows[i].signature, "signature");
                assert_int_equal(part.is_thought, rows[i].is_thought);
                assert_int_equal(gemini_part_has_text(&part), rows[i].has_text);
                assert_int_equal(gemini_part_has_content(&part), rows[i].has_content);
                assert_int_equal(gemini_part_append(&part, &shown), 0);
                assert_string_equal(buf_cstr(&shown), rows[i].shown ?: "");

                assert_true(gemini_part_next(&parts, &part));
                check(part.text, "\"last\"", "the last text");
                assert_false(gemini_part_next(&parts, &part));
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
