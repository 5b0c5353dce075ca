/* SPDX-License-Identifier: MIT */

/* POST /run-gemini without a CLI: requests, and what becomes of an answer's events. */
#include "test.h"

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

#define FIELD(f) "{\"command\":\"Hi\"," f "}"

static const DialectContext context = { .default_model = "cli/gemini-flash-latest", .request_id = "req-1" };

static int request(const char *body, Translation **ret, ApiError *e) {
        return dialect_run_gemini.request(&context, body, strlen(body), ret, e);
}

static void test_taken(void **state) {
        static const struct {
                const char *body, *model, *gemini;
                bool stream;
                usec_t timeout;
        } table[] = {
                { "{\"command\":\"Hi\"}", "gemini-flash-latest",
                  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]}", false, 0 },
                { FIELD("\"model\":\"a.b-c\",\"stream\":true"), "a.b-c",
                  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]}", true, 0 },
                { FIELD("\"model\":\"cli/models/x\",\"stream\":false,\"timeout\":1"), "x",
                  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]}", false,
                  USEC_PER_SEC },
                { FIELD("\"system\":\"s\\u0000\",\"timeout\":0.25"), "gemini-flash-latest",
                  "{\"systemInstruction\":{\"parts\":[{\"text\":\"s\\u0000\"}]},"
                  "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]}",
                  false, 250 * USEC_PER_MSEC },
                { FIELD("\"system\":\"\",\"timeout\":1e-12"), "gemini-flash-latest",
                  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]}", false, 1 },
                { FIELD("\"system\":null,\"model\":null,\"stream\":null,\"timeout\":null,\"more\":{}"),
                  "gemini-flash-latest",
                  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]}", false, 0 },
                { "{\"command\":\" \\n@x\\u0001\"}", "gemini-flash-latest",
                  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\" \\n@x\\u0001\"}]}]}", false,
                  0 },
                /* of a member that comes twice it is the last, as everywhere */
                { "{\"command\":\"\",\"command\":\"Hi\"}", "gemini-flash-latest",
                  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]}", false, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                _cleanup_json_ struct json_object *got = NULL, *want = NULL;
                ApiError e;

                assert_int_equal(request(table[i].body, &t, &e), 0);
                assert_string_equal(t->model, table[i].model);
                assert_true(t->cli);
                assert_int_equal(translation_streams(t), table[i].stream);
                assert_int_equal(t->timeout, table[i].timeout);
                assert_int_equal(json_parse(buf_data(&t->gemini), t->gemini.n, &got), 0);
                assert_int_equal(json_parse(table[i].gemini, strlen(table[i].gemini), &want), 0);
                assert_true(json_object_equal(got, want));
        }
}

static void test_refused(void **state) {
        static const struct {
                const char *body, *param;
        } table[] = {
                { "", "" },
                { "7", "" },
                { "null", "" },
                { "[\"command\"]", "" },
                { "{\"command\":\"a\"", "" },
                { "{}", "command" },
                { "{\"command\":null}", "command" },
                { "{\"command\":\"\"}", "command" },
                { "{\"command\":\" \\t\\r\\n\"}", "command" },
                { "{\"command\":1}", "command" },
                { "{\"command\":[\"a\"]}", "command" },
                { FIELD("\"model\":1"), "model" },
                { FIELD("\"model\":\"\""), "model" },
                { FIELD("\"model\":\"a/b\""), "model" },
                { FIELD("\"model\":\"a\\u0000\""), "model" },
                { FIELD("\"model\":\"cli/cli/x\""), "model" },
                { FIELD("\"system\":{}"), "system" },
                { FIELD("\"stream\":0"), "stream" },
                { FIELD("\"stream\":\"true\""), "stream" },
                { FIELD("\"timeout\":0"), "timeout" },
                { FIELD("\"timeout\":-0.5"), "timeout" },
                { FIELD("\"timeout\":86400.5"), "timeout" },
                { FIELD("\"timeout\":1e308"), "timeout" },
                { FIELD("\"timeout\":\"9\""), "timeout" },
                { FIELD("\"timeout\":false"), "timeout" },
                { FIELD("\"timeout\":NaN"), "timeout" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Translation *t = NULL;
                ApiError e;

                assert_int_equal(request(table[i].body, &t, &e), DIALECT_E_REFUSED);
                assert_null(t);
                assert_int_equal(e.status, 400);
                if (!streq(e.param, table[i].param) && !strstr(table[i].body, "NaN"))
                        fail_msg("%s: %s", table[i].body, e.param);
        }
}

#define PIECE(text)                                                                                         \
        "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"" text "\"}]}}]}"
#define LAST                                                                                                \
        "{\"candidates\":[{\"content\":{\"parts\":[]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{"      \
        "\"promptTokenCount\":5,\"candidatesTokenCount\":2,\"totalTokenCount\":7},\"gemgateCli\":{"         \
        "\"command\":\"gemini\",\"exitCode\":0,\"stderr\":\"w\",\"durationUsec\":1234567,\"success\":true," \
        "\"finishReason\":\"STOP\",\"key\":\"AIza****0001\"}}"
#define ANSWER                                                                                              \
        "{\"command_executed\":\"gemini\",\"stdout\":\"ab\",\"stderr\":\"w\",\"exit_code\":0,"              \
        "\"execution_time\":1.235,\"success\":true,\"finish_reason\":\"STOP\",\"usage\":{\"prompt_"         \
        "tokens\":5,"                                                                                       \
        "\"completion_tokens\":2,\"total_tokens\":7},\"model\":\"m\",\"api_key_used\":\"AIza****0001\"}"

static Translation *translation(bool stream) {
        Translation *t = NULL;
        ApiError e;

        assert_int_equal(
                request(stream ? FIELD("\"stream\":true,\"model\":\"m\"") : FIELD("\"model\":\"m\""), &t,
                        &e),
                0);
        (void) snprintf(t->served, sizeof(t->served), "m");
        return t;
}

static int hear(Translation *t, const char *json, Buf *out) {
        Verdict v;

        return t->dialect->event(t, json, strlen(json), out, &v);
}

static void test_answer(void **state) {
        _cleanup_(translation_freep) Translation *t = translation(false);
        _cleanup_buf_ Buf out = BUF_INIT(1 << 20);
        Verdict v;

        assert_int_equal(hear(t, PIECE("a"), &out), 0);
        assert_int_equal(hear(t, PIECE("b"), &out), 0);
        assert_int_equal(hear(t, LAST, &out), 0);
        assert_int_equal(out.n, 0);
        assert_int_equal(t->settled, 1);
        assert_int_equal(t->dialect->finish(t, &out, &v), 0);
        assert_string_equal(buf_cstr(&out), ANSWER);
        assert_string_equal(t->finish_reason, "STOP");
}

static void test_answer_streamed(void **state) {
        _cleanup_(translation_freep) Translation *t = translation(true);
        _cleanup_buf_ Buf out = BUF_INIT(1 << 20);
        Verdict v;
        ApiError e;

        assert_int_equal(hear(t, PIECE("a"), &out), 0);
        assert_string_equal(buf_cstr(&out), "data: {\"stdout\":\"a\"}\n\n");
        assert_int_equal(hear(t, PIECE(""), &out), 0);
        assert_int_equal(hear(t, PIECE("b"), &out), 0);
        assert_int_equal(hear(t, LAST, &out), 0);
        assert_int_equal(t->dialect->finish(t, &out, &v), 0);
        assert_string_equal(buf_cstr(&out),
                            "data: {\"stdout\":\"a\"}\n\ndata: {\"stdout\":\"b\"}\n\ndata: " ANSWER "\n\n");

        buf_clear(&out);
        api_error_set(&e, 502, NULL, "broke off");
        t->dialect->stream_error(t, &e, &out);
        assert_string_equal(buf_cstr(&out),
                            "data: {\"error\":{\"message\":\"broke off\",\"type\":\"server_error\","
                            "\"param\":null,\"code\":\"bad_gateway\"}}\n\n");
}

/* Without the engine's result there is no answer; and events from before are forgotten. */
static void test_no_end(void **state) {
        _cleanup_(translation_freep) Translation *t = translation(false);
        _cleanup_buf_ Buf out = BUF_INIT(1 << 20);
        Verdict v;

        assert_int_equal(hear(t, PIECE("x"), &out), 0);
        assert_int_equal(t->dialect->finish(t, &out, &v), DIALECT_E_VERDICT);
        assert_int_equal(v.class, VERDICT_CUT);
        assert_int_equal(hear(t, LAST, &out), 0);
        t->dialect->reset(t);
        assert_int_equal(t->settled, 0);
        assert_int_equal(t->dialect->finish(t, &out, &v), DIALECT_E_VERDICT);
        assert_int_equal(t->dialect->event(t, "{\"error\":{\"code\":503}}", 22, &out, &v),
                         DIALECT_E_VERDICT);
        assert_int_equal(out.n, 0);

        assert_int_equal(hear(t, PIECE("ab"), &out), 0);
        assert_int_equal(hear(t, LAST, &out), 0);
        assert_int_equal(t->dialect->finish(t, &out, &v), 0);
        assert_string_equal(buf_cstr(&out), ANSWER);
}

static void test_exit_code(void **state) {
        static const char last[] = "{\"gemgateCli\":{\"exitCode\":-1}}";
        _cleanup_(translation_freep) Translation *t = translation(false);
        _cleanup_buf_ Buf out = BUF_INIT(1 << 20);
        Verdict v;

        assert_int_equal(hear(t, last, &out), 0);
        assert_int_equal(t->dialect->finish(t, &out, &v), 0);
        assert_non_null(strstr(buf_cstr(&out), "\"exit_code\":null"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_taken),  cmocka_unit_test(test_refused),
                cmocka_unit_test(test_answer), cmocka_unit_test(test_answer_streamed),
                cmocka_unit_test(test_no_end), cmocka_unit_test(test_exit_code),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
