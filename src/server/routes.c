/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "dialect/gemini/native.h"
#include "dialect/gemini/path.h"
#include "server/exchange/exchange.h"
#include "server/admin/manage.h"
#include "server/models.h"
#include "server/files/resource.h"
#include "server/live/live.h"
#include "server/routes.h"
#include "server/stored-responses.h"

/* The dialect, and the form of its errors. */
#define PLAIN       NULL, &error_shape_plain
#define OPENAI_CHAT &dialect_openai_chat, &error_shape_openai
#define OPENAI_COMPLETIONS &dialect_openai_completions, &error_shape_openai
#define OPENAI_EMBEDDINGS &dialect_openai_embeddings, &error_shape_openai
#define OPENAI_IMAGES &dialect_openai_images, &error_shape_openai
#define OPENAI_INPUT_TOKENS &dialect_openai_input_tokens, &error_shape_openai
#define OPENAI_COMPACT &dialect_openai_compact, &error_shape_openai
#define OPENAI_RESPONSES &dialect_openai_responses, &error_shape_openai
#define OPENAI_SPEECH &dialect_openai_speech, &error_shape_openai
#define OPENAI_TRANSCRIPTIONS &dialect_openai_transcriptions, &error_shape_openai
#define OPENAI_TRANSLATIONS &dialect_openai_translations, &error_shape_openai
#define ANTHROPIC   NULL, &error_shape_anthropic
#define ANTHROPIC_MESSAGES &dialect_anthropic_messages, &error_shape_anthropic
#define ANTHROPIC_COUNT_TOKENS &dialect_anthropic_count_tokens, &error_shape_anthropic
#define GEMINI      &dialect_gemini, &error_shape_google
#define GEMINI_TUNED   &dialect_gemini_tuned, &error_shape_google
#define GEMINI_DYNAMIC &dialect_gemini_dynamic, &error_shape_google
#define INTERACTIONS   &dialect_interactions, &error_shape_google
#define DECISIONS      &dialect_decisions, &error_shape_google
#define RUN_GEMINI  &dialect_run_gemini, &error_shape_plain

#define NATIVE(method, path, handler, what, ...)                                                            \
        { method, path, TOKEN_CLIENT, GEMINI, handler, what, __VA_ARGS__ }

/* What of the rest is an exchange. */
#define EXCHANGES(version)                                                                                  \
        { "POST", version "/interactions", TOKEN_CLIENT, INTERACTIONS, exchange_begin,                      \
          "Gemini's interactions, streaming and not" },                                                     \
                { "POST", version "/decisions", TOKEN_CLIENT, DECISIONS, exchange_begin,                    \
                  "questions that a model decides" },                                                       \
                { "POST", version "/tunedModels/", TOKEN_CLIENT, GEMINI_TUNED, exchange_begin,              \
                  "the methods of a model, of a tuned one", .flags = ROUTE_OF_MODELS },            \
                { "POST", version "/dynamic/", TOKEN_CLIENT, GEMINI_DYNAMIC, exchange_begin,                \
                  "the same", .flags = ROUTE_OF_MODELS }

#define LIVE(version, what)                                                                                 \
        NATIVE("GET", "/ws/google.ai.generativelanguage." version ".GenerativeService.BidiGenerateContent", \
               live_begin, what),                                                                           \
                NATIVE("GET",                                                                               \
                       "/ws/google.ai.generativelanguage." version                                          \
                       ".GenerativeService.BidiGenerateContentConstrained",                                 \
                       live_refuse_constrained, "refused: it is for tokens of Google's own")

static const Route routes[] = {
        { "GET", "/", TOKEN_CLIENT, PLAIN, manage_root, "this list", .flags = ROUTE_GREETS },
        { "GET", "/health", TOKEN_NONE, PLAIN, manage_health,
          "whether there are keys that can serve; open" },
        { "POST", "/v1/chat/completions", TOKEN_CLIENT, OPENAI_CHAT, exchange_begin,
          "OpenAI chat completions, streaming and not" },
        { "POST", "/v1/completions", TOKEN_CLIENT, OPENAI_COMPLETIONS, exchange_begin,
          "OpenAI completions of one prompt, streaming and not" },
        { "POST", "/v1/responses", TOKEN_CLIENT, OPENAI_RESPONSES, exchange_begin,
          "OpenAI Responses, streaming and not" },
        { "POST", "/v1/responses/input_tokens", TOKEN_CLIENT, OPENAI_INPUT_TOKENS, exchange_begin,
          "the tokens of a response's input" },
        { "POST", "/v1/responses/compact", TOKEN_CLIENT, OPENAI_COMPACT, exchange_begin,
          "a shorter input: a summary" },
        { "GET", "/v1/responses/", TOKEN_CLIENT, OPENAI_RESPONSES, stored_response_get,
          "a response that is kept, and {id}/input_items" },
        { "DELETE", "/v1/responses/", TOKEN_CLIENT, OPENAI_RESPONSES, stored_response_delete, "deletes it" },
        { "POST", "/v1/responses/", TOKEN_CLIENT, OPENAI_RESPONSES, stored_response_post,
          "{id}/cancel: there is nothing to cancel", .flags = ROUTE_SMALL_BODY },
        { "POST", "/v1/embeddings", TOKEN_CLIENT, OPENAI_EMBEDDINGS, exchange_begin, "OpenAI embeddings" },
        { "POST", "/v1/images/generations", TOKEN_CLIENT, OPENAI_IMAGES, exchange_begin,
          "OpenAI images, by Gemini's image models" },
        { "POST", "/v1/audio/speech", TOKEN_CLIENT, OPENAI_SPEECH, exchange_begin,
          "OpenAI speech, by Gemini's models that speak" },
        { "POST", "/v1/audio/transcriptions", TOKEN_CLIENT, OPENAI_TRANSCRIPTIONS, exchange_begin,
          "OpenAI transcriptions of sound" },
        { "POST", "/v1/audio/translations", TOKEN_CLIENT, OPENAI_TRANSLATIONS, exchange_begin,
          "the same, translated into English" },
        { "POST", "/v1/messages", TOKEN_CLIENT, ANTHROPIC_MESSAGES, exchange_begin,
          "Anthropic messages, streaming and not" },
        { "POST", "/v1/messages/count_tokens", TOKEN_CLIENT, ANTHROPIC_COUNT_TOKENS, exchange_begin,
          "how many tokens such a request has" },
        NATIVE("POST", "/v1beta/models/", exchange_begin,
               "Gemini's own API: {model}:generateContent, :streamGenerateContent, :countTokens, "
               ":embedContent, :batchEmbedContents, :predict, :predictLongRunning",
               .flags = ROUTE_OF_JOBS | ROUTE_OF_MODELS),
        /* For Google's SDKs if only their base URL is set, and with the version of their previews. */
        NATIVE("POST", "/v1/models/", exchange_begin, "the same", .flags = ROUTE_OF_JOBS | ROUTE_OF_MODELS),
        NATIVE("POST", "/v1alpha/models/", exchange_begin, "the same", .flags = ROUTE_OF_MODELS),
        { "POST", "/run-gemini", TOKEN_CLIENT, RUN_GEMINI, exchange_begin,
          "a prompt for the Gemini CLI, in its sandbox" },
        { "GET", "/v1/models", TOKEN_CLIENT, OPENAI_CHAT, models_list, "the models, with aliases",
          .flags = ROUTE_SHARED },
        { "GET", "/v1/models/", TOKEN_CLIENT, OPENAI_CHAT, models_get, "one model",
          .flags = ROUTE_SHARED | ROUTE_OF_MODELS },
        NATIVE("GET", "/v1beta/models", models_list, "the models in Google's form, with aliases"),
        NATIVE("GET", "/v1beta/models/", models_get, "one model in Google's form",
               .flags = ROUTE_OF_MODELS),
        NATIVE("GET", "/v1alpha/models", models_list, "the same"),
        NATIVE("GET", "/v1alpha/models/", models_get, "the same", .flags = ROUTE_OF_MODELS),
        LIVE("v1beta", "Gemini's Live API, by a WebSocket"),
        LIVE("v1alpha", "the same"),
        LIVE("v1", "the same"),
        EXCHANGES("/v1beta"),
        EXCHANGES("/v1"),
        EXCHANGES("/v1alpha"),
        { "GET", "/stats", TOKEN_ADMIN, PLAIN, manage_stats,
          "counters and health of every key and model" },
        { "POST", "/reset-api-key-health", TOKEN_ADMIN, PLAIN, manage_reset, "revives keys",
          .flags = ROUTE_SMALL_BODY },
        { "GET", "/api-key-recommendations", TOKEN_ADMIN, PLAIN, manage_recommendations,
          "what would make the pool serve better" },
        { "GET", "/explain", TOKEN_ADMIN, PLAIN, manage_explain,
          "which key would serve a model now, and why the others would not; ?model=" },
        { "GET", "/admin/requests", TOKEN_ADMIN, PLAIN, manage_requests,
          "the requests under way, the oldest first" },
        { "GET", "/ip-config", TOKEN_ADMIN, PLAIN, manage_ip_config, "who may connect" },
        { "POST", "/test-ip", TOKEN_ADMIN, PLAIN, manage_test_ip,
          "whether an address may connect", .flags = ROUTE_SMALL_BODY },
};

/* The rest of Google's API has a separate table (dialect/gemini/path), under each version. Each row is a
 * route, so that the log names its path. */
static Route google[GEMINI_PATHS_MAX];

static void fill_google(void) {
        const GeminiPath *rows;
        size_t n;

        rows = gemini_paths(&n);
        for (size_t i = 0; i < n; i++) {
                bool is_upload = rows[i].way == GEMINI_WAY_UPLOAD;

                google[i] = (Route) NATIVE(rows[i].method, rows[i].path,
                                           is_upload ? resource_upload : resource_begin, NULL,
                                           .google = &rows[i],
                                           .flags = is_upload                        ? ROUTE_UPLOAD_TOKEN :
                                                    streq(rows[i].method, "PATCH") ? ROUTE_SMALL_BODY :
                                                                                     0);
        }
}

const Route *routes_all(size_t *ret_n) {
        *ret_n = ELEMENTSOF(routes);
        return routes;
}

bool route_takes_body(const Route *r) {
        return streq(r->method, "POST") || streq(r->method, "PATCH") || streq(r->method, "PUT");
}

/* What follows the route's path; NULL: it is another route's. */
static const char *route_rest(const Route *r, const char *path) {
        const char *p = r->path;
        bool is_prefix;

        for (; *p && *p == *path; p++)
                path++;
        if (*p)
                return NULL;
        is_prefix = p - r->path > 1 && p[-1] == '/';
        return (*path != 0) == is_prefix ? path : NULL;
}

bool route_path_is_admin(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(routes); i++)
                if (routes[i].right == TOKEN_ADMIN && route_rest(&routes[i], path))
                        return true;
        return false;
}

static bool method_serves(const char *route, const char *method) {
        return streq(route, method) || (streq(route, "GET") && streq(method, "HEAD"));
}

/* Of the table of Google's paths, what is served by that table. */
static const Route *find_google(const char *method, const char *path, const char **ret_rest) {
        const GeminiPath *row = gemini_path_find(method, path);
        size_t n;

        if (!row || row->way == GEMINI_WAY_EXCHANGE || row->way == GEMINI_WAY_MODELS)
                return NULL;
        *ret_rest = gemini_path_rest(row, path);
        if (!google[0].method)
                fill_google();
        return &google[row - gemini_paths(&n)];
}

/* Adds a method to the list for a 405. */
static size_t allow(const char *method, char *ret, size_t n, size_t size) {
        if (n > 0 && strstr(ret, method))
                return n; /* another path has it, too */
        n += (size_t) snprintf(ret + n, size - n, "%s%s%s", n > 0 ? ", " : "", method,
                               streq(method, "GET") ? ", HEAD" : "");
        assert(n < size);
        return n;
}

/* What OpenAI's clients ask for at a path of Google's is not served: a 404 with the reason (missing.c). */
static bool is_openais(const char *path) {
        return streq(path, "/v1/batches");
}

/* A method of models that is no exchange is in the other table, and so are a model's operations. */
static bool is_elsewhere(const Route *r, const char *rest) {
        GeminiMethod m;
        size_t n;

        if (!(r->flags & ROUTE_OF_MODELS))
                return false;
        return streq(r->method, "POST") ? gemini_method_of_path(rest, &n, &m) < 0
                                        : strstr(rest, "/operations") != NULL;
}

const Route *route_find(const char *method, const char *path, const char **ret_rest, char *ret_allow,
                        size_t n_allow) {
        const Route *other = NULL, *found;
        const GeminiPath *rows;
        size_t n = 0, n_rows;

        ret_allow[0] = 0;
        for (size_t i = 0; i < ELEMENTSOF(routes); i++) {
                const Route *r = &routes[i];
                const char *rest = route_rest(r, path);

                if (!rest)
                        continue;
                if (method_serves(r->method, method)) {
                        ret_allow[0] = 0;
                        *ret_rest = rest;
                        if (!is_elsewhere(r, rest))
                                return r;
                        other = r;
                        break;
                }
                n = allow(r->method, ret_allow, n, n_allow);
        }
        found = find_google(method, path, ret_rest);
        if (found || other) {
                ret_allow[0] = 0;
                return found ?: other;
        }
        rows = gemini_paths(&n_rows);
        for (size_t i = 0; i < n_rows && !is_openais(path); i++)
                if (rows[i].way != GEMINI_WAY_EXCHANGE && gemini_path_fits(&rows[i], path))
                        n = allow(rows[i].method, ret_allow, n, n_allow);
        return NULL;
}

/* Of this API once more: no model's name has that in it. */
static bool has_path(const char *rest) {
        return strstr(rest, "/models") != NULL;
}

bool route_may_be_behind(const Route *r, const char *method, const char *rest) {
        return route_misses_model(r, method, rest) && (streq(r->method, "POST") || has_path(rest));
}

bool route_misses_model(const Route *r, const char *method, const char *rest) {
        static const char models[] = "/models/";
        size_t n = strlen(r->path), n_models = sizeof(models) - 1;

        if (n < n_models || memcmp(r->path + n - n_models, models, n_models) != 0)
                return false;
        if (!method_serves(r->method, method))
                return true;
        return streq(r->method, "POST") ? !strchr(rest, ':') || has_path(rest) : strchr(rest, '/') != NULL;
}

/* "GET, HEAD and DELETE" */
void route_set_not_allowed(ApiError *e, const char *method, const char *allow) {
        const char *last = strrchr(allow, ',');

        api_error_set(e, 405, NULL, "This path takes %.*s%s%s, not %.16s.",
                      (int) (last ? last - allow : 0), allow, last ? " and " : "", last ? last + 2 : allow,
                      method);
}

/* Sources: what the official SDKs send with each request. Anthropic's also send x-api-key, Google's may send
 * the key in the query, and OpenAI's have nothing that only they send. */
static void find_by_asker(HttpRequest *r, const Dialect **ret_dialect, const ErrorShape **ret_errors) {
        static const struct {
                const char *header, *argument;
                const Dialect *dialect;
                const ErrorShape *errors;
        } signs[] = {
                { "anthropic-version", NULL, ANTHROPIC },
                { "x-goog-api-client", NULL, GEMINI },
                { "x-goog-api-key", NULL, GEMINI },
                { NULL, "key", GEMINI },
                { NULL, NULL, OPENAI_CHAT },
        };
        size_t i = 0;

        while ((signs[i].header && !http_request_header(r, signs[i].header)) ||
               (signs[i].argument && !http_request_argument(r, signs[i].argument)))
                i++;
        *ret_dialect = signs[i].dialect;
        *ret_errors = signs[i].errors;
}

void route_find_protocol(HttpRequest *r, const char *path, const Dialect **ret_dialect,
                         const ErrorShape **ret_errors) {
        static const struct {
                const char *path;
                const Dialect *dialect;
                const ErrorShape *errors; /* NULL: those of the client's protocol */
        } trees[] = {
                { "/v1/messages", ANTHROPIC },
                { "/v1beta", GEMINI },
                { "/v1alpha", GEMINI },
                { "/upload", GEMINI },
                { "/download", GEMINI },
                { "/ws", GEMINI },
                { "/v1", NULL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(trees); i++) {
                const char *rest = startswith(path, trees[i].path);

                if (!rest || (*rest && *rest != '/'))
                        continue;
                if (!trees[i].errors)
                        return find_by_asker(r, ret_dialect, ret_errors);
                *ret_dialect = trees[i].dialect;
                *ret_errors = trees[i].errors;
                return;
        }
        *ret_dialect = NULL;
        *ret_errors = &error_shape_plain;
}
