/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/limits.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/error-shape.h"
#include "dialect/json.h"

#define BODY "{\"contents\":[]}"

/* The query holds no argument but `alt`. */
static const char *argument_alt(const char *name, void *alt) {
        return streq(name, "alt") ? alt : NULL;
}

static Translation *translate(const char *rest, const char *alt, const char *body, size_t n) {
        Translation *t = NULL;
        ApiError e = {};
        int r;

        r = dialect_gemini.request(&(DialectContext){ .path_rest = rest,
                                                      .argument = argument_alt,
                                                      .request = (void *) (uintptr_t) alt },
                                   body, n, &t, &e);
        if (r != 0)
                fail_msg("%s %s: %s", rest, body, e.message);
        return t;
}

static Translation *translate_stream(const char *alt) {
        return translate("m:streamGenerateContent", alt, BODY, strlen(BODY));
}

/* --- the request --- */

static void test_path(void **state) {
        static const struct {
                const char *rest, *alt, *model;
                GeminiMethod method;
                const char *type;
        } rows[] = {
                { "gemini-3.8-flash:generateContent", NULL, "gemini-3.8-flash", GEMINI_GENERATE, NULL },
                { "gemini-3.8-flash:generateContent", "json", "gemini-3.8-flash", GEMINI_GENERATE, NULL },
                { "A_b.c-9:countTokens", NULL, "A_b.c-9", GEMINI_COUNT_TOKENS, NULL },
                { "m:streamGenerateContent", NULL, "m", GEMINI_STREAM, "application/json" },
                { "m:streamGenerateContent", "json", "m", GEMINI_STREAM, "application/json" },
                { "m:streamGenerateContent", "sse", "m", GEMINI_STREAM, "text/event-stream" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t =
                        translate(rows[i].rest, rows[i].alt, BODY, strlen(BODY));

                assert_string_equal(t->model, rows[i].model);
                assert_int_equal(t->method, rows[i].method);
                assert_true(t->opaque && !t->cli);
                if (rows[i].type)
                        assert_string_equal(t->stream_type, rows[i].type);
        }
}

#define LONG_NAME                                                                                           \
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                                  \
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
_Static_assert(sizeof(LONG_NAME) - 1 == MODEL_NAME_MAX, "as long as a name may be");

static void test_refused(void **state) {
        static const struct {
                const char *rest, *alt, *body;
                int status;
                const char *param, *message;
        } rows[] = {
                { "", NULL, BODY, 404, "", ":generateContent" },
                { NULL, NULL, BODY, 404, "", ":countTokens" },
                { "m", NULL, BODY, 404, "", ":streamGenerateContent" },
                { "m:", NULL, BODY, 404, "", NULL },
                { "m:embedContents", NULL, BODY, 404, "", NULL },
                { "generateContent", NULL, BODY, 404, "", NULL },
                { "m:generateContent:", NULL, BODY, 404, "", NULL },
                { "m: generateContent", NULL, BODY, 404, "", NULL },
                { ":generateContent", NULL, BODY, 400, "model", "model" },
                { "a b:generateContent", NULL, BODY, 400, "model", "model" },
                { ".:generateContent", NULL, BODY, 400, "model", NULL },
                { "m?:generateContent", NULL, BODY, 400, "model", NULL },
                { "m/n:generateContent", NULL, BODY, 400, "model", NULL },
                { "m\n:generateContent", NULL, BODY, 400, "model", NULL },
                { LONG_NAME "a:generateContent", NULL, BODY, 400, "model", NULL },
                { "models/m:generateContent", NULL, BODY, 400, "model", "too many: m." },
                { "cli/m:generateContent", NULL, BODY, 400, "model", "cli/m " },
                { "cli/models/m:countTokens", NULL, BODY, 400, "model", "cli/m " },
                { "m:generateContent", "sse", BODY, 400, "alt", "streamGenerateContent" },
                { "m:countTokens", "sse", BODY, 400, "alt", NULL },
                { "m:generateContent", "media", BODY, 400, "alt", "`json`" },
                { "m:streamGenerateContent", "", BODY, 400, "alt", NULL },
                { "m:streamGenerateContent", "sse ", BODY, 400, "alt", NULL },
                { "m:generateContent", NULL, "", 400, "", "empty" },
                { "m:generateContent", NULL, "  ", 400, "", NULL },
                { "m:generateContent", NULL, "{", 400, "", NULL },
                { "m:generateContent", NULL, "{} {}", 400, "", NULL },
                { "m:generateContent", NULL, "{\"a\":\"\xff\"}", 400, "", "UTF-8" },
                { "m:generateContent", NULL, "\xef\xbb\xbf{}", 400, "", NULL },
                { "m:generateContent", NULL, "[{}]", 400, "", "object" },
                { "m:generateContent", NULL, " \r\n\"{}\"", 400, "", "object" },
                { "m:generateContent", NULL, "null", 400, "", "object" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const DialectContext c = { .path_rest = rows[i].rest,
                                           .argument = argument_alt,
                                           .request = (void *) (uintptr_t) rows[i].alt };
                _cleanup_(translation_freep) Translation *t = NULL;
                ApiError e;

                assert_int_equal(dialect_gemini.request(&c, rows[i].body, strlen(rows[i].body), &t, &e),
                                 DIALECT_E_REFUSED);
                assert_int_equal(e.status, rows[i].status);
                assert_string_equal(e.param, rows[i].param);
                if (rows[i].message && !strstr(e.message, rows[i].message))
                        fail_msg("row %zu: %s", i, e.message);
        }
}

static void test_longest_name(void **state) {
        _cleanup_(translation_freep) Translation *t =
                translate(LONG_NAME ":generateContent", NULL, BODY, strlen(BODY));

        assert_string_equal(t->model, LONG_NAME);
}

static void test_bytes(void **state) {
        static const char *const rows[] = {
                "{}",
                " \t\r\n{ } \n",
                "{\"b\":1.0e0,\"a\":-0,\"b\":1E400,\"z\":123456789012345678901234567890}",
                "{\"a\":\"\\u00e4\\/\\ud834\\udd1e \xc3\xa4\xf0\x9d\x84\x9e\x7f\"}",
                "{\"a\":\"\\u0000\"}",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t =
                        translate("m:generateContent", NULL, rows[i], strlen(rows[i]));

                assert_int_equal(t->gemini.n, strlen(rows[i]));
                assert_memory_equal(buf_data(&t->gemini), rows[i], t->gemini.n);
        }
}

/* --- the answer --- */

#define EVENT(parts, finish) "{\"candidates\":[{\"content\":{\"parts\":[" parts "]}" finish "}]}"
#define STOP                 ",\"finishReason\":\"STOP\""
#define TEXT                 "{\"text\":\"a\"}"

/* When the client's bytes begin, when the answer is settled, and the finish reason in the log. What has
 * neither bytes nor an end is no answer; what has bytes ends as it does upstream. */
static void test_stream_facts(void **state) {
        static const struct {
                const char *event;
                bool bytes, settled;
                const char *finish;
        } rows[] = {
                { "{}", false, false, NULL },
                { "{\"usageMetadata\":{\"promptTokenCount\":1}}", false, false, NULL },
                { "{\"promptFeedback\":{\"safetyRatings\":[]}}", false, false, NULL },
                { "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", false, true, "SAFETY" },
                { EVENT("", ""), false, false, NULL },
                { EVENT("{\"text\":\"\"}", ""), false, false, NULL },
                { EVENT("{\"text\":\"\",\"thoughtSignature\":\"QQ==\"}", STOP), false, true, "STOP" },
                { EVENT("5", ""), false, false, NULL },
                { EVENT("", STOP), false, true, "STOP" },
                { EVENT(TEXT, ""), true, false, NULL },
                { EVENT("{\"text\":\"hm\",\"thought\":true}", ""), true, false, NULL },
                { EVENT("{\"functionCall\":{\"name\":\"f\"}}", STOP), true, true, "STOP" },
                { EVENT("{\"text\":\"\"},{\"inlineData\":{}}", ""), true, false, NULL },
                { EVENT(TEXT, ",\"finishReason\":\"A_NEW_WORD\""), true, true, "A_NEW_WORD" },
                { EVENT(TEXT, ",\"finishReason\":\"no \\\"word\\\"\""), true, true, NULL },
                { EVENT(TEXT, ",\"finishReason\":\"\""), true, false, NULL },
                { EVENT(TEXT, ",\"index\":8,\"finishReason\":\"STOP\""), true, false, "STOP" },
                { "{\"candidates\":[{\"finishReason\":\"SAFETY\"},{\"index\":1}]}", false, false, NULL },
                { "{\"candidates\":[{\"finishReason\":\"OTHER\"},{\"index\":1,\"finishReason\":\"STOP\"}]}",
                  false, true, "OTHER" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = translate_stream("sse");
                _cleanup_buf_ Buf out = BUF_INIT(65536);
                Verdict v;
                int r;

                assert_int_equal(t->dialect->event(t, rows[i].event, strlen(rows[i].event), &out, &v), 0);
                if ((out.n > 0) != rows[i].bytes || (t->settled > 0) != rows[i].settled)
                        fail_msg("row %zu: %zu bytes, %u settled", i, out.n, t->settled);
                assert_null(t->finish_reason);
                r = t->dialect->finish(t, &out, &v);
                if (!rows[i].settled && !rows[i].bytes) {
                        assert_int_equal(r, DIALECT_E_VERDICT);
                        assert_int_equal(v.class, i == 1 ? VERDICT_OVERLOAD : VERDICT_CUT);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_true(out.n > 0);
                if (!streq_ptr(t->finish_reason, rows[i].finish))
                        fail_msg("row %zu: %s", i, strempty(t->finish_reason));
        }
}

/* What a whole answer is taken for; the good ones come back as they are. */
static void test_whole(void **state) {
        static const struct {
                const char *rest, *answer;
                VerdictClass class;
        } rows[] = {
                { "m:generateContent", EVENT(TEXT, STOP), VERDICT_OK },
                { "m:generateContent", EVENT(TEXT, ""), VERDICT_OK }, /* proto3 leaves out a zero */
                { "m:generateContent", EVENT("", ",\"finishReason\":\"MALFORMED_FUNCTION_CALL\""),
                  VERDICT_OK },
                { "m:generateContent", " {\"promptFeedback\" : {\"blockReason\":\"OTHER\"}}\n", VERDICT_OK },
                { "m:generateContent", EVENT("", ""), VERDICT_OVERLOAD },
                { "m:generateContent", "{}", VERDICT_OVERLOAD },
                { "m:generateContent", "{\"totalTokens\":3}", VERDICT_OVERLOAD },
                { "m:generateContent", "{\"candidates\":[]}", VERDICT_OVERLOAD },
                { "m:generateContent", "[]", VERDICT_FOREIGN },
                { "m:generateContent", "<html>", VERDICT_FOREIGN },
                { "m:generateContent", "{\"error\":{\"code\":429,\"message\":\"per day\"}}", VERDICT_DAY },
                { "m:generateContent", "[{\"error\":{\"code\":400}}]", VERDICT_REQUEST },
                { "m:countTokens", "{\"totalTokens\": 3 }", VERDICT_OK },
                { "m:countTokens", "{}", VERDICT_OK }, /* none: proto3 again */
                { "m:countTokens", "3", VERDICT_FOREIGN },
                { "m:countTokens", "{\"error\":{\"status\":\"UNAVAILABLE\"}}", VERDICT_OVERLOAD },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t =
                        translate(rows[i].rest, NULL, BODY, strlen(BODY));
                _cleanup_buf_ Buf out = BUF_INIT(65536);
                Verdict v = { .class = VERDICT_OK };
                int r;

                r = t->dialect->event(t, rows[i].answer, strlen(rows[i].answer), &out, &v);
                assert_int_equal(out.n, 0);
                if (r == 0)
                        r = t->dialect->finish(t, &out, &v);
                if (v.class != rows[i].class || (r == 0) != (rows[i].class == VERDICT_OK))
                        fail_msg("row %zu: %s", i, verdict_rule(v.class)->name);
                if (r == 0)
                        assert_string_equal(buf_cstr(&out), rows[i].answer);
        }
}

#define ONE   "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}],  \"n\":1.0}"
#define TWO   "{\"candidates\":[{\"finishReason\":\"STOP\"}]}"
#define HELD  "{\"usageMetadata\":{}}"
#define ERROR "{\"error\":{\"code\":502,\"message\":\"cut\",\"status\":\"INTERNAL\"}}"

/* Both framings, to the byte, with a good end and a bad one. */
static void test_framing(void **state) {
        static const struct {
                const char *alt, *events[4];
                bool error;
                const char *expected;
        } rows[] = {
                { "sse", { ONE, TWO }, false, "data: " ONE "\r\n\r\ndata: " TWO "\r\n\r\n" },
                { "sse", { HELD, ONE, TWO }, false,
                  "data: " HELD "\r\n\r\ndata: " ONE "\r\n\r\ndata: " TWO "\r\n\r\n" },
                { "sse", { "{\"candidates\":\n[{\"finishReason\":\"STOP\"}]\n}" }, false,
                  "data: {\"candidates\":\r\ndata: [{\"finishReason\":\"STOP\"}]\r\ndata: }\r\n\r\n" },
                { "sse", { ONE }, true, "data: " ONE "\r\n\r\ndata: " ERROR "\r\n\r\n" },
                { NULL, { ONE, TWO }, false, "[" ONE "\n,\r\n" TWO "\n]" },
                { NULL, { TWO }, false, "[" TWO "\n]" },
                { NULL, { HELD, HELD, TWO }, false, "[" HELD "\n,\r\n" HELD "\n,\r\n" TWO "\n]" },
                { NULL, { "{\"candidates\":\n[{\"finishReason\":\"STOP\"}]\n}" }, false,
                  "[{\"candidates\":\n[{\"finishReason\":\"STOP\"}]\n}\n]" },
                { NULL, { ONE }, true, "[" ONE "\n,\r\n" ERROR "\n]" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = translate_stream(rows[i].alt);
                _cleanup_buf_ Buf out = BUF_INIT(65536);
                Verdict v;
                ApiError e;

                for (size_t k = 0; rows[i].events[k]; k++)
                        assert_int_equal(t->dialect->event(t, rows[i].events[k], strlen(rows[i].events[k]),
                                                           &out, &v),
                                         0);
                if (rows[i].error) {
                        api_error_set(&e, 502, NULL, "cut");
                        t->dialect->stream_error(t, &e, &out);
                } else
                        assert_int_equal(t->dialect->finish(t, &out, &v), 0);
                assert_string_equal(buf_cstr(&out), rows[i].expected);
        }
}

/* Events without content are held back up to a bound; beyond it they are sent, and nothing is lost. */
static void test_held(void **state) {
        _cleanup_(translation_freep) Translation *t = translate_stream("sse");
        _cleanup_buf_ Buf out = BUF_INIT(1U << 20);
        size_t n_told = 0;
        Verdict v;

        for (unsigned i = 0; i < 10000; i++) {
                assert_int_equal(t->dialect->event(t, HELD, strlen(HELD), &out, &v), 0);
                n_told += out.n == 0;
        }
        assert_in_range(n_told, 1000, 3000); /* 64 KiB of them */
        assert_int_equal(out.n, 10000 * strlen("data: " HELD "\r\n\r\n"));
}

/* Another attempt knows nothing of the one before. */
static void test_reset(void **state) {
        static const char first[] =
                "{\"candidates\":[{\"index\":1,\"content\":{\"parts\":[{\"text\":\"\"}]}}],"
                "\"usageMetadata\":{\"promptTokenCount\":9}}";
        static const char second[] = "{\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}";
        _cleanup_(translation_freep) Translation *t = translate_stream(NULL);
        _cleanup_buf_ Buf out = BUF_INIT(65536);
        Verdict v;

        assert_int_equal(t->dialect->event(t, first, strlen(first), &out, &v), 0);
        assert_int_equal(t->usage.prompt, 9);
        t->dialect->reset(t);
        assert_int_equal(t->usage.prompt, 0);
        assert_int_equal(t->dialect->event(t, second, strlen(second), &out, &v), 0);
        assert_int_equal(t->dialect->finish(t, &out, &v), 0);
        assert_string_equal(buf_cstr(&out), "[{\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}\n]");
        assert_string_equal(t->finish_reason, "MAX_TOKENS");
}

/* --- errors --- */

#define RETRY(delay) "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"" delay "\"}"
#define DAY                                                                                                 \
        "{\"@type\":\"type.googleapis.com/google.rpc.QuotaFailure\",\"violations\":[{\"quotaId\":"          \
        "\"PerDay\",\"description\":\"The quota of the day is spent.\"}]}"

static void test_errors(void **state) {
        static const struct {
                int status;
                usec_t retry_after;
                bool daily;
                const char *name, *details; /* NULL: none */
        } rows[] = {
                { 400, 0, false, "INVALID_ARGUMENT", NULL },
                { 401, 0, false, "UNAUTHENTICATED", NULL },
                { 403, 0, false, "PERMISSION_DENIED", NULL },
                { 404, 0, false, "NOT_FOUND", NULL },
                { 405, 0, false, "UNIMPLEMENTED", NULL },
                { 413, 0, false, "INVALID_ARGUMENT", NULL },
                { 422, 0, false, "FAILED_PRECONDITION", NULL },
                { 500, 0, false, "INTERNAL", NULL },
                { 502, 0, false, "INTERNAL", NULL },
                { 503, 30 * USEC_PER_SEC, false, "UNAVAILABLE", NULL },
                { 504, 0, false, "DEADLINE_EXCEEDED", NULL },
                { 429, 0, false, "RESOURCE_EXHAUSTED", RETRY("301s") },
                { 429, 30 * USEC_PER_SEC, false, "RESOURCE_EXHAUSTED", RETRY("301s") },
                { 429, 301 * USEC_PER_SEC, false, "RESOURCE_EXHAUSTED", RETRY("301s") },
                { 429, 301 * USEC_PER_SEC + 1, false, "RESOURCE_EXHAUSTED", RETRY("302s") },
                { 429, 9 * USEC_PER_HOUR, false, "RESOURCE_EXHAUSTED", RETRY("32400s") },
                { 429, 38 * USEC_PER_SEC, true, "RESOURCE_EXHAUSTED", DAY "," RETRY("38s") },
                { 429, 0, true, "RESOURCE_EXHAUSTED", DAY },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf out = BUF_INIT(65536), expected = BUF_INIT(65536);
                ApiError e;

                api_error_set(&e, rows[i].status, "model", "a \"quoted\"\nline");
                e.retry_after = rows[i].retry_after;
                e.daily = rows[i].daily;
                (void) buf_printf(&expected,
                                  "{\"error\":{\"code\":%d,\"message\":\"a \\\"quoted\\\"\\nline\","
                                  "\"status\":\"%s\"",
                                  rows[i].status, rows[i].name);
                if (rows[i].details)
                        (void) buf_printf(&expected, ",\"details\":[%s]", rows[i].details);
                (void) buf_puts(&expected, "}}");
                error_shape_google.write(&e, "req-1", &out);
                assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_path),         cmocka_unit_test(test_refused),
                cmocka_unit_test(test_longest_name), cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_stream_facts), cmocka_unit_test(test_whole),
                cmocka_unit_test(test_framing),      cmocka_unit_test(test_held),
                cmocka_unit_test(test_reset),        cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
