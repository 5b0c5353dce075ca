/* SPDX-License-Identifier: MIT */
#pragma once

/* HTTP calls by gemgate's own connections, through proxies, too. See http-pool.c. */

#include "io/http-client.h"

/* How calls are spread over HTTP/2 connections that have room for more; see HTTP_POOL_SPREAD. */
typedef struct HttpPoolSpread {
        size_t connections; /* that are made although others have room */
        size_t streams;     /* on each of them before */
} HttpPoolSpread;

int http_pool_new(Loop *loop, HttpClient **ret);
/* With other numbers than the daemon's: the benchmark measures what the numbers are chosen by. */
int http_pool_new_spread(Loop *loop, const HttpPoolSpread *spread, HttpClient **ret);
