/* SPDX-License-Identifier: MIT */
#pragma once

/* The management routes; shapes in docs/HTTP.md. */

#include "server/http.h"

void manage_root(Request *q);            /* GET / */
void manage_health(Request *q);          /* GET /health */
void manage_stats(Request *q);           /* GET /stats */
void manage_reset(Request *q);           /* POST /reset-api-key-health */
void manage_recommendations(Request *q); /* GET /api-key-recommendations */
void manage_explain(Request *q);         /* GET /explain */
void manage_requests(Request *q);        /* GET /admin/requests */
void manage_ip_config(Request *q);       /* GET /ip-config */
void manage_test_ip(Request *q);         /* POST /test-ip */
