/* SPDX-License-Identifier: MIT */
/*
 * The texts were collected from public reports and from the fixtures of clients; where a report has been
 * shortened by its author the rest is written in the same manner. Placeholders in messages and details:
 *
 *   $KEY      the key as the request presented it (Google does echo it in CONSUMER_SUSPENDED)
 *   $MODEL    the model without `models/`
 *   $VERB     generateContent, streamGenerateContent, …
 *   $METHOD   the same as the name of an RPC: GenerateContent, …
 *
 * A quota error names its violations instead: its message and details are put together as Google does it.
 */
#include "sim-error-table.h"

/* clang-format off: a text is broken where it reads well */

#define SERVICE "generativelanguage.googleapis.com"
#define METHOD "google.ai.generativelanguage.v1beta.GenerativeService.$METHOD"
#define CONSUMER "\"consumer\":\"projects/12345678\","

#define ERROR_INFO(reason, metadata)                                                                        \
        "{\"@type\":\"" RPC "ErrorInfo\",\"reason\":\"" reason "\",\"domain\":\"googleapis.com\","          \
        "\"metadata\":{" metadata "\"service\":\"" SERVICE "\"}}"
#define LOCALIZED(message)                                                                                  \
        "{\"@type\":\"" RPC "LocalizedMessage\",\"locale\":\"en-US\",\"message\":\"" message "\"}"
#define HELP(text, url)                                                                                     \
        "{\"@type\":\"" RPC "Help\",\"links\":[{\"description\":\"" text "\",\"url\":\"" url "\"}]}"
#define BAD_REQUEST(text)                                                                                   \
        "{\"@type\":\"" RPC "BadRequest\",\"fieldViolations\":[{\"description\":\"" text "\"}]}"

#define PAGE(code, title, text)                                                                             \
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n"                                         \
        "  <meta name=viewport content=\"initial-scale=1, minimum-scale=1, width=device-width\">\n"         \
        "  <title>Error " code " (" title ")!!1</title>\n"                                                  \
        "  <p><b>" code ".</b> <ins>That’s an error.</ins>\n"                                             \
        "  <p>" text "  <ins>That’s all we know.</ins>\n"

#define NOT_VALID "API key not valid. Please pass a valid API key."
#define NO_SUCH_KEY "API Key not found. Please pass a valid API key."
#define EXPIRED "API key expired. Please renew the API key."
#define SUSPENDED "Permission denied: Consumer 'api_key:$KEY' has been suspended."
#define ACTIVATION "https://console.developers.google.com/apis/api/" SERVICE "/overview?project=12345678"
#define DISABLED                                                                                            \
        "Generative Language API has not been used in project 12345678 before or it is disabled. "          \
        "Enable it by visiting " ACTIVATION " then retry. If you enabled this API recently, "               \
        "wait a few minutes for the action to propagate to our systems and retry."

#define METRIC(name) SERVICE "/" name
#define FREE_REQUESTS METRIC("generate_content_free_tier_requests")
#define FREE_TOKENS METRIC("generate_content_free_tier_input_token_count")
#define PAID_TOKENS METRIC("generate_content_paid_tier_input_token_count")
#define PER_MINUTE "GenerateRequestsPerMinutePerProjectPerModel"
#define PER_DAY "GenerateRequestsPerDayPerProjectPerModel"
#define TOKENS_PER_MINUTE "GenerateContentInputTokensPerModelPerMinute"
#define VIOLATIONS(...) (const Violation[]){ __VA_ARGS__, {} }

const SimError errors[] = {
        /* --- the key or its project --- */
        { "invalid_key", 400, NOT_VALID,
          ERROR_INFO("API_KEY_INVALID", "") "," LOCALIZED(NOT_VALID) },
        { "key_not_found", 400, NO_SUCH_KEY,
          ERROR_INFO("API_KEY_INVALID", "") "," LOCALIZED(NO_SUCH_KEY) },
        { "key_expired", 400, EXPIRED,
          ERROR_INFO("API_KEY_INVALID", "") "," LOCALIZED(EXPIRED) },
        { "unauthenticated", 401,
          "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
          "or other valid authentication credential. "
          "See https://developers.google.com/identity/sign-in/web/devconsole-project.",
          ERROR_INFO("ACCESS_TOKEN_TYPE_UNSUPPORTED", "\"method\":\"" METHOD "\",") },
        { "suspended", 403, SUSPENDED,
          ERROR_INFO("CONSUMER_SUSPENDED", CONSUMER "\"containerInfo\":\"api_key:$KEY\",")
          "," LOCALIZED(SUSPENDED) },
        { "leaked", 403, "Your API key was reported as leaked. Please use another API key." },
        { "blocked", 403, "Requests to this API " SERVICE " method " METHOD " are blocked.",
          ERROR_INFO("API_KEY_SERVICE_BLOCKED", CONSUMER "\"methodName\":\"" METHOD "\",") },
        { "blocked_referrer", 403, "Requests from referer <empty> are blocked.",
          ERROR_INFO("API_KEY_HTTP_REFERRER_BLOCKED", CONSUMER) },
        { "blocked_ip", 403,
          "The provided API key has an IP address restriction. "
          "The originating IP address of the call (192.0.2.1) violates this restriction.",
          ERROR_INFO("API_KEY_IP_ADDRESS_BLOCKED", CONSUMER) },
        { "api_disabled", 403, DISABLED,
          ERROR_INFO("SERVICE_DISABLED", CONSUMER "\"activationUrl\":\"" ACTIVATION "\",")
          "," LOCALIZED(DISABLED) "," HELP("Google developers console API activation", ACTIVATION) },
        { "denied", 403, "Your project has been denied access. Please contact support." },
        { "no_key", 403,
          "Method doesn't allow unregistered callers (callers without established identity). "
          "Please use API Key or other form of API consumer identity to call this API." },
        { "iam", 403,
          "Permission 'generativelanguage.models.generateContent' denied on resource '//" SERVICE
          "/models/$MODEL' (or it may not exist).",
          ERROR_INFO("IAM_PERMISSION_DENIED",
                     "\"permission\":\"generativelanguage.models.generateContent\",") },
        { "no_reason", 403, "The caller does not have permission" },
        { "file_403", 403, "You do not have permission to access the File xxxx or it may not exist." },
        { "prepay_402", 402,
          "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects "
          "to manage your project and billing. "
          "Learn more at https://ai.google.dev/gemini-api/docs/billing#prepay." },

        /* --- the request --- */
        { "two_credentials", 400, "Multiple authentication credentials received. Please pass only one." },
        { "unknown_name", 400,
          "Invalid JSON payload received. Unknown name \"frequency_penalty\": Cannot find field.",
          BAD_REQUEST("Invalid JSON payload received. "
                      "Unknown name \\\"frequency_penalty\\\": Cannot find field.") },
        { "contents", 400, "* GenerateContentRequest.contents: contents is not specified\n" },
        { "invalid_argument", 400, "Request contains an invalid argument." },
        { "function_parts", 400,
          "Please ensure that the number of function response parts is equal to the number of "
          "function call parts of the function call turn." },
        { "thought_signature", 400,
          "Function call is missing a thought_signature in functionCall parts. This is required for tools "
          "to work correctly, and missing thought_signature may lead to degraded model performance. "
          "Additional data, function call `default_api:Bash` , position 2. Please refer to "
          "https://ai.google.dev/gemini-api/docs/thought-signatures for more details." },
        { "corrupted_signature", 400, "Corrupted thought signature." },
        { "penalty", 400, "Penalty is not enabled for models/$MODEL" },
        { "short_deadline", 400,
          "Manually set deadline 5s is too short. Minimum allowed deadline is 10s." },
        { "location", 400, "User location is not supported for the API use.",
          .status = "FAILED_PRECONDITION" },
        { "not_found", 404,
          "models/$MODEL is not found for API version v1beta, or is not supported for $VERB. "
          "Call ListModels to see the list of available models and their supported methods." },
        { "model_not_found", 404, "Model is not found: models/$MODEL for api version v1beta" },
        { "new_users", 404,
          "This model models/$MODEL is no longer available to new users. Please update your code to use "
          "models/gemini-3.6-flash for the latest features and improvements." },

        /* --- quota --- */
        { "rpm", 429, .retry_text = "18.045573362s", .retry_delay = "18s",
          .violations = VIOLATIONS({ FREE_REQUESTS, PER_MINUTE "-FreeTier", "10" }) },
        { "rpm_paid", 429, .retry_text = "12.5s", .retry_delay = "12s",
          .violations = VIOLATIONS({ METRIC("generate_requests_per_model"), PER_MINUTE, "1000" }) },
        { "rpd", 429, .retry_text = "38.90923309s", .retry_delay = "38s",
          .violations = VIOLATIONS({ FREE_REQUESTS, PER_DAY "-FreeTier", "20" }) },
        { "day", 429, .retry_text = "38.90923309s", .retry_delay = "38s",
          .violations = VIOLATIONS({ FREE_REQUESTS, PER_DAY "-FreeTier", "20" }) },
        { "rpd_paid", 429, .retry_text = "38.90923309s", .retry_delay = "38s",
          .violations = VIOLATIONS({ METRIC("generate_requests_per_model_per_day"), PER_DAY, "10000" }) },
        { "tpm", 429, .retry_text = "45.837906927s", .retry_delay = "45.837906927s",
          .violations = VIOLATIONS({ FREE_TOKENS, TOKENS_PER_MINUTE "-FreeTier", "250000" }) },
        { "tpm_paid", 429, .retry_text = "59.1s", .retry_delay = "59s",
          .violations = VIOLATIONS({ PAID_TOKENS, "GenerateContentPaidTierInputTokensPerModelPerMinute",
                                     "1000000" }) },
        { "tpd", 429, .retry_text = "45.5s", .retry_delay = "45s",
          .violations = VIOLATIONS({ FREE_TOKENS, "GenerateContentInputTokensPerModelPerDay-FreeTier",
                                     "1000000" }) },
        { "tpd_mixed", 429, .retry_text = "45.5s", .retry_delay = "45s",
          .violations = VIOLATIONS({ FREE_TOKENS, "GenerateContentInputTokensPerModelPerDay-FreeTier",
                                     "1000000" },
                                   { FREE_REQUESTS, PER_MINUTE "-FreeTier", "10" },
                                   { FREE_TOKENS, TOKENS_PER_MINUTE "-FreeTier", "250000" }) },
        { "limit_zero", 429, .retry_text = "45.5s", .retry_delay = "45s",
          .violations = VIOLATIONS({ FREE_REQUESTS, PER_DAY "-FreeTier" },
                                   { FREE_TOKENS, TOKENS_PER_MINUTE "-FreeTier" }) },
        { "exhausted_plain", 429, "Resource has been exhausted (e.g. check quota)." },
        { "spend_cap", 429,
          "Your project has exceeded its monthly spending cap. Please go to AI Studio at "
          "https://ai.studio/spend to manage your project spend cap." },
        { "overload_429", 429, "Resource exhausted. Please try again later." },

        /* --- Google's own trouble --- */
        { "internal", 500,
          "An internal error has occurred. Please retry or report in "
          "https://developers.generativeai.google/guide/troubleshooting" },
        { "internal_short", 500, "Internal error encountered." },
        { "overloaded", 503,
          "This model is currently experiencing high demand. Spikes in demand are usually temporary. "
          "Please try again later." },
        { "overloaded_old", 503, "The model is overloaded. Please try again later." },
        { "deadline_503", 503, "Deadline expired before operation could complete." },
        { "deadline_504", 504, "Deadline expired before operation could complete." },
        { "cancelled", 499, "The operation was cancelled." },
        { "html_404", 404,
          .html = PAGE("404", "Not Found", "The requested URL was not found on this server.") },
        { "html_413", 413,
          .html = PAGE("413", "Request Entity Too Large",
                       "Your client issued a request that was too large.") },
        { "html_502", 502,
          .html = PAGE("502", "Server Error",
                       "The server encountered a temporary error and could not complete your request."
                       "<p>Please try again in 30 seconds.") },
};

const size_t n_errors = ELEMENTSOF(errors);
