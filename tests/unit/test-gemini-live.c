/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/gemini/live.h"

/* The messages of the Live API: what is read of them, and what an end means. */

static int read_setup(const char *json, GeminiLiveSetup *s, Buf *names, ApiError *e) {
        return gemini_live_setup_read(json, strlen(json), s, names, e);
}

static void test_setup(void **state _unused_) {
        static const struct {
                const char *json, *model; /* NULL: refused */
                bool cli;
        } cases[] = {
                { "{\"setup\":{\"model\":\"models/gemini-3.8-live\"}}", "gemini-3.8-live", false },
                { " { \"setup\" : { \"tools\": [], \"model\" : \"live\" } } ", "live", false },
                { "{\"\\u0073etup\":{\"model\":\"models\\/x\"}}", "x", false },
                { "{\"setup\":{\"model\":\"cli/x\"}}", "x", true },
                { "{\"setup\":{\"model\":\"models/x\",\"model\":\"models/y\"}}", NULL, false },
                { "{\"setup\":{\"model\":\"models/x\"},\"setup\":{\"model\":\"models/x\"}}", NULL, false },
                { "{\"setup\":{\"model\":\"models/x\"},\"clientContent\":{}}", NULL, false },
                { "{\"setup\":{\"model\":\"models/x\\u0000\"}}", NULL, false },
                { "{\"setup\":{\"model\":\"models/x/y\"}}", NULL, false },
                { "{\"setup\":{\"model\":7}}", NULL, false },
                { "{\"setup\":{\"model\":null}}", NULL, false },
                { "{\"setup\":{}}", NULL, false },
                { "{\"setup\":[]}", NULL, false },
                { "{\"clientContent\":{}}", NULL, false },
                { "{}", NULL, false },
                { "[{\"setup\":{\"model\":\"models/x\"}}]", NULL, false },
                { "{\"setup\":{\"model\":\"models/x\"}", NULL, false },
                { "{\"setup\":{\"model\":\"models/x\"}}x", NULL, false },
                { "", NULL, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_buf_ Buf names = BUF_INIT(GEMINI_LIVE_NAMES_MAX);
                GeminiLiveSetup s;
                ApiError e;
                int r = read_setup(cases[i].json, &s, &names, &e);

                assert_int_equal(r, cases[i].model ? 0 : DIALECT_E_REFUSED);
                if (!cases[i].model) {
                        assert_int_equal(e.status, 400);
                        assert_true(strlen(e.message) <= 123);
                        continue;
                }
                assert_string_equal(s.model, cases[i].model);
                assert_int_equal(s.cli, cases[i].cli);
        }
}

static void test_model_is_rewritten(void **state _unused_) {
        static const char json[] =
                "{\"setup\": {\"a\":1, \"model\" : \"models/alias\" , \"b\":\"\\u00e4\"}}";
        _cleanup_buf_ Buf names = BUF_INIT(GEMINI_LIVE_NAMES_MAX), out = BUF_INIT(1000);
        GeminiLiveSetup s;
        ApiError e;

        assert_int_equal(read_setup(json, &s, &names, &e), 0);
        assert_true(gemini_live_setup_is_for(&s, "alias"));
        assert_false(gemini_live_setup_is_for(&s, "alia"));
        assert_int_equal(gemini_live_setup_write(&s, json, strlen(json), "real-1", &out), 0);
        assert_string_equal(buf_cstr(&out),
                            "{\"setup\": {\"a\":1, \"model\" : \"models/real-1\" , \"b\":\"\\u00e4\"}}");
}

/* The names, with blanks between. */
static const char *names_of(const char *json, char *ret, size_t size) {
        _cleanup_buf_ Buf names = BUF_INIT(GEMINI_LIVE_NAMES_MAX);
        GeminiLiveSetup s;
        ApiError e;

        assert_int_equal(read_setup(json, &s, &names, &e), 0);
        for (size_t i = 0; i < names.n; i++)
                if (!buf_data(&names)[i])
                        buf_data(&names)[i] = ' ';
        text_copy(ret, size, names.n > 0 ? buf_cstr(&names) : "");
        return ret;
}

static void test_names(void **state _unused_) {
        char a[512], b[512], both[512];
        GeminiLiveAnswer answer;
        static const char update[] =
                "{\"sessionResumptionUpdate\":{\"newHandle\":\"A+/b\",\"resumable\":true}}";

        assert_string_equal(names_of("{\"setup\":{\"model\":\"models/x\",\"sessionResumption\":{}}}", a,
                                     sizeof(a)), "");
        assert_string_equal(names_of("{\"setup\":{\"model\":\"models/x\",\"cachedContent\":"
                                     "\"cachedContents/c\"}}", a, sizeof(a)),
                            "cachedContents/c ");
        (void) names_of("{\"setup\":{\"model\":\"models/x\",\"session_resumption\":"
                        "{\"handle\":\"A+\\/b\"}}}", a, sizeof(a));
        assert_non_null(startswith(a, BINDING_SESSIONS));
        assert_true(binding_name_is_valid(a, strlen(a) - 1));

        /* The server's handle has the same name. */
        assert_int_equal(gemini_live_answer_read(update, strlen(update), &answer), 0);
        assert_memory_equal(answer.handle, a, strlen(answer.handle));

        /* A second one does not pass beside the first, whatever its spelling. */
        (void) names_of("{\"setup\":{\"model\":\"models/x\",\"sessionResumption\":{\"handle\":\"B\"}}}", b,
                        sizeof(b));
        (void) names_of("{\"setup\":{\"model\":\"models/x\",\"sessionResumption\":{\"handle\":\"A+/b\","
                        "\"h\\u0061ndle\":\"B\"}}}", both, sizeof(both));
        assert_non_null(strstr(both, a));
        assert_non_null(strstr(both, b));
        (void) names_of("{\"setup\":{\"model\":\"models/x\",\"sessionResumption\":{\"handle\":\"A+/b\"},"
                        "\"session_resumption\":{\"handle\":\"B\"}}}", both, sizeof(both));
        assert_non_null(strstr(both, a));
        assert_non_null(strstr(both, b));
}

/* They are not looked at to the last one, which is none. */
static void test_a_million_handles(void **state _unused_) {
        _cleanup_buf_ Buf names = BUF_INIT(GEMINI_LIVE_NAMES_MAX), json = BUF_INIT(16U << 20);
        GeminiLiveSetup s;
        ApiError e;

        (void) buf_puts(&json, "{\"setup\":{\"model\":\"models/x\",\"sessionResumption\":{");
        for (size_t i = 0; i < 1000000; i++)
                (void) buf_puts(&json, "\"handle\":\"A\",");
        (void) buf_puts(&json, "\"handle\":7}}}");
        assert_int_equal(read_setup(buf_cstr(&json), &s, &names, &e), DIALECT_E_REFUSED);
        assert_string_equal(e.message, "setup names too much.");
}

static void test_a_later_message(void **state _unused_) {
        static const struct {
                const char *json;
                int r;
        } cases[] = {
                { "{}", 0 },
                { "{\"realtimeInput\":{\"setup\":1},\"setups\":{}}", 0 },
                { "[]", DIALECT_E_REFUSED },
                { "{", DIALECT_E_REFUSED },
                { "{\"setup\":{\"model\":\"models/y\"}}", DIALECT_E_REFUSED },
                { "{\"realtimeInput\":{},\"s\\u0065tup\":null}", DIALECT_E_REFUSED },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ApiError e;

                assert_int_equal(gemini_live_message_check(cases[i].json, strlen(cases[i].json), &e),
                                 cases[i].r);
        }
}

static void test_a_handle_that_is_none(void **state _unused_) {
        static const char before[] = "{\"setup\":{\"model\":\"models/x\",\"sessionResumption\":{\"handle\":";
        _cleanup_buf_ Buf names = BUF_INIT(GEMINI_LIVE_NAMES_MAX), json = BUF_INIT(1U << 20);
        GeminiLiveSetup s;
        ApiError e;

        (void) buf_printf(&json, "%s7}}}", before);
        assert_int_equal(read_setup(buf_cstr(&json), &s, &names, &e), DIALECT_E_REFUSED);
        buf_clear(&json);
        (void) buf_printf(&json, "%s\"%010000d\"}}}", before, 7);
        assert_int_equal(read_setup(buf_cstr(&json), &s, &names, &e), DIALECT_E_REFUSED);
        buf_clear(&json);
        (void) buf_printf(&json, "%s null}}}", before);
        assert_int_equal(read_setup(buf_cstr(&json), &s, &names, &e), 0);
        assert_int_equal(names.n, 0);
}

static void test_messages(void **state _unused_) {
        static const char file[] = "{\"clientContent\":{\"turns\":[{\"parts\":[{\"fileData\":{\"fileUri\":"
                                   "\"https://generativelanguage.googleapis.com/v1beta/files/f\"}}]}]}}";
        _cleanup_buf_ Buf names = BUF_INIT(GEMINI_LIVE_NAMES_MAX);
        ApiError e;

        assert_int_equal(gemini_live_message_check(file, strlen(file), &e), 0);
        assert_int_equal(gemini_live_message_check("[]", 2, &e), DIALECT_E_REFUSED);
        assert_int_equal(gemini_live_message_check("{", 1, &e), DIALECT_E_REFUSED);
        assert_int_equal(gemini_live_message_check("", 0, &e), DIALECT_E_REFUSED);
        assert_null(gemini_live_message_names(file, strlen(file), &names));
        assert_string_equal(buf_data(&names), "files/f");
}

static void test_answers(void **state _unused_) {
        static const struct {
                const char *json;
                bool is_complete;
                Usage usage;
        } cases[] = {
                { "{\"setupComplete\":{}}", true, {} },
                { "{\n \"setupComplete\": {}\n}\n", true, {} },
                { "{\"setupComplete\":null}", false, {} },
                { "{\"serverContent\":{\"setupComplete\":{}}}", false, {} },
                { "{\"serverContent\":{\"turnComplete\":true},\"usageMetadata\":{\"promptTokenCount\":10,"
                  "\"toolUsePromptTokenCount\":2,\"responseTokenCount\":5,\"thoughtsTokenCount\":1,"
                  "\"cachedContentTokenCount\":3,\"totalTokenCount\":18}}", false, { 12, 3, 6, 1, 18 } },
                { "{\"usageMetadata\":{\"promptTokenCount\":\"7\",\"responseTokenCount\":-5}}", false,
                  { 7, 0, 0, 0, 7 } },
                { "{\"usageMetadata\":{\"promptTokenCount\":18446744073709551615}}", false,
                  { UINT64_C(1) << 40, 0, 0, 0, UINT64_C(1) << 40 } },
                { "{\"usageMetadata\":[]}", false, {} },
                { "no JSON", false, {} },
                { "", false, {} },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                GeminiLiveAnswer a;

                assert_int_equal(gemini_live_answer_read(cases[i].json, strlen(cases[i].json), &a), 0);
                assert_int_equal(a.is_complete, cases[i].is_complete);
                assert_memory_equal(&a.usage, &cases[i].usage, sizeof(Usage));
                assert_string_equal(a.handle, "");
        }
}

static void test_ends(void **state _unused_) {
        static const struct {
                unsigned code;
                const char *reason;
                VerdictClass class;
        } cases[] = {
                { 1000, "", VERDICT_OK },
                { 1001, "", VERDICT_OK },
                { 1005, "", VERDICT_OK },
                { 1007, "API key not valid. Please pass a valid API key.", VERDICT_KEY_DEAD },
                { 1007, "Request contains an invalid argument.", VERDICT_REQUEST },
                { 1008, "models/x is not found for API version v1beta, or is not supported",
                  VERDICT_REQUEST },
                { 1008, "Your API key was reported as leaked. Please use another API key.",
                  VERDICT_KEY_DEAD },
                { 1008, "Your project has been denied access. Please contact support.",
                  VERDICT_PROJECT_DEAD },
                { 1008, "Operation is not implemented, or supported, or enabled.", VERDICT_REQUEST },
                { 1008, "BidiGenerateContent session not found", VERDICT_REQUEST },
                { 1011, "You exceeded your current quota, please check your plan and billing details.",
                  VERDICT_RATE_UNKNOWN },
                { 1000, "You exceeded your current quota", VERDICT_RATE_UNKNOWN },
                { 1011, "Your prepayment credits are depleted.", VERDICT_BILLING },
                { 1011, "Internal error encountered.", VERDICT_OVERLOAD },
                { 1011, "The service is currently unavailable.", VERDICT_OVERLOAD },
                { 1011, "Deadline expired before operation could complete.", VERDICT_OVERLOAD },
                { 1011, "", VERDICT_OVERLOAD },
                { 1012, "", VERDICT_OVERLOAD },
                { 1009, "", VERDICT_REQUEST },
                { 4000, "?", VERDICT_OVERLOAD },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Verdict v;

                gemini_live_classify(cases[i].code, cases[i].reason, NULL, &v);
                assert_string_equal(verdict_rule(v.class)->name, verdict_rule(cases[i].class)->name);
                if (cases[i].reason[0] && cases[i].class != VERDICT_OK)
                        assert_string_equal(v.message, cases[i].reason);
        }
}

static void test_a_key_is_covered(void **state _unused_) {
        _cleanup_(secret_unrefp) Secret *key = NULL;
        Verdict v;

        assert_int_equal(secret_new("AQ.very-secret-key-of-the-pool", 30, &key), 0);
        gemini_live_classify(1007, "The key AQ.very-secret-key-of-the-pool is wrong.", key, &v);
        assert_null(strstr(v.message, "very-secret"));
}

static void test_codes(void **state _unused_) {
        static const struct {
                int status;
                unsigned code;
        } cases[] = { { 400, 1007 }, { 403, 1008 }, { 404, 1008 }, { 413, 1009 }, { 429, 1011 },
                      { 500, 1011 }, { 503, 1011 }, { 504, 1011 } };
        _cleanup_buf_ Buf out = BUF_INIT(100);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(gemini_live_code(cases[i].status), cases[i].code);
        assert_int_equal(gemini_live_go_away(90 * USEC_PER_SEC, &out), 0);
        assert_string_equal(buf_cstr(&out), "{\"goAway\":{\"timeLeft\":\"90s\"}}");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_setup),
                cmocka_unit_test(test_model_is_rewritten),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_a_million_handles),
                cmocka_unit_test(test_a_later_message),
                cmocka_unit_test(test_a_handle_that_is_none),
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_ends),
                cmocka_unit_test(test_a_key_is_covered),
                cmocka_unit_test(test_codes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
