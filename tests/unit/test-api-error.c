/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "dialect/api-error.h"

#define UNKNOWN_MODEL                                                                                   \
        "Gemini has no such model for this request: use one of GET /v1/models, or have the operator of " \
        "this gateway add an alias (MODEL_ALIASES). Google's answer: "

static void test_set(void **state) {
        static const struct {
                int status;
                const char *param, *type, *code;
        } rows[] = {
                { 400, "stop", "invalid_request_error", NULL },
                { 401, NULL, "invalid_request_error", "invalid_api_key" },
                { 403, NULL, "permission_error", NULL },
                { 404, NULL, "invalid_request_error", NULL },
                { 404, "model", "invalid_request_error", "model_not_found" },
                { 405, NULL, "invalid_request_error", "method_not_allowed" },
                { 413, NULL, "invalid_request_error", "request_too_large" },
                { 418, NULL, "invalid_request_error", NULL },
                { 429, NULL, "rate_limit_error", "rate_limit_exceeded" },
                { 500, NULL, "server_error", NULL },
                { 502, NULL, "server_error", "bad_gateway" },
                { 503, NULL, "server_error", "service_unavailable" },
                { 504, NULL, "server_error", "timeout" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ApiError e;

                memset(&e, 0xAA, sizeof(e));
                api_error_set(&e, rows[i].status, rows[i].param, "%s %d", "why", 7);
                assert_int_equal(e.status, rows[i].status);
                assert_string_equal(e.type, rows[i].type);
                assert_true(streq_ptr(e.code, rows[i].code));
                assert_string_equal(e.param, strempty(rows[i].param));
                assert_string_equal(e.message, "why 7");
                assert_int_equal(e.retry_after, rows[i].status == 429 ? USEC_PER_MINUTE : 0);
                assert_false(e.hopeless);
        }
}

static void test_long_message(void **state) {
        for (size_t shift = 0; shift < 4; shift++) {
                char text[2 * API_ERROR_MESSAGE_MAX] = "";
                ApiError e;

                memset(text, 'x', shift);
                for (size_t n = shift; n + 4 < sizeof(text); n += 4)
                        memcpy(text + n, "\xF0\x9F\x98\x80", 5);
                api_error_set(&e, 400, NULL, "%s", text);
                assert_true(text_is_utf8(e.message, strlen(e.message)));
                assert_in_range(strlen(e.message), API_ERROR_MESSAGE_MAX - 4, API_ERROR_MESSAGE_MAX - 1);
        }
}

static void test_verdict(void **state) {
        static const struct {
                VerdictClass class;
                int upstream;
                const char *said;
                usec_t wait;
                int status;
                const char *code, *param;
                usec_t retry_after;
                bool hopeless;
                const char *message;
        } rows[] = {
                /* faults of the gateway's own keys: never the client's 401, 402 or 403, and not in
                 * Google's words */
                { VERDICT_KEY_DEAD, 400, "API key not valid.", 0, 503, "service_unavailable", "", 0, false,
                  "m: the upstream refused the gateway's API keys." },
                { VERDICT_KEY_DEAD, 401, "x", 5, 503, "service_unavailable", "", 0, false, NULL },
                { VERDICT_PROJECT_DEAD, 403, "x", 0, 503, "service_unavailable", "", 0, false, NULL },
                { VERDICT_KEY_REFUSED, 403, "x", 0, 503, "service_unavailable", "", 0, false, NULL },
                { VERDICT_BILLING, 402, "x", 0, 503, "service_unavailable", "", 0, false,
                  "m: the gateway's API keys are out of credit." },

                /* quota */
                { VERDICT_DAY, 429, "Spent.", 38909233, 429, "insufficient_quota", "", 39 * USEC_PER_SEC,
                  false, "m: the daily quota is spent: Spent." },
                { VERDICT_MINUTE, 429, "", 500000, 429, "rate_limit_exceeded", "", USEC_PER_SEC, false,
                  "m: too many requests at the moment." },
                { VERDICT_MINUTE, 429, "", 2 * USEC_PER_SEC, 429, "rate_limit_exceeded", "",
                  2 * USEC_PER_SEC, false, NULL },
                { VERDICT_MINUTE, 429, "", 60 * USEC_PER_SEC, 429, "rate_limit_exceeded", "",
                  60 * USEC_PER_SEC, false, NULL },
                { VERDICT_DAY, 429, "", 61 * USEC_PER_SEC, 429, "insufficient_quota", "", 61 * USEC_PER_SEC,
                  true, NULL },
                /* each 429 has a time, also where Google names none */
                { VERDICT_RATE_UNKNOWN, 429, "x", 0, 429, "rate_limit_exceeded", "", 5 * USEC_PER_SEC, false,
                  NULL },
                { VERDICT_LIMIT_ZERO, 429, "x", 0, 429, "insufficient_quota", "", USEC_PER_MINUTE, true,
                  NULL },
                { VERDICT_MINUTE, 429, "x", 0, 429, "rate_limit_exceeded", "", USEC_PER_MINUTE, false,
                  NULL },
                { VERDICT_DAY, 429, "x", 0, 429, "insufficient_quota", "", USEC_PER_MINUTE, false, NULL },
                { VERDICT_TOO_LARGE, 429, "x", 0, 413, "request_too_large", "", 0, false, NULL },

                /* the request's own */
                { VERDICT_REQUEST, 400, "Bad thing.", 0, 400, NULL, "", 0, false, "Bad thing." },
                { VERDICT_REQUEST, 400, "", 0, 400, NULL, "", 0, false,
                  "m: the upstream refused the request." },
                { VERDICT_REQUEST, 404, "models/m is not found", 0, 404, "model_not_found", "model", 0,
                  false, UNKNOWN_MODEL "models/m is not found" },
                { VERDICT_REQUEST, 413, "x", 0, 413, "request_too_large", "", 0, false, NULL },
                { VERDICT_REQUEST, 401, "x", 0, 400, NULL, "", 0, false, NULL },
                { VERDICT_REQUEST, 501, "x", 0, 400, NULL, "", 0, false, NULL },
                { VERDICT_MODEL_FOR_PROJECT, 404, "Gone.", 0, 404, "model_not_found", "model", 0, false,
                  UNKNOWN_MODEL "Gone." },
                { VERDICT_SIGNATURE, 400, "corrupted", 0, 400, NULL, "", 0, false, "corrupted" },
                { VERDICT_RESOURCE, 403, "a file", 0, 404, "resource_not_found", "", 0, false, "a file" },
                { VERDICT_GEO, 400, "User location.", 0, 400, "unsupported_country_region_territory", "", 0,
                  false, "m: not served where this gateway runs: User location." },

                /* the upstream's */
                { VERDICT_OVERLOAD, 503, "Busy.", 0, 503, "service_unavailable", "", 2000000, false,
                  "m: the upstream could not answer: Busy." },
                { VERDICT_OVERLOAD, 500, "x", 0, 503, "service_unavailable", "", 2000000, false, NULL },
                { VERDICT_OVERLOAD, 0, "x", 0, 503, "service_unavailable", "", 2000000, false, NULL },
                { VERDICT_UNREACHABLE, 0, "x", 0, 503, "service_unavailable", "", 2000000, false, "x" },
                { VERDICT_FOREIGN, 401, "x", 0, 502, "bad_gateway", "", 0, false, NULL },
                { VERDICT_FOREIGN, 404, "x", 0, 502, "bad_gateway", "", 0, false,
                  "m: unexpected answer from the upstream: x" },
                { VERDICT_FOREIGN, 429, "x", 5000000, 503, "service_unavailable", "", 5000000, false, NULL },
                { VERDICT_FOREIGN, 503, "x", 0, 503, "service_unavailable", "", 2000000, false, NULL },
                { VERDICT_FOREIGN, 504, "x", 0, 502, "bad_gateway", "", 0, false, NULL },
                { VERDICT_OVERLOAD, 502, "x", 0, 502, "bad_gateway", "", 0, false, NULL },
                { VERDICT_OVERLOAD, 200, "x", 0, 502, "bad_gateway", "", 0, false, NULL },
                { VERDICT_OVERLOAD, 302, "x", 0, 502, "bad_gateway", "", 0, false, NULL },
                { VERDICT_OVERLOAD, 504, "x", 0, 504, "timeout", "", 0, false, NULL },
                { VERDICT_CUT, 0, "x", 0, 502, "bad_gateway", "", 0, false, "m: the answer broke off: x" },
                { VERDICT_TIMEOUT, 0, "", 0, 504, "timeout", "", 0, false, "m: no answer in time." },
                { VERDICT_CLI, 0, "x", 0, 503, "service_unavailable", "", 0, false,
                  "m: the Gemini CLI could not answer: x" },
                { VERDICT_INTERNAL, 0, "secret detail", 0, 500, NULL, "", 0, false,
                  "m: an internal error occurred." },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ApiError e;
                Verdict v;

                print_message("%s %d\n", verdict_rule(rows[i].class)->name, rows[i].upstream);
                verdict_init(&v, rows[i].class, rows[i].upstream, rows[i].said);
                v.retry_after = rows[i].wait;
                api_error_from_verdict(&e, &v, "m");
                assert_int_equal(e.status, rows[i].status);
                assert_true(streq_ptr(e.code, rows[i].code));
                assert_string_equal(e.param, rows[i].param);
                assert_int_equal(e.retry_after, rows[i].retry_after);
                assert_int_equal(e.hopeless, rows[i].hopeless);
                if (rows[i].message)
                        assert_string_equal(e.message, rows[i].message);
        }
}

/* Every class has a row: no client ever gets a status of 0. */
static void test_every_class(void **state) {
        for (VerdictClass c = VERDICT_OK; c < _VERDICT_CLASS_MAX; c++) {
                ApiError e;
                Verdict v;

                verdict_init(&v, c, 403, NULL);
                api_error_from_verdict(&e, &v, "m");
                assert_in_range(e.status, 400, 599);
                assert_int_not_equal(e.status, 401);
                assert_int_not_equal(e.status, 403);
                assert_true(e.message[0]);
                assert_int_equal(e.daily, c == VERDICT_DAY);
        }
}

static void test_refusal(void **state) {
        static const usec_t now = 1790000000 * USEC_PER_SEC;
        static const struct {
                PoolRefusal refusal;
                int status;
                usec_t retry_after;
                bool hopeless;
                const char *message;
                bool daily;
        } rows[] = {
                { { .n_keys = { [POOL_COOLING] = 3, [POOL_DEAD] = 1, [POOL_UNHEALTHY] = 1 },
                    .available_at = now + 1,
                    .is_quota = true },
                  429,
                  USEC_PER_SEC,
                  false,
                  "No API key can serve m now: 3 cooling (quota), 1 unhealthy, 1 dead of 5." },
                { { .n_keys = { [POOL_COOLING] = 1 },
                    .available_at = now + 41 * USEC_PER_SEC,
                    .is_quota = true },
                  429,
                  41 * USEC_PER_SEC,
                  false,
                  "No API key can serve m now: 1 cooling (quota) of 1." },
                { { .n_keys = { [POOL_COOLING] = 1 },
                    .available_at = now + 41 * USEC_PER_SEC + 1,
                    .is_quota = true },
                  429,
                  42 * USEC_PER_SEC,
                  false,
                  NULL },
                { { .n_keys = { [POOL_COOLING] = 2 },
                    .available_at = now + 41 * USEC_PER_SEC,
                    .is_quota = true,
                    .is_daily = true },
                  429,
                  41 * USEC_PER_SEC,
                  false,
                  NULL,
                  true },
                { { .n_keys = { [POOL_COOLING] = 1 }, .available_at = now - 5, .is_quota = true },
                  429,
                  USEC_PER_SEC,
                  false,
                  NULL },
                { { .n_keys = { [POOL_UNHEALTHY] = 2, [POOL_DISABLED] = 1 },
                    .available_at = now + 30 * USEC_PER_SEC },
                  503,
                  30 * USEC_PER_SEC,
                  false,
                  "No API key can serve m now: 2 unhealthy, 1 disabled of 3." },
                { { .n_keys = { [POOL_DEAD] = 2 }, .available_at = now + 3600 * USEC_PER_SEC },
                  503,
                  3600 * USEC_PER_SEC,
                  true,
                  NULL },
                { { .n_keys = { [POOL_DEAD] = 2 }, .available_at = USEC_INFINITY },
                  503,
                  0,
                  true,
                  "No API key can serve m now: 2 dead of 2." },
                { { .available_at = USEC_INFINITY },
                  503,
                  0,
                  true,
                  "No API key can serve m now: none of 0." },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ApiError e;

                api_error_from_refusal(&e, &rows[i].refusal, "m", now);
                assert_int_equal(e.status, rows[i].status);
                assert_int_equal(e.retry_after, rows[i].retry_after);
                assert_int_equal(e.hopeless, rows[i].hopeless);
                assert_int_equal(e.daily, rows[i].daily);
                if (rows[i].message)
                        assert_string_equal(e.message, rows[i].message);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set),     cmocka_unit_test(test_long_message),
                cmocka_unit_test(test_verdict), cmocka_unit_test(test_every_class),
                cmocka_unit_test(test_refusal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
