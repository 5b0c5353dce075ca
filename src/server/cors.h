/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * CORS (CORS_ORIGINS): what a browser needs before it lets a page of another origin send requests and read
 * the answers. The token still decides about access; the headers here only allow the browser to pass an
 * answer on to the page. Cookies play no part, so Access-Control-Allow-Credentials is never sent.
 *
 * The paths of the management are never for pages: an admin token does not belong into a page, and no client
 * in a browser asks for them. Nor is the listener for jobs of the Gemini CLI.
 */

#include "io/http-request.h"
#include "server/forward.h"

#define CORS_REPLY_HEADERS_MAX 3U

/* The headers of each answer. Returns how many there are. */
size_t cors_headers(const Request *q, HttpHeader ret[static CORS_REPLY_HEADERS_MAX]);

/* The route that answers an OPTIONS request without a token, if it is a browser's preflight for a path that
 * is for pages, and from an origin that is allowed. NULL: the request is one like any other. `allow` has the
 * methods of the path ("": it has no route), and is empty afterwards if it is a preflight. */
const Route *cors_preflight_route(const Request *q, char *allow);
