/* SPDX-License-Identifier: MIT */
#pragma once

/* HTTP calls by gemgate's own connections, without a proxy. See http-pool.c. */

#include "io/http-client.h"

int http_pool_new(Loop *loop, HttpClient **ret);
