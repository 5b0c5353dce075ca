/* SPDX-License-Identifier: MIT */
#include "test-data.h"

#include "base/text.h"
#include "dialect/gemini/delay.h"
#include "dialect/gemini/error.h"

#define BODY_MAX (256U << 10)
#define NONE     VERDICT_NO_VALUE
#define GOOGLES  "{\"error\":{\"status\":\"X\","

/* Google's own bodies, as they were seen: tests/golden/errors. */
static const struct {
        const char *name;
        int status;
        VerdictClass class;
        usec_t retry_after;
        uint64_t quota_value;
        const char *reason;
} recorded[] = {
        { "key-invalid", 400, VERDICT_KEY_DEAD, 0, NONE, "API_KEY_INVALID" },
        { "key-not-found", 400, VERDICT_KEY_DEAD, 0, NONE, "API_KEY_INVALID" },
        { "key-expired", 400, VERDICT_KEY_DEAD, 0, NONE, "API_KEY_INVALID" },
        { "key-not-valid-bare", 400, VERDICT_KEY_DEAD, 0, NONE, "INVALID_ARGUMENT" },
        { "key-expired-bare", 400, VERDICT_KEY_DEAD, 0, NONE, "INVALID_ARGUMENT" },
        { "key-token-type", 401, VERDICT_KEY_DEAD, 0, NONE, "ACCESS_TOKEN_TYPE_UNSUPPORTED" },
        { "key-unauthenticated", 401, VERDICT_KEY_DEAD, 0, NONE, "UNAUTHENTICATED" },
        { "key-leaked", 403, VERDICT_KEY_DEAD, 0, NONE, "PERMISSION_DENIED" },
        { "key-service-blocked", 403, VERDICT_KEY_DEAD, 0, NONE, "API_KEY_SERVICE_BLOCKED" },
        { "key-service-blocked-bare", 403, VERDICT_KEY_DEAD, 0, NONE, "PERMISSION_DENIED" },
        { "key-referrer-blocked", 403, VERDICT_KEY_DEAD, 0, NONE, "API_KEY_HTTP_REFERRER_BLOCKED" },
        { "key-address-blocked", 403, VERDICT_KEY_DEAD, 0, NONE, "API_KEY_IP_ADDRESS_BLOCKED" },
        { "project-suspended", 403, VERDICT_PROJECT_DEAD, 0, NONE, "CONSUMER_SUSPENDED" },
        { "project-suspended-bare", 403, VERDICT_PROJECT_DEAD, 0, NONE, "PERMISSION_DENIED" },
        { "project-api-disabled", 403, VERDICT_PROJECT_DEAD, 0, NONE, "SERVICE_DISABLED" },
        { "project-api-disabled-bare", 403, VERDICT_PROJECT_DEAD, 0, NONE, "PERMISSION_DENIED" },
        { "project-denied", 403, VERDICT_PROJECT_DEAD, 0, NONE, "PERMISSION_DENIED" },
        { "permission-unknown", 403, VERDICT_FOREIGN, 0, NONE, "PERMISSION_DENIED" },
        { "permission-unregistered", 403, VERDICT_FOREIGN, 0, NONE, "PERMISSION_DENIED" },
        { "permission-iam", 403, VERDICT_KEY_REFUSED, 0, NONE, "IAM_PERMISSION_DENIED" },
        { "file-of-another", 403, VERDICT_RESOURCE, 0, NONE, "PERMISSION_DENIED" },
        { "billing-prepay", 402, VERDICT_BILLING, 0, NONE, "RESOURCE_EXHAUSTED" },
        { "billing-prepay-429", 429, VERDICT_BILLING, 0, NONE, "RESOURCE_EXHAUSTED" },
        { "billing-spend-cap", 429, VERDICT_BILLING, 0, NONE, "RESOURCE_EXHAUSTED" },
        { "request-unknown-name", 400, VERDICT_REQUEST, 0, NONE, "INVALID_ARGUMENT" },
        { "request-no-contents", 400, VERDICT_REQUEST, 0, NONE, "INVALID_ARGUMENT" },
        { "request-empty-object", 400, VERDICT_REQUEST, 0, NONE, "INVALID_ARGUMENT" },
        { "request-function-parts", 400, VERDICT_REQUEST, 0, NONE, "INVALID_ARGUMENT" },
        { "request-invalid-argument", 400, VERDICT_REQUEST, 0, NONE, "INVALID_ARGUMENT" },
        { "request-thought-signature", 400, VERDICT_REQUEST, 0, NONE, "INVALID_ARGUMENT" },
        { "request-corrupted-signature", 400, VERDICT_SIGNATURE, 0, NONE, "INVALID_ARGUMENT" },
        { "request-invalid-signature", 400, VERDICT_SIGNATURE, 0, NONE, "INVALID_ARGUMENT" },
        { "request-penalty", 400, VERDICT_REQUEST, 0, NONE, "INVALID_ARGUMENT" },
        { "request-two-credentials", 400, VERDICT_REQUEST, 0, NONE, "INVALID_ARGUMENT" },
        { "geo", 400, VERDICT_GEO, 0, NONE, "FAILED_PRECONDITION" },
        { "model-not-found", 404, VERDICT_REQUEST, 0, NONE, "NOT_FOUND" },
        { "model-not-for-new", 404, VERDICT_MODEL_FOR_PROJECT, 0, NONE, "NOT_FOUND" },
        { "day-free", 429, VERDICT_DAY, 38 * USEC_PER_SEC, 20,
          "GenerateRequestsPerDayPerProjectPerModel-FreeTier" },
        { "day-paid", 429, VERDICT_DAY, 0, 1500, "GenerateRequestsPerDayPerProjectPerModel" },
        { "day-tokens", 429, VERDICT_DAY, 18723500000, 1000000,
          "GenerateContentInputTokensPerModelPerDay-FreeTier" },
        { "minute-requests", 429, VERDICT_MINUTE, 45837906, 10,
          "GenerateRequestsPerMinutePerProjectPerModel" },
        { "minute-requests-free", 429, VERDICT_MINUTE, 17 * USEC_PER_SEC, 5,
          "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" },
        { "minute-tokens-free", 429, VERDICT_MINUTE, 500 * USEC_PER_MSEC, 250000,
          "GenerateContentInputTokensPerModelPerMinute-FreeTier" },
        { "minute-tokens-paid", 429, VERDICT_MINUTE, 59 * USEC_PER_SEC, 1000000,
          "GenerateContentPaidTierInputTokensPerModelPerMinute" },
        { "mixed-day-minute-tokens", 429, VERDICT_DAY, 22 * USEC_PER_SEC, 100,
          "GenerateRequestsPerDayPerProjectPerModel-FreeTier" },
        { "limit-zero", 429, VERDICT_LIMIT_ZERO, 45 * USEC_PER_SEC, NONE,
          "GenerateRequestsPerDayPerProjectPerModel-FreeTier" },
        { "limit-zero-value", 429, VERDICT_LIMIT_ZERO, 0, 0,
          "GenerateRequestsPerDayPerProjectPerModel-FreeTier" },
        { "rate-only-delay", 429, VERDICT_MINUTE, 7 * USEC_PER_SEC, NONE, "RESOURCE_EXHAUSTED" },
        { "rate-unknown", 429, VERDICT_RATE_UNKNOWN, 0, NONE, "RESOURCE_EXHAUSTED" },
        { "overload-internal", 500, VERDICT_OVERLOAD, 0, NONE, "INTERNAL" },
        { "overload-internal-encountered", 500, VERDICT_OVERLOAD, 0, NONE, "INTERNAL" },
        { "overload-demand", 503, VERDICT_OVERLOAD, 0, NONE, "UNAVAILABLE" },
        { "overload-overloaded", 503, VERDICT_OVERLOAD, 0, NONE, "UNAVAILABLE" },
        { "overload-deadline-503", 503, VERDICT_OVERLOAD, 0, NONE, "UNAVAILABLE" },
        { "overload-deadline-504", 504, VERDICT_OVERLOAD, 0, NONE, "DEADLINE_EXCEEDED" },
};

/* A verdict's texts go into logs and to clients: one line of whole characters, never a key. */
static void assert_presentable(const Verdict *v) {
        const char *const texts[] = { v->message, v->reason };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                assert_true(text_is_utf8(texts[i], strlen(texts[i])));
                assert_null(strpbrk(texts[i], "\r\n\t\x1b\x7f"));
                assert_null(strstr(texts[i], "EXAMPLE0"));
        }
}

static void test_recorded(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(recorded); i++) {
                _cleanup_buf_ Buf body = BUF_INIT(BODY_MAX), array = BUF_INIT(BODY_MAX);
                char path[256];

                (void) snprintf(path, sizeof(path), "golden/errors/%s.json", recorded[i].name);
                assert_true(test_read(path, &body));
                assert_int_equal(buf_printf(&array, "[%s\n,{}]", buf_cstr(&body)), 0);

                /* As a separate answer; in a stream with HTTP status 200; and in an array. */
                for (unsigned way = 0; way < 3; way++) {
                        const Buf *b = way == 2 ? &array : &body;
                        Verdict v;

                        print_message("%s\n", recorded[i].name);
                        gemini_error_classify(way == 1 ? 200 : recorded[i].status, buf_data(b), b->n, NULL,
                                              &v);
                        assert_int_equal(v.class, recorded[i].class);
                        assert_int_equal(v.status, recorded[i].status);
                        assert_int_equal(v.retry_after, recorded[i].retry_after);
                        assert_int_equal(v.quota_value, recorded[i].quota_value);
                        assert_string_equal(v.reason, recorded[i].reason);
                        assert_true(v.message[0]);
                        assert_presentable(&v);
                }
        }
}

/* The ceilings of violations: of each of them, whichever decides the class. */
static void test_ceilings(void **state) {
        static const struct {
                const char *name;
                uint64_t ceilings[_CEILING_MAX];
        } rows[] = {
                { "day-free", { [CEILING_RPD] = 20 } },
                { "day-paid", { [CEILING_RPD] = 1500 } },
                { "day-tokens", {} },
                { "limit-zero", {} },
                { "limit-zero-value", { [CEILING_RPM] = 10 } },
                { "minute-requests", { [CEILING_RPM] = 10 } },
                { "minute-requests-free", { [CEILING_RPM] = 5 } },
                { "minute-tokens-free", { [CEILING_TPM] = 250000 } },
                { "minute-tokens-paid", { [CEILING_TPM] = 1000000 } },
                { "rate-unknown", {} },
                { "project-suspended", {} },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf body = BUF_INIT(BODY_MAX);
                char path[256];
                Verdict v;

                (void) snprintf(path, sizeof(path), "golden/errors/%s.json", rows[i].name);
                assert_true(test_read(path, &body));
                print_message("%s\n", rows[i].name);
                gemini_error_classify(429, buf_data(&body), body.n, NULL, &v);
                assert_memory_equal(v.ceilings, rows[i].ceilings, sizeof(v.ceilings));
        }
}

static void test_made_up(void **state) {
        static const struct {
                const char *body;
                int status;
                VerdictClass class;
                int verdict_status;
                usec_t retry_after;
                const char *message;
        } rows[] = {
                /* not Google's form: it shows nothing about a key, whatever the status is */
                { "", 503, VERDICT_FOREIGN, 503, 0, "an empty answer (503)" },
                { "", 502, VERDICT_FOREIGN, 502, 0, "an empty answer (502)" },
                { "", 400, VERDICT_FOREIGN, 400, 0, "an empty answer (400)" },
                { "", 401, VERDICT_FOREIGN, 401, 0, "an empty answer (401)" },
                { "", 402, VERDICT_FOREIGN, 402, 0, "an empty answer (402)" },
                { "", 403, VERDICT_FOREIGN, 403, 0, "an empty answer (403)" },
                { "", 404, VERDICT_FOREIGN, 404, 0,
                  "an empty answer (404), not Gemini's API at GEMINI_BASE_URL" },
                { "", 407, VERDICT_FOREIGN, 407, 0, "an empty answer (407)" },
                { "", 429, VERDICT_FOREIGN, 429, 0, "an empty answer (429)" },
                { "", 499, VERDICT_FOREIGN, 499, 0, "an empty answer (499)" },
                { "", 302, VERDICT_FOREIGN, 302, 0, "an empty answer (302)" },
                { "", 200, VERDICT_FOREIGN, 200, 0, "an empty answer (200)" },
                { "", 0, VERDICT_FOREIGN, 0, 0, "an empty answer" },
                { " \n ", 503, VERDICT_FOREIGN, 503, 0, "an empty answer (503)" },
                { " \n<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", 404, VERDICT_FOREIGN, 404, 0,
                  "a page of HTML (404), not Gemini's API at GEMINI_BASE_URL" },
                { "<html>Proxy login</html>", 401, VERDICT_FOREIGN, 401, 0, "a page of HTML (401)" },
                { "<html>your API key not valid</html>", 400, VERDICT_FOREIGN, 400, 0,
                  "a page of HTML (400)" },
                { "<html>prepayment credits</html>", 402, VERDICT_FOREIGN, 402, 0, "a page of HTML (402)" },
                { "API key not valid", 400, VERDICT_FOREIGN, 400, 0, "plain text (400): API key not valid" },
                { "upstream connect error\r\n\tor disconnect  ", 503, VERDICT_FOREIGN, 503, 0,
                  "plain text (503): upstream connect error or disconnect" },
                { "null", 503, VERDICT_FOREIGN, 503, 0, "JSON that is not Google's (503)" },
                { "42", 503, VERDICT_FOREIGN, 503, 0, "JSON that is not Google's (503)" },
                { "[]", 429, VERDICT_FOREIGN, 429, 0, "JSON that is not Google's (429)" },
                { "[1,null,[],{\"a\":[]}]", 400, VERDICT_FOREIGN, 400, 0,
                  "JSON that is not Google's (400)" },
                { "{\"error\":null}", 400, VERDICT_FOREIGN, 400, 0, "JSON that is not Google's (400)" },
                { "{\"error\":[]}", 400, VERDICT_FOREIGN, 400, 0, "JSON that is not Google's (400)" },
                { "{\"error\":\"Rate limited\\u0000 by a proxy\"}", 429, VERDICT_FOREIGN, 429, 0,
                  "JSON that is not Google's (429): Rate limited by a proxy" },
                { "{\"error\":{\"code\":401,\"message\":\"No auth credentials found\"}}", 401,
                  VERDICT_FOREIGN, 401, 0, "JSON that is not Google's (401): No auth credentials found" },
                { "{\"error\":{\"message\":\"Incorrect API key provided\",\"type\":"
                  "\"invalid_request_error\","
                  "\"code\":\"invalid_api_key\"}}",
                  401, VERDICT_FOREIGN, 401, 0,
                  "JSON that is not Google's (401): Incorrect API key provided" },
                { "{\"error\":{\"code\":429,\"message\":\"Please retry in 5s\",\"status\":\"Too many\"}}",
                  429, VERDICT_FOREIGN, 429, 0, "JSON that is not Google's (429): Please retry in 5s" },
                { "{\"error\":{\"details\":{\"@type\":\"a.ErrorInfo\"},\"message\":[]}}", 500,
                  VERDICT_FOREIGN, 500, 0, "JSON that is not Google's (500)" },
                { "{\"error\":{\"message\":\"m\"}}", 200, VERDICT_FOREIGN, 200, 0,
                  "JSON that is not Google's (200): m" },
                { "{\"error\":{\"code\":429,\"message\":\"m\"}}", 429, VERDICT_FOREIGN, 429, 0,
                  "JSON that is not Google's (429): m" },

                /* in a stream a code is enough, but not to blame a key for the code alone */
                { "{\"error\":{\"code\":429,\"message\":\"m\"}}", 200, VERDICT_RATE_UNKNOWN, 429, 0,
                  "m" },
                { "{\"error\":{\"code\":400,\"message\":\"API key not valid.\"}}", 200,
                  VERDICT_KEY_DEAD, 400, 0, "API key not valid." },
                { "{\"error\":{\"code\":401,\"message\":\"m\"}}", 200, VERDICT_FOREIGN, 401, 0,
                  "a refusal without a reason (401): m" },
                { "{\"error\":{\"code\":402,\"message\":\"m\"}}", 200, VERDICT_FOREIGN, 402, 0,
                  "a refusal without a reason (402): m" },

                /* except that a request is too large whatever answers so */
                { "", 413, VERDICT_REQUEST, 413, 0, "an empty answer (413)" },
                { "<html>", 413, VERDICT_REQUEST, 413, 0, "a page of HTML (413)" },
                { "too long", 414, VERDICT_REQUEST, 414, 0, "plain text (414): too long" },

                /* half an error is Google's if the half shows it */
                { "{\"error\":{\"code\":400,\"message\":\"API key not valid. Please", 400, VERDICT_FOREIGN,
                  400, 0, "an answer that breaks off (400)" },
                { "{\"error\":{\"code\":400,\"status\" : \"invalid\", \"message\":\"API key not valid."
                  " Please",
                  400, VERDICT_FOREIGN, 400, 0, "an answer that breaks off (400)" },
                { "{\"error\":{\"code\":400,\"message\":\"API key not valid.\",\n\"status\": "
                  "\"INVALID_ARGUMENT\",",
                  400, VERDICT_KEY_DEAD, 400, 0, "The upstream's answer breaks off." },
                { "{\"error\":{\"code\":429,\"message\":\"Slow down.\\nPlease retry in 38.9s.\","
                  "\"details\":["
                  "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\"",
                  429, VERDICT_MINUTE, 429, 38900000, "The upstream's answer breaks off." },
                { "{\"candidates\":[{\"content\":", 200, VERDICT_CUT, 200, 0,
                  "The upstream's answer breaks off." },

                /* Google's, but not as we know it */
                { "[null,{\"error\":{\"status\":\"UNAVAILABLE\"}}]", 200, VERDICT_OVERLOAD, 503, 0, "" },
                { "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"m\",\"status\":\"X\"}}", 429,
                  VERDICT_RATE_UNKNOWN, 429, 0, "m" },
                { "{\"error\":{\"details\":[null,1,[],{},{\"@type\":5},{\"@type\":\"x\"},{\"@type\":\"a."
                  "RetryInfo\","
                  "\"retryDelay\":{}},{\"@type\":\"a.QuotaFailure\",\"violations\":[null,1,{\"quotaId\":5}]}"
                  "]}}",
                  429, VERDICT_RATE_UNKNOWN, 429, 0, "" },
                { "{\"error\":{\"message\":\"m\",\"status\":\"UNAUTHENTICATED\"}}", 401, VERDICT_KEY_DEAD,
                  401, 0, "a refusal without a reason (401): m" },
                { "{\"error\":{\"message\":\"m\",\"status\":\"RESOURCE_EXHAUSTED\"}}", 402, VERDICT_BILLING,
                  402, 0, "m" },
                { "{\"error\":{\"message\":\"m\",\"status\":\"PERMISSION_DENIED\"}}", 403, VERDICT_FOREIGN,
                  403, 0, "a refusal without a reason (403): m" },
                { "{\"error\":{\"message\":\"m\",\"status\":\"PERMISSION_DENIED\",\"details\":[{\"@type\":"
                  "\"a.ErrorInfo\",\"reason\":\"SECURITY_POLICY_VIOLATED\"}]}}",
                  403, VERDICT_FOREIGN, 403, 0, "a refusal without a reason (403): m" },
                { "{\"error\":{\"message\":\"m\",\"details\":[{\"@type\":\"a.ErrorInfo\",\"reason\":"
                  "\"API_KEY_SERVICE_BLOCKED\"}]}}",
                  403, VERDICT_KEY_DEAD, 403, 0, "m" },

                /* in a stream: the code, else the status's name, else nothing */
                { "{\"error\":{\"message\":\"m\",\"status\":\"RESOURCE_EXHAUSTED\"}}", 200,
                  VERDICT_RATE_UNKNOWN, 429, 0, "m" },
                { "{\"error\":{\"message\":\"m\",\"status\":\"DEADLINE_EXCEEDED\"}}", 200, VERDICT_OVERLOAD,
                  504, 0, "m" },
                { "{\"error\":{\"message\":\"m\",\"status\":\"INVALID_ARGUMENT\"}}", 0, VERDICT_REQUEST, 400,
                  0, "m" },
                { "{\"error\":{\"code\":503,\"message\":\"m\",\"status\":\"INVALID_ARGUMENT\"}}", 200,
                  VERDICT_OVERLOAD, 503, 0, "m" },
                { "{\"error\":{\"code\":7,\"message\":\"m\",\"status\":\"X\"}}", 200, VERDICT_OVERLOAD, 200,
                  0, "m" },
                { "{\"error\":{\"message\":\"m\",\"status\":\"SOMETHING_NEW\"}}", 200, VERDICT_OVERLOAD, 200,
                  0, "m" },

                /* waits */
                { GOOGLES "\"message\":\"Please retry in 1h2m3s.\"}}", 429, VERDICT_MINUTE, 429,
                  3723000000, NULL },
                { GOOGLES "\"message\":\"Please retry in 500ms.\"}}", 429, VERDICT_MINUTE, 429, 500000,
                  NULL },
                { GOOGLES "\"message\":\"Please retry in a while.\"}}", 429, VERDICT_RATE_UNKNOWN, 429,
                  0, NULL },
                { GOOGLES "\"message\":\"Please retry in -5s.\"}}", 429, VERDICT_RATE_UNKNOWN, 429, 0,
                  NULL },
                { GOOGLES "\"message\":\"Please retry in 99999999999999999999s.\"}}", 429,
                  VERDICT_RATE_UNKNOWN, 429, 0, NULL },
                { GOOGLES "\"message\":\"Please retry in 3s\",\"details\":[{\"@type\":\"a.RetryInfo\","
                  "\"retryDelay\":\"soon\"}]}}",
                  429, VERDICT_MINUTE, 429, 3000000, NULL },
                { GOOGLES "\"message\":\"m\",\"details\":[{\"@type\":\"a.RetryInfo\",\"retryDelay\":"
                  "\"2s\"}]}}",
                  503, VERDICT_OVERLOAD, 503, 2000000, NULL },
                { GOOGLES "\"message\":\"m\",\"details\":[{\"@type\":\"a.RetryInfo\",\"retryDelay\":"
                  "{\"seconds\":39,\"nanos\":500000000}}]}}",
                  429, VERDICT_MINUTE, 429, 39500000, NULL },
                { GOOGLES "\"message\":\"m\",\"details\":[{\"@type\":\"a.RetryInfo\",\"retryDelay\":"
                  "{\"seconds\":-1}}]}}",
                  429, VERDICT_RATE_UNKNOWN, 429, 0, NULL },
                { GOOGLES "\"message\":\"m\",\"details\":[{\"@type\":\"a.RetryInfo\",\"retryDelay\":"
                  "{\"seconds\":1e9,\"nanos\":\"1\"}}]}}",
                  429, VERDICT_RATE_UNKNOWN, 429, 0, NULL },
                { GOOGLES "\"message\":\"m\",\"details\":[{\"@type\":\"a.ErrorInfo\",\"metadata\":"
                  "{\"quotaResetDelay\":\"39.25s\"}}]}}",
                  429, VERDICT_MINUTE, 429, 39250000, NULL },
                { GOOGLES "\"message\":\"Your quota will reset after 1h39s.\"}}", 429, VERDICT_MINUTE,
                  429, 3639000000, NULL },
                { GOOGLES "\"message\":\"Please retry in time: it will reset after 39s.\"}}", 429,
                  VERDICT_MINUTE, 429, 39000000, NULL },

                /* nothing, or not quite */
                { GOOGLES "\"message\":\"x, limit: 0\"}}", 429, VERDICT_LIMIT_ZERO, 429, 0, NULL },
                { GOOGLES "\"message\":\"x, limit: 0.\\nmore\"}}", 429, VERDICT_LIMIT_ZERO, 429, 0,
                  NULL },
                { GOOGLES "\"message\":\"x, limit: 0.5\"}}", 429, VERDICT_RATE_UNKNOWN, 429, 0, NULL },
                { GOOGLES "\"message\":\"x, limit: 05, limit: 20\"}}", 429, VERDICT_RATE_UNKNOWN, 429, 0,
                  NULL },
                { GOOGLES "\"message\":\"limit: 10\\nlimit: 0, model: x\"}}", 429, VERDICT_LIMIT_ZERO,
                  429, 0, NULL },
                { GOOGLES "\"message\":\"x, limit: 0\"}}", 400, VERDICT_REQUEST, 400, 0, NULL },
                { GOOGLES "\"message\":\"Quota exceeded for quota metric 'Generate Content API requests "
                  "per minute' and "
                  "limit 'GenerateContent request limit per minute for a region'\"}}",
                  429, VERDICT_MINUTE, 429, 0, NULL },

                /* prose is trusted only where Google writes it */
                { GOOGLES "\"message\":\"Unknown name \\\"your api key not valid\\\"\"}}", 500,
                  VERDICT_OVERLOAD, 500, 0, NULL },
                { GOOGLES "\"message\":\"Unknown name \\\"spending cap\\\"\"}}", 400, VERDICT_REQUEST,
                  400, 0, NULL },
                { GOOGLES "\"message\":\"Gemini API free tier is not available in your country. Please "
                  "enable billing on "
                  "your project in Google AI Studio.\",\"status\":\"FAILED_PRECONDITION\"}}",
                  400, VERDICT_BILLING, 400, 0, NULL },
                { GOOGLES "\"message\":\"CachedContent not found (or permission denied)\"}}", 403,
                  VERDICT_RESOURCE, 403, 0, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Verdict v;

                print_message("%d %s\n", rows[i].status, rows[i].body);
                gemini_error_classify(rows[i].status, rows[i].body, strlen(rows[i].body), NULL, &v);
                assert_int_equal(v.class, rows[i].class);
                assert_int_equal(v.status, rows[i].verdict_status);
                assert_int_equal(v.retry_after, rows[i].retry_after);
                if (rows[i].message)
                        assert_string_equal(v.message, rows[i].message);
                assert_presentable(&v);
        }
}

static void test_key_is_scrubbed(void **state) {
        static const char key[] = "an-odd.key_of-NO-known-form";
        static const char *const bodies[] = {
                "{\"error\":{\"message\":\"Consumer 'api_key:%s' has been suspended.\"}}",
                "{\"error\":{\"message\":\"%s\",\"status\":\"%s\"}}",
                "{\"error\":{\"details\":[{\"@type\":\"a.ErrorInfo\",\"reason\":\"%s\"}]}}",
                "{\"error\":\"%s\"}",
                "plain %s text",
        };
        _cleanup_(secret_unrefp) Secret *secret = NULL;

        assert_int_equal(secret_new(key, strlen(key), &secret), 0);
        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_buf_ Buf body = BUF_INIT(4096);
                Verdict v;

                for (const char *p = bodies[i]; *p; p++)
                        if (p[0] == '%' && p[1] == 's') {
                                (void) buf_puts(&body, key);
                                p++;
                        } else
                                (void) buf_putc(&body, *p);
                gemini_error_classify(403, buf_data(&body), body.n, secret, &v);
                assert_null(strstr(v.message, key));
                assert_null(strstr(v.reason, key));
                assert_non_null(strstr(i == 2 ? v.reason : v.message, "*******"));
        }
}

/* The cut falls behind a whole character, and a key that lies across it is not half shown. */
static void test_long_message(void **state) {
        static const char key[] = "AIzaSyEXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE00";

        for (size_t shift = 0; shift < 48; shift++) {
                _cleanup_buf_ Buf body = BUF_INIT(BODY_MAX);
                Verdict v;

                (void) buf_puts(&body, "{\"error\":{\"message\":\"");
                for (size_t i = 0; i < UPSTREAM_MESSAGE_MAX - 50 + shift; i++)
                        (void) buf_putc(&body, 'x');
                (void) buf_printf(&body, "%s \xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC tail\"}}",
                                  key);
                gemini_error_classify(400, buf_data(&body), body.n, NULL, &v);
                assert_in_range(strlen(v.message), UPSTREAM_MESSAGE_MAX - 4, UPSTREAM_MESSAGE_MAX - 1);
                assert_presentable(&v);
        }
}

static void test_strange_bytes(void **state) {
        static const struct {
                const char *body, *message;
        } rows[] = {
                { "a\xFF"
                  "b\xC3",
                  "a\xEF\xBF\xBD"
                  "b\xEF\xBF\xBD" },
                { "\x1B[31mred\x7F\x01!", "[31mred !" },
                { "one\xC2\x85two\xE2\x80\xA8three\xE2\x80\xA9", "one two three" },
                { "caf\xC3\xA9 \xF0\x9F\x98\x80", "caf\xC3\xA9 \xF0\x9F\x98\x80" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Verdict v;

                gemini_error_classify(0, rows[i].body, strlen(rows[i].body), NULL, &v);
                assert_string_equal(startswith(v.message, "plain text: "), rows[i].message);
                assert_presentable(&v);
        }
}

/* A key of a kind that Google has retired is explained; a reason with its own remedy is not. */
static void test_retired(void **state) {
        static const struct {
                const char *key, *body;
                int status;
                bool explained;
        } rows[] = {
                { "AIzaSyTestTestTest1", "key-invalid", 400, true },
                { "AIzaSyTestTestTest1", "key-not-valid-bare", 400, true },
                { "AIzaSyTestTestTest1", "key-token-type", 401, true },
                { "AIzaSyTestTestTest1", "key-unauthenticated", 401, false },
                { "AIzaSyTestTestTest1", "key-expired", 400, false },
                { "AIzaSyTestTestTest1", "key-expired-bare", 400, false },
                { "AIzaSyTestTestTest1", "key-not-found", 400, false },
                { "AIzaSyTestTestTest1", "key-leaked", 403, false },
                { "AIzaSyTestTestTest1", "key-service-blocked", 403, false },
                { "AIzaSyTestTestTest1", "project-suspended", 403, false },
                { "AIzaSyTestTestTest1", "request-no-contents", 400, false },
                { "AQ.TestTestTestTest1", "key-invalid", 400, false },
                { "AQ.TestTestTestTest1", "key-token-type", 401, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                static const char explanation[] =
                        "Google has retired keys that begin with AIza; make a new one.";
                _cleanup_(secret_unrefp) Secret *key = NULL;
                _cleanup_buf_ Buf body = BUF_INIT(BODY_MAX);
                char path[256];
                Verdict v;

                (void) snprintf(path, sizeof(path), "golden/errors/%s.json", rows[i].body);
                assert_true(test_read(path, &body));
                assert_int_equal(secret_new(rows[i].key, strlen(rows[i].key), &key), 0);
                gemini_error_classify(rows[i].status, buf_data(&body), body.n, key, &v);
                assert_true(v.message[0] && !startswith(v.message, explanation));
                assert_int_equal(!!strstr(v.message, explanation), rows[i].explained);
                assert_presentable(&v);
        }
}

/* A project's name is kept unless it holds a key. */
static void test_consumer(void **state) {
        static const char key[] = "an-odd.key_of-NO-known-form";
        static const struct {
                const char *consumer, *expected;
        } rows[] = {
                { "projects/123", "projects/123" },
                { "projects/my-project", "projects/my-project" },
                { "projects/an-odd.key_of-NO-known-form", "" },
                { "projects/x:an-odd.key_of-NO-known-form", "" },
                { "projects/AIzaSyEXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE00", "" },
                { "api_key:an-odd.key_of-NO-known-form", "" },
                { "projects/a b", "" },
        };
        _cleanup_(secret_unrefp) Secret *secret = NULL;

        assert_int_equal(secret_new(key, strlen(key), &secret), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char body[512];
                Verdict v;

                (void) snprintf(body, sizeof(body),
                                GOOGLES "\"details\":[{\"@type\":\"a.ErrorInfo\",\"metadata\":"
                                        "{\"consumer\":\"%s\"}}]}}",
                                rows[i].consumer);
                gemini_error_classify(429, body, strlen(body), secret, &v);
                assert_string_equal(v.consumer, rows[i].expected);
        }
}

static void test_weigh(void **state) {
        static const struct {
                VerdictClass class;
                const char *reason;
                uint64_t value, tokens;
                VerdictClass expected;
        } rows[] = {
                { VERDICT_MINUTE, "GenerateContentInputTokensPerModelPerMinute-FreeTier", 250000, 250001,
                  VERDICT_TOO_LARGE },
                { VERDICT_MINUTE, "GenerateContentInputTokensPerModelPerMinute-FreeTier", 250000, 250000,
                  VERDICT_MINUTE },
                { VERDICT_MINUTE, "GenerateContentInputTokensPerModelPerMinute-FreeTier", NONE, 250001,
                  VERDICT_MINUTE },
                { VERDICT_MINUTE, "GenerateRequestsPerMinutePerProjectPerModel", 10, 250001,
                  VERDICT_MINUTE },
                { VERDICT_DAY, "GenerateContentInputTokensPerModelPerDay-FreeTier", 10, 250001,
                  VERDICT_DAY },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Verdict v = { .class = rows[i].class, .quota_value = rows[i].value };

                (void) snprintf(v.reason, sizeof(v.reason), "%s", rows[i].reason);
                gemini_error_weigh(&v, rows[i].tokens);
                assert_int_equal(v.class, rows[i].expected);
        }
}

/* Retry-After counts where a wait is of use, and the body names none. */
static void test_header(void **state) {
        static const struct {
                VerdictClass class;
                int status;
                usec_t body, header; /* seconds */
                VerdictClass expected;
                usec_t wait;
        } rows[] = {
                { VERDICT_RATE_UNKNOWN, 429, 0, 17, VERDICT_MINUTE, 17 },
                { VERDICT_RATE_UNKNOWN, 429, 0, 0, VERDICT_RATE_UNKNOWN, 0 },
                { VERDICT_MINUTE, 429, 38, 17, VERDICT_MINUTE, 38 },
                { VERDICT_MINUTE, 429, 0, 17, VERDICT_MINUTE, 17 },
                { VERDICT_DAY, 429, 0, 3600, VERDICT_DAY, 3600 },
                { VERDICT_OVERLOAD, 503, 0, 17, VERDICT_OVERLOAD, 17 },
                { VERDICT_OVERLOAD, 500, 0, 17, VERDICT_OVERLOAD, 0 },
                { VERDICT_FOREIGN, 429, 0, 17, VERDICT_FOREIGN, 17 },
                { VERDICT_FOREIGN, 503, 0, 17, VERDICT_FOREIGN, 17 },
                { VERDICT_FOREIGN, 401, 0, 17, VERDICT_FOREIGN, 0 },
                { VERDICT_BILLING, 429, 0, 17, VERDICT_BILLING, 0 },
                { VERDICT_KEY_DEAD, 503, 0, 17, VERDICT_KEY_DEAD, 0 },
                { VERDICT_OVERLOAD, 503, 0, 86400, VERDICT_OVERLOAD, 86400 },
                { VERDICT_OVERLOAD, 503, 0, 86401, VERDICT_OVERLOAD, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Verdict v = { .class = rows[i].class,
                              .status = rows[i].status,
                              .retry_after = rows[i].body * USEC_PER_SEC };

                gemini_delay_add_header(&v, rows[i].header * USEC_PER_SEC);
                assert_int_equal(v.class, rows[i].expected);
                assert_int_equal(v.retry_after, rows[i].wait * USEC_PER_SEC);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recorded),        cmocka_unit_test(test_ceilings),
                cmocka_unit_test(test_made_up),
                cmocka_unit_test(test_key_is_scrubbed), cmocka_unit_test(test_long_message),
                cmocka_unit_test(test_strange_bytes),   cmocka_unit_test(test_weigh),
                cmocka_unit_test(test_retired),         cmocka_unit_test(test_consumer),
                cmocka_unit_test(test_header),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
