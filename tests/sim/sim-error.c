/* SPDX-License-Identifier: MIT */
/*
 * One table. The texts were collected from public reports and from the fixtures of clients; where a report has been
 * shortened by its author the rest is written in the same manner. In messages and details stand
 *
 *   $KEY      the key as the request presented it (Google does echo it in CONSUMER_SUSPENDED)
 *   $MODEL    the model without `models/`
 *   $VERB     generateContent, streamGenerateContent, …
 *   $METHOD   the same as the name of an RPC: GenerateContent, …
 *
 * A quota error names its violations instead: its message and details are put together as Google does it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/jwrite.h"
#include "base/text.h"
#include "sim-error.h"

typedef struct Violation {
        const char *metric;
        const char *id;
        const char *value; /* NULL: no quotaValue */
} Violation;

struct SimError {
        const char *name;
        unsigned code;
        const char *message;
        const char *details;   /* the members of the array, or NULL */
        const char *status;    /* NULL: by code */
        const Violation *violations; /* a quota error */
        const char *retry_text;      /* in the message */
        const char *retry_delay;     /* in RetryInfo; NULL: none */
        const char *html;            /* the front end's answer, no JSON */
};

static const struct {
        unsigned code;
        const char *status;
} statuses[] = {
        { 400, "INVALID_ARGUMENT" },  { 401, "UNAUTHENTICATED" }, { 402, "RESOURCE_EXHAUSTED" },
        { 403, "PERMISSION_DENIED" }, { 404, "NOT_FOUND" },       { 409, "ABORTED" },
        { 413, "INVALID_ARGUMENT" },  { 429, "RESOURCE_EXHAUSTED" }, { 499, "CANCELLED" },
        { 500, "INTERNAL" },          { 501, "UNIMPLEMENTED" },   { 502, "UNAVAILABLE" },
        { 503, "UNAVAILABLE" },       { 504, "DEADLINE_EXCEEDED" },
};

#define RPC "type.googleapis.com/google.rpc."
#define SERVICE "generativelanguage.googleapis.com"

#define ERROR_INFO(reason, metadata) \
        "{\"@type\":\"" RPC "ErrorInfo\",\"reason\":\"" reason "\",\"domain\":\"googleapis.com\",\"metadata\":{" \
        metadata "\"service\":\"" SERVICE "\"}}"
#define LOCALIZED(message) \
        "{\"@type\":\"" RPC "LocalizedMessage\",\"locale\":\"en-US\",\"message\":\"" message "\"}"
#define HELP(text, url) \
        "{\"@type\":\"" RPC "Help\",\"links\":[{\"description\":\"" text "\",\"url\":\"" url "\"}]}"
#define BAD_REQUEST(text) "{\"@type\":\"" RPC "BadRequest\",\"fieldViolations\":[{\"description\":\"" text "\"}]}"
#define RPC_METHOD "google.ai.generativelanguage.v1beta.GenerativeService.$METHOD"

#define PAGE(code, title, text) \
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n" \
        "  <meta name=viewport content=\"initial-scale=1, minimum-scale=1, width=device-width\">\n" \
        "  <title>Error " code " (" title ")!!1</title>\n" \
        "  <p><b>" code ".</b> <ins>That’s an error.</ins>\n  <p>" text "  <ins>That’s all we know.</ins>\n"

#define METRIC(name) SERVICE "/" name
#define NOT_VALID "API key not valid. Please pass a valid API key."
#define NOT_FOUND_KEY "API Key not found. Please pass a valid API key."
#define EXPIRED "API key expired. Please renew the API key."
#define SUSPENDED "Permission denied: Consumer 'api_key:$KEY' has been suspended."
#define BLOCKED "Requests to this API generativelanguage.googleapis.com method " RPC_METHOD " are blocked."
#define API_URL \
        "https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/overview?project=12345678"
#define DISABLED \
        "Generative Language API has not been used in project 12345678 before or it is disabled. Enable it by " \
        "visiting " API_URL " then retry. If you enabled this API recently, wait a few minutes for the action to " \
        "propagate to our systems and retry."
#define UNKNOWN_NAME "Invalid JSON payload received. Unknown name \\\"frequency_penalty\\\": Cannot find field."

static const Violation rpm[] = { { METRIC("generate_content_free_tier_requests"),
                                   "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "10" },
                                 {} };
static const Violation rpm_paid[] = { { METRIC("generate_requests_per_model"),
                                        "GenerateRequestsPerMinutePerProjectPerModel", "1000" },
                                      {} };
static const Violation rpd[] = { { METRIC("generate_content_free_tier_requests"),
                                   "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20" },
                                 {} };
static const Violation rpd_paid[] = { { METRIC("generate_requests_per_model_per_day"),
                                        "GenerateRequestsPerDayPerProjectPerModel", "10000" },
                                      {} };
static const Violation tpm[] = { { METRIC("generate_content_free_tier_input_token_count"),
                                   "GenerateContentInputTokensPerModelPerMinute-FreeTier", "250000" },
                                 {} };
static const Violation tpm_paid[] = { { METRIC("generate_content_paid_tier_input_token_count"),
                                        "GenerateContentPaidTierInputTokensPerModelPerMinute", "1000000" },
                                      {} };
static const Violation tpd[] = { { METRIC("generate_content_free_tier_input_token_count"),
                                   "GenerateContentInputTokensPerModelPerDay-FreeTier", "1000000" },
                                 {} };
static const Violation mixed[] = { { METRIC("generate_content_free_tier_requests"),
                                     "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20" },
                                   { METRIC("generate_content_free_tier_requests"),
                                     "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "10" },
                                   { METRIC("generate_content_free_tier_input_token_count"),
                                     "GenerateContentInputTokensPerModelPerMinute-FreeTier", "250000" },
                                   {} };
static const Violation zero[] = { { METRIC("generate_content_free_tier_requests"),
                                    "GenerateRequestsPerDayPerProjectPerModel-FreeTier", NULL },
                                  { METRIC("generate_content_free_tier_input_token_count"),
                                    "GenerateContentInputTokensPerModelPerMinute-FreeTier", NULL },
                                  {} };

static const SimError errors[] = {
        /* the key or its project */
        { "invalid_key", 400, NOT_VALID, ERROR_INFO("API_KEY_INVALID", "") "," LOCALIZED(NOT_VALID) },
        { "key_not_found", 400, NOT_FOUND_KEY, ERROR_INFO("API_KEY_INVALID", "") "," LOCALIZED(NOT_FOUND_KEY) },
        { "key_expired", 400, EXPIRED, ERROR_INFO("API_KEY_INVALID", "") "," LOCALIZED(EXPIRED) },
        { "unauthenticated", 401,
          "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
          "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-"
          "project.",
          ERROR_INFO("ACCESS_TOKEN_TYPE_UNSUPPORTED", "\"method\":\"" RPC_METHOD "\",") },
        { "suspended", 403, SUSPENDED,
          ERROR_INFO("CONSUMER_SUSPENDED", "\"consumer\":\"projects/12345678\",\"containerInfo\":\"api_key:$KEY\",")
          "," LOCALIZED(SUSPENDED) },
        { "leaked", 403, "Your API key was reported as leaked. Please use another API key." },
        { "blocked", 403, BLOCKED,
          ERROR_INFO("API_KEY_SERVICE_BLOCKED",
                     "\"consumer\":\"projects/12345678\",\"methodName\":\"" RPC_METHOD "\",") },
        { "blocked_referrer", 403, "Requests from referer <empty> are blocked.",
          ERROR_INFO("API_KEY_HTTP_REFERRER_BLOCKED", "\"consumer\":\"projects/12345678\",") },
        { "blocked_ip", 403, "The provided API key has an IP address restriction. The originating IP address of the "
          "call (192.0.2.1) violates this restriction.",
          ERROR_INFO("API_KEY_IP_ADDRESS_BLOCKED", "\"consumer\":\"projects/12345678\",") },
        { "api_disabled", 403, DISABLED,
          ERROR_INFO("SERVICE_DISABLED", "\"consumer\":\"projects/12345678\",\"activationUrl\":\"" API_URL "\",")
          "," LOCALIZED(DISABLED) "," HELP("Google developers console API activation", API_URL) },
        { "denied", 403, "Your project has been denied access. Please contact support." },
        { "no_key", 403,
          "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
          "other form of API consumer identity to call this API." },
        { "file_403", 403, "You do not have permission to access the File xxxx or it may not exist." },
        { "prepay_402", 402,
          "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your "
          "project and billing. Learn more at https://ai.google.dev/gemini-api/docs/billing#prepay." },

        /* the request */
        { "two_credentials", 400, "Multiple authentication credentials received. Please pass only one." },
        { "unknown_name", 400, "Invalid JSON payload received. Unknown name \"frequency_penalty\": Cannot find field.",
          BAD_REQUEST(UNKNOWN_NAME) },
        { "contents", 400, "* GenerateContentRequest.contents: contents is not specified\n" },
        { "invalid_argument", 400, "Request contains an invalid argument." },
        { "function_parts", 400,
          "Please ensure that the number of function response parts is equal to the number of function call parts "
          "of the function call turn." },
        { "thought_signature", 400,
          "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
          "correctly, and missing thought_signature may lead to degraded model performance. Additional data, "
          "function call `default_api:Bash` , position 2. Please refer to "
          "https://ai.google.dev/gemini-api/docs/thought-signatures for more details." },
        { "corrupted_signature", 400, "Corrupted thought signature." },
        { "penalty", 400, "Penalty is not enabled for models/$MODEL" },
        { "short_deadline", 400,
          "Manually set deadline 5s is too short. Minimum allowed deadline is 10s." },
        { "location", 400, "User location is not supported for the API use.", .status = "FAILED_PRECONDITION" },
        { "not_found", 404,
          "models/$MODEL is not found for API version v1beta, or is not supported for $VERB. Call ListModels to see "
          "the list of available models and their supported methods." },
        { "model_not_found", 404, "Model is not found: models/$MODEL for api version v1beta" },
        { "new_users", 404,
          "This model models/$MODEL is no longer available to new users. Please update your code to use "
          "models/gemini-3.6-flash for the latest features and improvements." },

        /* quota */
        { "rpm", 429, .violations = rpm, .retry_text = "18.045573362s", .retry_delay = "18s" },
        { "rpm_paid", 429, .violations = rpm_paid, .retry_text = "12.5s", .retry_delay = "12s" },
        { "rpd", 429, .violations = rpd, .retry_text = "38.90923309s", .retry_delay = "38s" },
        { "day", 429, .violations = rpd, .retry_text = "38.90923309s", .retry_delay = "38s" },
        { "rpd_paid", 429, .violations = rpd_paid, .retry_text = "38.90923309s", .retry_delay = "38s" },
        { "tpm", 429, .violations = tpm, .retry_text = "45.837906927s", .retry_delay = "45.837906927s" },
        { "tpm_paid", 429, .violations = tpm_paid, .retry_text = "59.1s", .retry_delay = "59s" },
        { "tpd", 429, .violations = tpd, .retry_text = "45.5s", .retry_delay = "45s" },
        { "tpd_mixed", 429, .violations = mixed, .retry_text = "45.5s", .retry_delay = "45s" },
        { "limit_zero", 429, .violations = zero, .retry_text = "45.5s", .retry_delay = "45s" },
        { "exhausted_plain", 429, "Resource has been exhausted (e.g. check quota)." },
        { "spend_cap", 429,
          "Your project has exceeded its monthly spending cap. Please go to AI Studio at https://ai.studio/spend to "
          "manage your project spend cap." },
        { "overload_429", 429, "Resource exhausted. Please try again later." },

        /* Google's own trouble */
        { "internal", 500,
          "An internal error has occurred. Please retry or report in "
          "https://developers.generativeai.google/guide/troubleshooting" },
        { "internal_short", 500, "Internal error encountered." },
        { "overloaded", 503,
          "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try "
          "again later." },
        { "overloaded_old", 503, "The model is overloaded. Please try again later." },
        { "deadline_503", 503, "Deadline expired before operation could complete." },
        { "deadline_504", 504, "Deadline expired before operation could complete." },
        { "cancelled", 499, "The operation was cancelled." },
        { "html_404", 404, .html = PAGE("404", "Not Found", "The requested URL was not found on this server.") },
        { "html_413", 413,
          .html = PAGE("413", "Request Entity Too Large", "Your client issued a request that was too large.") },
        { "html_502", 502,
          .html = PAGE("502", "Server Error", "The server encountered a temporary error and could not complete your "
                       "request.<p>Please try again in 30 seconds.") },
};

const SimError *error_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (streq(errors[i].name, name))
                        return &errors[i];
        return NULL;
}

const char *error_name_at(size_t i) {
        return i < ELEMENTSOF(errors) ? errors[i].name : NULL;
}

const SimError *error_for_status(unsigned status) {
        static const struct {
                unsigned status;
                const char *name;
        } usual[] = {
                { 400, "invalid_argument" }, { 401, "unauthenticated" }, { 402, "prepay_402" },
                { 403, "denied" },           { 404, "not_found" },       { 429, "exhausted_plain" },
                { 499, "cancelled" },        { 500, "internal" },        { 503, "overloaded" },
                { 504, "deadline_504" },
        };

        for (size_t i = 0; i < ELEMENTSOF(usual); i++)
                if (usual[i].status == status)
                        return error_find(usual[i].name);
        return NULL;
}

unsigned error_status(const SimError *e, const ErrorFacts *facts) {
        return facts->code > 0 ? facts->code : e->code;
}

const char *error_content_type(const SimError *e) {
        return e->html ? "text/html; charset=UTF-8" : "application/json; charset=UTF-8";
}

bool error_is_json(const SimError *e) {
        return !e->html;
}

static const char *status_name(unsigned code) {
        for (size_t i = 0; i < ELEMENTSOF(statuses); i++)
                if (statuses[i].code == code)
                        return statuses[i].status;
        return "UNKNOWN";
}

/* Appends s as it has to stand inside of a JSON string, or as it is. */
static void put(Buf *out, const char *s, bool quoted) {
        size_t at;

        if (!quoted) {
                (void) buf_puts(out, s);
                return;
        }
        at = out->n;
        jwrite_quote(out, s, strlen(s));
        if (out->error == 0) {
                char *p = buf_data(out) + at;

                memmove(p, p + 1, out->n - at - 2);
                out->n -= 2;
        }
}

static void expand(const char *text, const ErrorFacts *facts, bool quoted, Buf *out) {
        while (*text) {
                size_t n = strcspn(text, "$");
                const char *rest;

                (void) buf_append(out, text, n);
                text += n;
                if (!*text)
                        break;
                if ((rest = startswith(text, "$KEY")))
                        put(out, strempty(facts->key), quoted);
                else if ((rest = startswith(text, "$MODEL")))
                        put(out, strempty(facts->model), quoted);
                else if ((rest = startswith(text, "$VERB")))
                        put(out, strempty(facts->verb), quoted);
                else if ((rest = startswith(text, "$METHOD"))) {
                        const char *verb = strempty(facts->verb);

                        (void) buf_putc(out, (char) toupper((unsigned char) *verb));
                        put(out, *verb ? verb + 1 : verb, quoted);
                } else {
                        (void) buf_putc(out, '$');
                        rest = text + 1;
                }
                text = rest;
        }
}

/* The value of a violation: what the script says, else its own; NULL is Google's "limit: 0" without quotaValue. */
static const char *violation_value(const Violation *v, const ErrorFacts *facts) {
        return facts->quota ?: v->value;
}

static bool has_retry(const ErrorFacts *facts) {
        return !facts->retry || !streq(facts->retry, "none");
}

static void write_quota_message(const SimError *e, const ErrorFacts *facts, Buf *out) {
        (void) buf_puts(out, "You exceeded your current quota, please check your plan and billing details. For more "
                             "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. "
                             "To monitor your current usage, head to: https://ai.dev/rate-limit. ");
        for (const Violation *v = e->violations; v->metric; v++)
                (void) buf_printf(out, "\n* Quota exceeded for metric: %s, limit: %s, model: %s", v->metric,
                                  violation_value(v, facts) ?: "0", strempty(facts->model));
        if (has_retry(facts))
                (void) buf_printf(out, "\nPlease retry in %s.", facts->retry ?: e->retry_text);
}

static void write_quota_details(const SimError *e, const ErrorFacts *facts, JWriter *w) {
        jwrite_raw(w, NULL,
                   HELP("Learn more about Gemini API quotas", "https://ai.google.dev/gemini-api/docs/rate-limits"));
        jwrite_object(w, NULL);
        jwrite_string(w, "@type", RPC "QuotaFailure");
        jwrite_array(w, "violations");
        for (const Violation *v = e->violations; v->metric; v++) {
                jwrite_object(w, NULL);
                jwrite_string(w, "quotaMetric", v->metric);
                jwrite_string(w, "quotaId", v->id);
                jwrite_object(w, "quotaDimensions");
                jwrite_string(w, "location", "global");
                jwrite_string(w, "model", strempty(facts->model));
                jwrite_end(w);
                if (violation_value(v, facts))
                        jwrite_string(w, "quotaValue", violation_value(v, facts));
                jwrite_end(w);
        }
        jwrite_end(w);
        jwrite_end(w);
        if (has_retry(facts)) {
                jwrite_object(w, NULL);
                jwrite_string(w, "@type", RPC "RetryInfo");
                jwrite_string(w, "retryDelay", facts->retry ?: e->retry_delay);
                jwrite_end(w);
        }
}

void error_write(const SimError *e, const ErrorFacts *facts, Buf *out) {
        _cleanup_buf_ Buf text = BUF_INIT(1U << 20);
        JWriter w = JWRITER_INIT(out);

        if (e->html) {
                (void) buf_puts(out, e->html);
                return;
        }

        if (facts->message)
                (void) buf_puts(&text, facts->message);
        else if (e->violations)
                write_quota_message(e, facts, &text);
        else
                expand(e->message, facts, false, &text);

        if (facts->array)
                jwrite_array(&w, NULL);
        jwrite_object(&w, NULL);
        jwrite_object(&w, "error");
        if (!facts->no_code)
                jwrite_uint(&w, "code", error_status(e, facts));
        jwrite_string_n(&w, "message", buf_data(&text), text.n);
        jwrite_string(&w, "status", facts->code > 0 || !e->status ? status_name(error_status(e, facts)) : e->status);
        if (e->violations) {
                jwrite_array(&w, "details");
                write_quota_details(e, facts, &w);
                jwrite_end(&w);
        } else if (e->details) {
                buf_clear(&text);
                (void) buf_putc(&text, '[');
                expand(e->details, facts, true, &text);
                (void) buf_putc(&text, ']');
                jwrite_raw_n(&w, "details", buf_data(&text), text.n);
        }
        jwrite_end(&w);
        jwrite_end(&w);
        if (facts->array)
                jwrite_end(&w);
}

void error_write_plain(unsigned code, const char *message, const char *details, bool array, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        if (array)
                jwrite_array(&w, NULL);
        jwrite_object(&w, NULL);
        jwrite_object(&w, "error");
        jwrite_uint(&w, "code", code);
        jwrite_string(&w, "message", message);
        jwrite_string(&w, "status", status_name(code));
        if (details)
                jwrite_raw(&w, "details", details);
        jwrite_end(&w);
        jwrite_end(&w);
        if (array)
                jwrite_end(&w);
}
