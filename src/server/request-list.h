/* SPDX-License-Identifier: MIT */
#pragma once

/* The requests under way, for GET /admin/requests, ListRequests and gemgatectl requests. */

#include "core/request-view.h"
#include "server/http.h"

/* Calls back for each request from its headers to its log line, the oldest first, REQUESTS_SHOWN_MAX at
 * most; returns the total number. `except`, the request that asks, is left out; or NULL. */
size_t request_list_each(const Http *h, const Request *except, RequestViewFn f, void *userdata);
