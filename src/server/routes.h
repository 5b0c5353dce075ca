/* SPDX-License-Identifier: MIT */
#pragma once

/* The routes as a table: method, path, right, dialect, handler, and special properties. */

#include "dialect/gemini/path.h"
#include "server/request.h"

typedef enum RouteFlags {
        ROUTE_OF_JOBS = 1 << 0,      /* the only ones open to a job of the Gemini CLI */
        ROUTE_UPLOAD_TOKEN = 1 << 1, /* an upload: the id in the query is accepted as a token */
        ROUTE_SMALL_BODY = 1 << 2,   /* at most HTTP_SMALL_BODY_MAX, because it is read in the loop */
        ROUTE_SHARED = 1 << 3,       /* several protocols have this path: the client's decides the form */
        ROUTE_NOT_OPEN = 1 << 4,     /* without a token, but the address must be allowed */
        ROUTE_GREETS = 1 << 5,       /* answers without a token, too, with less in it */
        ROUTE_OF_MODELS = 1 << 6,    /* {model}, {model}:{method}, if that is a method of an exchange */
} RouteFlags;

struct Route {
        const char *method; /* GET also serves HEAD */
        const char *path;   /* ending in `/`: a prefix, whose rest is Request.rest */
        TokenRight right;   /* TOKEN_NONE: open, also to addresses that ALLOWED_IPS does not list */
        const Dialect *dialect; /* NULL: nothing is translated */
        const ErrorShape *errors;
        int (*handler)(Request *q, ApiError *ret_error); /* see request.h */
        const char *what;   /* for GET / */
        const GeminiPath *google; /* the row of Google's table; NULL: it is not of that table */
        RouteFlags flags;
};

#define ROUTE_ALLOW_MAX 64U

/* The route; or NULL, with the methods that the path has (`GET, POST`) for a 405, or "" for a 404. */
const Route *route_find(const char *method, const char *path, const char **ret_rest, char *ret_allow,
                        size_t n_allow);

/* Whether the route is one of …/models/, and the rest of the path is not what a request with this method has
 * there: the name of a model, for a POST with a method of Gemini's. */
bool route_misses_model(const Route *r, const char *method, const char *rest);

/* The same, and another path may be meant, behind a base URL that ends in …/models. A client that only looks
 * at a model may have slashes in its name. */
bool route_may_be_behind(const Route *r, const char *method, const char *rest);

/* Whether the path belongs to the management. */
bool route_path_is_admin(const char *path);

/* The 405, with the methods that the path has. */
void route_set_not_allowed(ApiError *e, const char *method, const char *allow);

/* A body that comes with any other route is not kept. */
bool route_takes_body(const Route *r);

/* The protocol of a path, even if it has no route: its dialect (NULL: none) and the form of its errors.
 * Several protocols share the paths under /v1. There the protocol is that of the client: anthropic-version
 * is a sign of Anthropic's, else x-goog-api-client, x-goog-api-key or `?key=` of Google's; all others are
 * OpenAI's. */
void route_find_protocol(HttpRequest *r, const char *path, const Dialect **ret_dialect,
                         const ErrorShape **ret_errors);

const Route *routes_all(size_t *ret_n);
