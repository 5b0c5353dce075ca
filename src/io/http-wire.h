/* SPDX-License-Identifier: MIT */
#pragma once

/* The bytes of the connections as they are received, and what is wrong with them. See http-wire.c. */

#include "io/http-shard.h"

void http_wire_run(HttpShard *d); /* MHD_run(), with its bytes checked */

int http_wire_add(HttpConnection *c); /* its bytes are checked from now on */
void http_wire_remove(HttpConnection *c);

/* The head of a request is complete for libmicrohttpd: sets r->fault if it is wrong, or else follows the
 * request's body. */
void http_wire_head(HttpRequest *r);

/* A request has ended, and so has its connection if what follows is not a head. */
void http_wire_end(HttpConnection *c);
