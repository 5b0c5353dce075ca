/* SPDX-License-Identifier: MIT */

/*
 * A path without a route is often that of a route behind a wrong base URL, because each client adds its own
 * part to what its user has configured: /v1 is missing, or is there twice, or the base URL is that of
 * another gateway, or has the whole path already. The 404 then names the right path, and what is to be
 * changed in the base URL.
 *
 * The right path is an end of the path, the longest one that has a route: as it is, or behind a version of
 * the API. What is before it has to be a part of a base URL: versions, names of APIs (`bases`), or the whole
 * path of a route. So /v1/threads/t/messages, which is a path of OpenAI's that is not served, is not
 * taken for /v1/messages. Only before an end with a version anything may be, because a proxy may serve
 * gemgate under any path. What is behind models/ has to name a model, or it is another route's path behind
 * a base URL that ends in /v1/models. Where no end has a route, a path that differs from a route's by no
 * more than TYPING_ERRORS_MAX characters is taken for a typing error.
 */

#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "base/secret.h"
#include "base/text.h"
#include "server/missing.h"

#define SEGMENTS_MAX      16U /* of a path: more than any route has behind any base URL */
#define TYPING_ERRORS_MAX 2U
#define TYPED_PATH_MIN    5U /* a shorter path is near to too many others */

typedef struct Missing {
        char path[MISSING_PATH_MAX + 1]; /* without repeated slashes, and slashes and blanks at the end */
        size_t starts[SEGMENTS_MAX];     /* of the segments' slashes */
        size_t n;
        bool is_openai; /* a segment of it is `openai` */
        bool is_google; /* it begins with a version of Google's, or ends in a method of a model */
} Missing;

/* --- segments --- */

static size_t segment_length(const Missing *m, size_t i) {
        return (i + 1 < m->n ? m->starts[i + 1] : strlen(m->path)) - m->starts[i] - 1;
}

static bool segment_is(const Missing *m, size_t i, const char *name) {
        size_t n = strlen(name);

        return segment_length(m, i) == n && strncasecmp(m->path + m->starts[i] + 1, name, n) == 0;
}

/* v1, v1beta, v1alpha, v2, v1beta1 */
static bool segment_is_version(const Missing *m, size_t i) {
        const char *begin = m->path + m->starts[i] + 1, *s = begin;
        size_t n;

        if (*s != 'v' && *s != 'V')
                return false;
        n = strspn(++s, TEXT_DIGITS);
        s += n;
        if (strncasecmp(s, "beta", 4) == 0)
                s += 4;
        else if (strncasecmp(s, "alpha", 5) == 0)
                s += 5;
        s += strspn(s, TEXT_DIGITS);
        return n > 0 && (size_t) (s - begin) == segment_length(m, i);
}

/* Of a path that is too long there are no segments. */
static void read_path(const char *path, Missing *m) {
        size_t n = 0;

        *m = (Missing){};
        if (path[0] != '/' || strlen(path) > MISSING_PATH_MAX)
                return;
        for (const char *s = path; *s; s++) {
                if (*s == '/' && n > 0 && m->path[n - 1] == '/')
                        continue;
                m->path[n++] = *s;
        }
        while (n > 0 && strchr("/" TEXT_WHITESPACE, m->path[n - 1]))
                n--;
        m->path[n] = 0;
        for (size_t i = 0; i < n; i++) {
                if (m->path[i] != '/')
                        continue;
                if (m->n == SEGMENTS_MAX) {
                        m->n = 0;
                        return;
                }
                m->starts[m->n++] = i;
        }
        for (size_t i = 0; i < m->n; i++)
                m->is_openai = m->is_openai || segment_is(m, i, "openai");
        m->is_google = m->n > 0 && ((segment_is_version(m, 0) && !segment_is(m, 0, "v1")) ||
                                    strchr(m->path + m->starts[m->n - 1], ':'));
}

/* --- what a base URL may have --- */

/* Of other gateways, of Google's layer for OpenAI's clients, of Azure and of Vertex. */
static const struct {
        const char *name;
        bool named; /* the next segment is a name that the user has chosen */
} bases[] = {
        { "openai", false },    { "anthropic", false }, { "google", false },   { "gemini", false },
        { "genai", false },     { "claude", false },    { "api", false },      { "beta", false },
        { "proxy", false },     { "llm", false },       { "ai", false },       { "deployments", true },
        { "projects", true },   { "locations", true },  { "publishers", true }, { "engines", true },
};

/* {model}:{method}, as far as n characters */
static bool is_method_of_model(const char *rest, size_t n) {
        return memchr(rest, ':', n) && !memchr(rest, '/', n);
}

static bool is_path_of_route(const char *path, size_t n) {
        const Route *routes;
        size_t n_routes;

        routes = routes_all(&n_routes);
        for (size_t i = 0; i < n_routes; i++) {
                size_t m = strlen(routes[i].path);

                if (m > n || n <= 1 || strncmp(routes[i].path, path, m) != 0)
                        continue;
                if (m == n || (routes[i].path[m - 1] == '/' && is_method_of_model(path + m, n - m)))
                        return true;
        }
        return false;
}

/* The first k segments. */
static bool is_base(const Missing *m, size_t k) {
        size_t i = 0;

        if (k > 0 && is_path_of_route(m->path, m->starts[k]))
                return true;
        while (i < k) {
                size_t j = 0;

                if (segment_is_version(m, i)) {
                        i++;
                        continue;
                }
                while (j < ELEMENTSOF(bases) && !segment_is(m, i, bases[j].name))
                        j++;
                if (j == ELEMENTSOF(bases))
                        return false;
                i += bases[j].named ? 2 : 1;
        }
        return i == k;
}

static bool may_begin(const Missing *m, size_t k) {
        return is_base(m, k) || segment_is_version(m, k) || segment_is(m, k, "upload");
}

/* Paths of these protocols that have no route, and never will have, or that are no client's. */
static const char *why_missing(const char *path) {
        static const struct {
                const char *path, *why;
        } rows[] = {
                { "/v1", "It is a base URL: a client adds the rest of the path." },
                { "/v1beta", "It is a base URL: a client adds the rest of the path." },
                { "/v1beta/openai", "The base URL for OpenAI's clients ends in /v1 instead." },
                { "/v1/batches", "OpenAI's batches are not served: send each request by itself." },
                { "/v1/complete", "Anthropic's older completions are not served: use /v1/messages." },
                { "/v1/moderations", "There are no moderations here: Gemini has no such model. It judges "
                                     "the safety of each prompt and answer itself." },
                { "/v1/images/edits", "There is no editing of images at this path: send the image to "
                                      "/v1/chat/completions." },
                { "/v1/images/variations", "There are no variations of images: Gemini has no such method." },
                { "/api/chat", "Ollama's API is not served: use the client's setting for OpenAI's, with a "
                               "base URL that ends in /v1." },
                { "/api/generate", "Ollama's API is not served: use the client's setting for OpenAI's, with "
                                   "a base URL that ends in /v1." },
                { "/api/tags", "Ollama's API is not served: use the client's setting for OpenAI's, with a "
                               "base URL that ends in /v1." },
        };

        static const char batches[] = "/v1/messages/batches";
        const char *rest = startswith(path, batches);

        if (rest && (!*rest || *rest == '/'))
                return "Batches are not served: send each request to /v1/messages.";
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(path, rows[i].path))
                        return rows[i].why;
        return NULL;
}

/* --- the right path --- */

static const Route *find_route(const char *method, const char *path) {
        const char *const methods[] = { method, "POST", "GET", "PATCH", "DELETE" };
        char allow[ROUTE_ALLOW_MAX];
        const Route *route;
        const char *rest;

        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                route = route_find(methods[i], path, &rest, allow, sizeof(allow));
                if (route && !route_misses_model(route, method, rest))
                        return route;
        }
        return NULL;
}

/* The path that ends with the segments from k on, behind one of the versions; false: there is no such. */
static bool candidate(const Missing *m, size_t k, size_t version, char ret[static MISSING_PATH_MAX + 1]) {
        const char *const openai[] = { "", "/v1", "/v1beta" }, *const google[] = { "", "/v1beta", "/v1" };
        const char *const *versions = m->is_google && !m->is_openai ? google : openai;

        if (version >= ELEMENTSOF(openai))
                return false;
        return snprintf(ret, MISSING_PATH_MAX + 1, "%s%s", versions[version], m->path + m->starts[k]) <=
               (int) MISSING_PATH_MAX;
}

const Route *missing_find(const char *method, const char *path, char ret[static MISSING_PATH_MAX + 1]) {
        const Route *route;
        Missing m;

        ret[0] = 0;
        if (why_missing(path))
                return NULL;
        read_path(path, &m);
        for (size_t k = 0; k < m.n; k++) {
                bool base = is_base(&m, k);

                if (!base && !may_begin(&m, k))
                        continue;
                for (size_t v = 0; (base || v == 0) && candidate(&m, k, v, ret); v++) {
                        route = streq(ret, path) ? NULL : find_route(method, ret);
                        if (route)
                                return route;
                }
        }
        ret[0] = 0;
        return NULL;
}

/* Returns a static path, or NULL. */
static const char *find_typing_error(const char *path) {
        char typed[MISSING_PATH_MAX + 1];
        Near near = { typed, TYPING_ERRORS_MAX + 1, NULL };
        const Route *routes;
        size_t n_routes;
        Missing m;

        read_path(path, &m);
        routes = routes_all(&n_routes);
        for (size_t k = 0; k < m.n; k++)
                for (size_t v = 0; is_base(&m, k) && candidate(&m, k, v, typed); v++)
                        for (size_t i = 0; i < n_routes; i++) {
                                size_t n = strlen(routes[i].path);

                                if (n >= TYPED_PATH_MIN && routes[i].path[n - 1] != '/')
                                        (void) near_try(&near, routes[i].path);
                        }
        return near.name;
}

/* --- the error --- */

static bool is_version(const char *path, size_t n) {
        static const char *const versions[] = { "", "/v1", "/v1beta", "/v1alpha" };

        for (size_t i = 0; i < ELEMENTSOF(versions); i++)
                if (strlen(versions[i]) == n && memcmp(versions[i], path, n) == 0)
                        return true;
        return false;
}

/* What both paths have at their end is the client's part; what is before it is the base URL's. */
static void advise(const char *path, const char *right, char *ret, size_t size) {
        size_t n_path = strlen(path), n_right = strlen(right), common = 0, n = 0;

        while (n < n_path && n < n_right && path[n_path - n - 1] == right[n_right - n - 1])
                if (right[n_right - ++n] == '/')
                        common = n;
        n_path -= common;
        n_right -= common;
        ret[0] = 0;
        if (common == 0 || !is_version(right, n_right))
                return; /* the difference is in the client's part */
        if (n_path == 0)
                (void) snprintf(ret, size, ": add %.*s to the client's base URL", (int) n_right, right);
        else if (n_right > 0)
                (void) snprintf(ret, size, ": put %.*s in place of %.*s in the client's base URL",
                                (int) n_right, right, (int) n_path, path);
        else if (strspn(path, "/") >= n_path)
                (void) snprintf(ret, size, ": leave out the slash at the end of the client's base URL");
        else
                (void) snprintf(ret, size, ": leave %.*s out of the client's base URL", (int) n_path, path);
}

void missing_set_error(ApiError *e, const char *method, const char *path, const char *right) {
        char shown[MISSING_PATH_MAX + 1], advice[MISSING_PATH_MAX + 128] = "";
        size_t n = text_utf8_prefix(path, MISSING_PATH_MAX);
        const char *why = why_missing(path);

        memcpy(shown, path, n);
        shown[n] = 0;
        if (!why && !*right)
                right = strempty(find_typing_error(path));
        if (!why && *right)
                advise(path, right, advice, sizeof(advice));
        if (why || !*right)
                api_error_set(e, 404, NULL, "Invalid URL (%.16s %s%s). %s", method, shown,
                              path[n] ? "…" : "", why ?: "GET / lists the routes.");
        else
                api_error_set(e, 404, NULL, "Invalid URL (%.16s %s). The right path is %s%s.", method, shown,
                              right, advice);
        secret_scrub_suspects(e->message); /* a key may be where a name belongs */
}
