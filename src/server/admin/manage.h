/* SPDX-License-Identifier: MIT */
#pragma once

/* The management routes; shapes in docs/HTTP.md. */

#include "server/request.h"

int manage_root(Request *q, ApiError *ret_error);            /* GET / */
int manage_health(Request *q, ApiError *ret_error);          /* GET /health */
int manage_stats(Request *q, ApiError *ret_error);           /* GET /stats */
int manage_reset(Request *q, ApiError *ret_error);           /* POST /reset-api-key-health */
int manage_recommendations(Request *q, ApiError *ret_error); /* GET /api-key-recommendations */
int manage_explain(Request *q, ApiError *ret_error);         /* GET /explain */
int manage_requests(Request *q, ApiError *ret_error);        /* GET /admin/requests */
int manage_ip_config(Request *q, ApiError *ret_error);       /* GET /ip-config */
int manage_test_ip(Request *q, ApiError *ret_error);         /* POST /test-ip */
