/* SPDX-License-Identifier: MIT */

/* What the CLI is given of a request, and what its own request becomes: two tables. */
#include "test.h"

#include "base/guard.h"
#include "base/job-protocol.h"
#include "dialect/cli/request.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

#define Z GUARD

#define USER(text)  "{\"role\":\"user\",\"parts\":[{\"text\":\"" text "\"}]}"
#define MODEL(text) "{\"role\":\"model\",\"parts\":[{\"text\":\"" text "\"}]}"

static bool same_json(const char *a, size_t n_a, const char *b) {
        _cleanup_json_ struct json_object *x = NULL, *y = NULL;

        assert_int_equal(json_parse(a, n_a, &x), 0);
        assert_int_equal(json_parse(b, strlen(b), &y), 0);
        return json_object_equal(x, y);
}

static void test_split(void **state) {
        static const struct {
                const char *body, *job, *asked; /* asked NULL: nothing */
                size_t n_prompt;
                bool dialogue;
        } table[] = {
                { "{\"contents\":[" USER("Hi") "]}", "{\"job\":{\"prompt\":\"Hi\"}}", NULL, 2, false },
                /* a role that is left out is the user's */
                { "{\"contents\":[{\"parts\":[{\"text\":\"@a\"}]}]}", "{\"job\":{\"prompt\":\"@a\"}}", NULL,
                  2, false },
                /* several texts are lines of one */
                { "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]}]}",
                  "{\"job\":{\"prompt\":\"a\\nb\"}}", NULL, 3, false },
                { "{\"contents\":[" USER("a") "," MODEL("b") "," USER("c") "]}",
                  "{\"job\":{\"prompt\":\"c\",\"history\":[{\"role\":\"user\",\"text\":\"a\"},"
                  "{\"role\":\"model\",\"text\":\"b\"}]}}",
                  NULL, 1, true },
                /* two of the user's in a row, and an empty one */
                { "{\"contents\":[" USER("a") "," USER("") "," USER("c") "]}",
                  "{\"job\":{\"prompt\":\"c\",\"history\":[{\"role\":\"user\",\"text\":\"a\"},"
                  "{\"role\":\"user\",\"text\":\"\"}]}}",
                  NULL, 1, true },
                { "{\"systemInstruction\":{\"parts\":[{\"text\":\"s\"},{\"text\":\"t\"}]},\"contents\":"
                  "[" USER("Hi") "]}",
                  "{\"job\":{\"prompt\":\"Hi\",\"system\":\"s\\nt\"}}", NULL, 2, false },
                { "{\"systemInstruction\":{},\"contents\":[" USER("Hi") "]}",
                  "{\"job\":{\"prompt\":\"Hi\",\"system\":\"\"}}", NULL, 2, false },
                /* what the CLI has no place for is kept */
                { "{\"contents\":[" USER(
                          "Hi") "],\"generationConfig\":{\"temperature\":0.10,\"candidateCount\":1},"
                                "\"safetySettings\":[{\"a\":1}],\"tools\":[],\"cachedContent\":\"c\"}",
                  "{\"job\":{\"prompt\":\"Hi\"}}",
                  "{\"generationConfig\":{\"temperature\":0.10,\"candidateCount\":1},"
                  "\"safetySettings\":[{\"a\":1}],\"cachedContent\":\"c\"}",
                  2, false },
                { "{\"contents\":[" USER("\\u0000\\u200b\\\"\\\\\\n") "]}",
                  "{\"job\":{\"prompt\":\"\\u0000\\u200b\\\"\\\\\\n\"}}", NULL, 7, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(cli_request_done) CliRequest q = CLI_REQUEST_NULL;
                ApiError e;

                assert_int_equal(cli_request_split(table[i].body, strlen(table[i].body), &q, &e), 0);
                assert_true(same_json(buf_data(&q.job), q.job.n, table[i].job));
                assert_null(memchr(buf_data(&q.job), '\n', q.job.n)); /* it is one line */
                assert_int_equal(q.n_prompt, table[i].n_prompt);
                assert_int_equal(q.dialogue, table[i].dialogue);
                if (!table[i].asked)
                        assert_null(q.asked);
                else
                        assert_string_equal(q.asked, table[i].asked);
        }
}

static void test_split_refuses(void **state) {
        static const struct {
                const char *body, *param, *says;
        } table[] = {
                { "", "", "JSON" },
                { "{", "", "JSON" },
                { "[]", "", "JSON" },
                { "null", "", "JSON" },
                { "{}", "", "last message" },
                { "{\"contents\":7}", "", "last message" },
                { "{\"contents\":[]}", "", "last message" },
                { "{\"contents\":[" USER("a") "," MODEL("b") "]}", "", "last message" },
                { "{\"contents\":[" USER("") "]}", "", "not empty" },
                { "{\"contents\":[{}]}", "", "not empty" },
                { "{\"contents\":[7]}", "", "not empty" },
                { "{\"contents\":[{\"parts\":[{\"inlineData\":{}}]}]}", "", "text only" },
                { "{\"contents\":[{\"parts\":[{\"text\":7}]}]}", "", "text only" },
                { "{\"contents\":[{\"parts\":[7]}]}", "", "text only" },
                { "{\"contents\":[{\"parts\":[{\"functionCall\":{}}]}," USER("a") "]}", "", "text only" },
                { "{\"systemInstruction\":{\"parts\":[{\"fileData\":{}}]},\"contents\":[" USER("a") "]}", "",
                  "text only" },
                { "{\"contents\":[" USER("a") "],\"tools\":[{}]}", "tools", "no tools" },
                { "{\"contents\":[" USER("a") "],\"generationConfig\":{\"candidateCount\":2}}", "n",
                  "n must be 1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CliRequest q = CLI_REQUEST_NULL;
                ApiError e;

                assert_int_equal(cli_request_split(table[i].body, strlen(table[i].body), &q, &e),
                                 DIALECT_E_REFUSED);
                assert_int_equal(e.status, 400);
                assert_string_equal(e.param, table[i].param);
                assert_non_null(strstr(e.message, table[i].says));
        }
}

/* {"contents":[{"parts":[{"text":"a…"}]}×turns, …], "systemInstruction": …}, each of so many bytes; the
 * prompt is the last turn. */
static char *sized(size_t turn, size_t turns, size_t prompt, size_t system, size_t *ret_n) {
        Buf b = BUF_INIT(64U << 20);
        char *s;

        (void) buf_puts(&b, "{\"contents\":[");
        for (size_t i = 0; i <= turns; i++) {
                size_t n = i < turns ? turn : prompt;

                (void) buf_puts(&b, i > 0 ? ",{\"parts\":[{\"text\":\"" : "{\"parts\":[{\"text\":\"");
                assert_int_equal(buf_reserve(&b, n), 0);
                while (n-- > 0)
                        (void) buf_putc(&b, 'a');
                (void) buf_puts(&b, "\"}]}");
        }
        (void) buf_puts(&b, "],\"systemInstruction\":{\"parts\":[{\"text\":\"");
        while (system-- > 0)
                (void) buf_putc(&b, 'a');
        (void) buf_puts(&b, "\"}]}}");
        assert_int_equal(buf_steal(&b, &s, ret_n), 0);
        return s;
}

static void test_split_ceilings(void **state) {
        static const struct {
                size_t turn, turns, prompt, system;
                int r;
        } table[] = {
                { 0, 0, CLI_PROMPT_MAX, CLI_SYSTEM_MAX, 0 },
                { 0, 0, CLI_PROMPT_MAX + 1, 0, DIALECT_E_REFUSED },
                { 0, 0, 1, CLI_SYSTEM_MAX + 1, DIALECT_E_REFUSED },
                { CLI_HISTORY_MAX / 4, 4, 1, 0, 0 },
                { CLI_HISTORY_MAX / 4 + 1, 4, 1, 0, DIALECT_E_REFUSED },
                { CLI_HISTORY_MAX, 1, CLI_PROMPT_MAX, CLI_SYSTEM_MAX, 0 },
                { 1, CLI_TURNS_MAX, 1, 0, 0 },
                { 1, CLI_TURNS_MAX + 1, 1, 0, DIALECT_E_REFUSED },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(cli_request_done) CliRequest q = CLI_REQUEST_NULL;
                _cleanup_free_ char *body = NULL;
                ApiError e;
                size_t n;

                body = sized(table[i].turn, table[i].turns, table[i].prompt, table[i].system, &n);
                assert_int_equal(cli_request_split(body, n, &q, &e), table[i].r);
                if (table[i].r == 0)
                        assert_int_equal(q.n_prompt, table[i].prompt);
        }
}

static void test_restore(void **state) {
        static const struct {
                const char *body, *asked, *upstream;
        } table[] = {
                { "{}", NULL, "{}" },
                { "{\"contents\":[" USER("\\n" Z "a@" Z "b$" Z Z) "]}", NULL,
                  "{\"contents\":[" USER("a@b$") "]}" },
                { "{\"contents\":[" USER("<session_context>@" Z "x") "," MODEL(Z "/b" Z) "," USER(Z Z) "]}",
                  NULL,
                  "{\"contents\":[" USER("<session_context>@" Z "x") "," MODEL("/b") "," USER("") "]}" },
                /* what has no guards, or is no text, stays */
                { "{\"contents\":[{\"parts\":[{\"text\":\"\\na@" Z "\"},{\"inlineData\":{\"data\":\"" Z "a" Z
                  "\"}},7,{\"text\":7}]},7,{}]}",
                  NULL,
                  "{\"contents\":[{\"parts\":[{\"text\":\"\\na@" Z "\"},{\"inlineData\":{\"data\":\"" Z "a" Z
                  "\"}},7,{\"text\":7}]},7,{}]}" },
                { "{\"contents\":\"" Z "a" Z "\",\"systemInstruction\":[]}", NULL,
                  "{\"contents\":\"" Z "a" Z "\"}" },
                { "{\"systemInstruction\":{\"parts\":[{\"text\":\"You answer the user.\"}]}}", NULL, "{}" },
                { "{\"systemInstruction\":{\"role\":\"user\",\"parts\":[{\"text\":\"" Z "s$" Z "{a}" Z
                  "\"}]}}",
                  NULL, "{\"systemInstruction\":{\"role\":\"user\",\"parts\":[{\"text\":\"s${a}\"}]}}" },
                { "{\"contents\":[" USER(Z "\\u0000\\\"\\\\\\u001f/" Z) "]}", NULL,
                  "{\"contents\":[" USER("\\u0000\\\"\\\\\\u001f/") "]}" },
                /* lists of no tools */
                { "{\"tools\":[{\"functionDeclarations\":[]}],\"toolConfig\":{\"a\":1}}", NULL, "{}" },
                { "{\"tools\":[]}", NULL, "{}" },
                { "{\"tools\":[{\"functionDeclarations\":[]},{\"functionDeclarations\":[]}]}", NULL, "{}" },
                { "{\"tools\":[{\"functionDeclarations\":[]},{\"googleSearch\":{}}],\"toolConfig\":{}}",
                  NULL, "{\"tools\":[{\"googleSearch\":{}}],\"toolConfig\":{}}" },
                { "{\"tools\":[{\"functionDeclarations\":[],\"googleSearch\":{}}]}", NULL,
                  "{\"tools\":[{\"googleSearch\":{}}]}" },
                { "{\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"}]}]}", NULL,
                  "{\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"}]}]}" },
                { "{\"tools\":7}", NULL, "{\"tools\":7}" },
                { "{\"tools\":[7]}", NULL, "{\"tools\":[7]}" },
                /* what was asked for counts */
                { "{\"generationConfig\":{\"temperature\":1,\"topP\":0.95}}",
                  "{\"generationConfig\":{\"temperature\":0.25,\"stopSequences\":[\"a\"]}}",
                  "{\"generationConfig\":{\"temperature\":0.25,\"stopSequences\":[\"a\"]}}" },
                { "{\"generationConfig\":{\"temperature\":1,\"thinkingConfig\":{}}}", NULL, "{}" },
                { "{\"generationConfig\":{\"temperature\":1}}", "{\"safetySettings\":[3]}",
                  "{\"safetySettings\":[3]}" },
                { "{}", "{\"generationConfig\":{\"temperature\":0.25},\"safetySettings\":[1]}",
                  "{\"generationConfig\":{\"temperature\":0.25},\"safetySettings\":[1]}" },
                { "{\"safetySettings\":[1,2]}", "{\"safetySettings\":[3]}", "{\"safetySettings\":[3]}" },
                { "{\"generationConfig\":7}", "{\"generationConfig\":{\"a\":1}}",
                  "{\"generationConfig\":{\"a\":1}}" },
                { "{\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":true}}}",
                  "{\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":0},\"responseMimeType\":"
                  "\"a/b\","
                  "\"responseSchema\":{\"type\":\"OBJECT\"}}}",
                  "{\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":0},\"responseMimeType\":"
                  "\"a/b\","
                  "\"responseSchema\":{\"type\":\"OBJECT\"}}}" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_buf_ Buf out = BUF_INIT(1 << 20);
                ApiError e;

                assert_int_equal(cli_request_restore(table[i].body, strlen(table[i].body), table[i].asked,
                                                     &out, &e),
                                 0);
                assert_true(same_json(buf_data(&out), out.n, table[i].upstream));
        }
}

/* Numbers keep their spelling. */
static void test_restore_spelling(void **state) {
        static const char body[] =
                "{\"a\":1.50,\"b\":1e3,\"c\":18446744073709551615,\"d\":-0.0,\"e\":\"a\\/b\"}";
        _cleanup_buf_ Buf out = BUF_INIT(1024);
        ApiError e;

        assert_int_equal(cli_request_restore(body, strlen(body), NULL, &out, &e), 0);
        assert_string_equal(buf_cstr(&out),
                            "{\"a\":1.50,\"b\":1e3,\"c\":18446744073709551615,\"d\":-0.0,\"e\":\"a/b\"}");
}

static void test_restore_refuses(void **state) {
        static const char *const table[] = { "", "{", "[]", "7", "null", "{}x", "{\"a\":\"\xff\"}" };
        _cleanup_buf_ Buf tiny = BUF_INIT(1);
        ApiError e;

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_buf_ Buf out = BUF_INIT(1024);

                assert_int_equal(cli_request_restore(table[i], strlen(table[i]), NULL, &out, &e),
                                 DIALECT_E_REFUSED);
                assert_int_equal(e.status, 400);
                assert_int_equal(out.n, 0);
        }
        assert_int_equal(cli_request_restore("{}", 2, NULL, &tiny, &e), -E2BIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_split_refuses),
                cmocka_unit_test(test_split_ceilings),
                cmocka_unit_test(test_restore),
                cmocka_unit_test(test_restore_spelling),
                cmocka_unit_test(test_restore_refuses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
