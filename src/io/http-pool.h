/* SPDX-License-Identifier: MIT */
#pragma once

/* HTTP calls by gemgate's own connections, through proxies, too. See http-pool.c. */

#include "io/dial.h"
#include "io/http-client.h"

/* Why there is no connection. */
#define HTTP_POOL_NO_DESCRIPTOR \
        "No descriptor was free for a connection: the limit of open files (LimitNOFILE=) must be raised"

/* How calls are spread over HTTP/2 connections that have room for more; see HTTP_POOL_SPREAD. */
typedef struct HttpPoolSpread {
        size_t connections; /* that are made although others have room */
        size_t streams;     /* on each of them before */
} HttpPoolSpread;

int http_pool_new(Loop *loop, HttpClient **ret);
/* With other numbers than the daemon's: the benchmark measures what the numbers are chosen by. */
int http_pool_new_spread(Loop *loop, const HttpPoolSpread *spread, HttpClient **ret);

/* A separate connection to the server of `url`, with HTTP/1.1, for what is not an HTTP call; the client must
 * be one of this kind (http_client_new). -EINVAL: the URL. -EMFILE: not now, see io/descriptors.h.
 * *ret_proxy: that it goes through, which is not to loopback, with a reference; NULL: none. */
int http_pool_dial(HttpClient *client, const char *url, Proxy *proxy, usec_t timeout, DialFn f,
                   void *userdata, Dial **ret, Proxy **ret_proxy);
