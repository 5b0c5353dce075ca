/* SPDX-License-Identifier: MIT */
#pragma once

/* What is under way, for those who look: GET /admin/requests, ListRequests, gemgatectl requests. */

#include "core/request-view.h"
#include "server/http.h"

/* Calls back for each request from its headers to its log line, the oldest first, REQUESTS_SHOWN_MAX at
 * most; returns how many there are in all. `except` is left out (the request that asks), or NULL. */
size_t request_list_each(const Http *h, const Request *except, RequestViewFn f, void *userdata);
