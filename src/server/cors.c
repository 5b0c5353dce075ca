/* SPDX-License-Identifier: MIT */

/*
 * A preflight asks whether a request may be sent: OPTIONS with Origin and Access-Control-Request-Method, and
 * without a token, because browsers send none. It is answered only for an address that may connect, so
 * strangers do not learn from it which paths exist.
 */

#include <errno.h>

#include "base/text.h"
#include "server/cors.h"
#include "server/http.h"
#include "server/reply.h"
#include "server/routes.h"

/* Chromium's maximum, in seconds; other browsers take a day. */
#define PREFLIGHT_AGE "7200"

/* The headers of answers that clients read, besides those that browsers always show. */
#define EXPOSED                                                                                             \
        "x-request-id, request-id, X-Process-Time, Retry-After, x-should-retry, WWW-Authenticate, Allow, "  \
        "x-gemgate-model, x-gemgate-key, x-gemgate-attempts, x-gemgate-verdicts, X-Goog-Upload-URL, "       \
        "X-Goog-Upload-Status, X-Goog-Upload-Size-Received, X-Goog-Upload-Chunk-Granularity"

static bool is_for_pages(const Request *q) {
        return !origin_set_is_empty(&q->config->cors_origins) && !q->inner &&
               !(q->path && route_path_is_admin(q->path));
}

/* The value of Access-Control-Allow-Origin; NULL: there is none. */
static const char *allowed_origin(const Request *q) {
        const char *origin = http_request_header(q->io, "Origin");

        return origin ? origin_set_match(&q->config->cors_origins, origin) : NULL;
}

size_t cors_headers(const Request *q, HttpHeader ret[static CORS_REPLY_HEADERS_MAX]) {
        const char *origin;

        if (!is_for_pages(q))
                return 0;
        ret[0] = (HttpHeader){ "Vary", "Origin" }; /* for caches: also without an origin */
        origin = allowed_origin(q);
        if (!origin)
                return 1;
        ret[1] = (HttpHeader){ "Access-Control-Allow-Origin", origin };
        ret[2] = (HttpHeader){ "Access-Control-Expose-Headers", EXPOSED };
        return CORS_REPLY_HEADERS_MAX;
}

static int preflight(Request *q, ApiError *ret_error) {
        _cleanup_buf_ Buf names = BUF_INIT(CORS_HEADER_NAMES_MAX), body = BUF_INIT(1);
        const char *network = http_request_header(q->io, "Access-Control-Request-Private-Network");
        char methods[64];
        HttpHeader headers[4] = { { "Access-Control-Allow-Methods", methods },
                                  { "Access-Control-Max-Age", PREFLIGHT_AGE } };
        const char *rest;
        size_t n = 2;
        int r;

        (void) route_find("OPTIONS", q->path, &rest, methods, sizeof(methods));
        r = http_request_header_joined(q->io, "Access-Control-Request-Headers", &names);
        if ((r < 0 && r != -ENODATA) ||
            (names.n > 0 && !header_names_are_valid(strempty(buf_cstr(&names))))) {
                api_error_set(ret_error, 400, NULL,
                              "Access-Control-Request-Headers must be a list of names, %u bytes at most.",
                              CORS_HEADER_NAMES_MAX);
                return HANDLER_E_REFUSED;
        }
        if (names.n > 0)
                headers[n++] = (HttpHeader){ "Access-Control-Allow-Headers", buf_cstr(&names) };
        if (network && streq(network, "true")) /* from a public page to gemgate in a private network */
                headers[n++] = (HttpHeader){ "Access-Control-Allow-Private-Network", "true" };
        request_reply_with(q, 204, NULL, headers, n, &body);
        return 0;
}

const Route *cors_preflight_route(const Request *q, char *allow) {
        static const Route route = {
                "OPTIONS", "(preflight)", TOKEN_NONE, NULL, &error_shape_plain, preflight,
                "a browser's question", .flags = ROUTE_SHARED | ROUTE_NOT_OPEN,
        };

        if (!allow[0] || !streq(http_request_method(q->io), "OPTIONS") || !is_for_pages(q) ||
            !allowed_origin(q) || !http_request_header(q->io, "Access-Control-Request-Method"))
                return NULL;
        allow[0] = 0;
        return &route;
}
