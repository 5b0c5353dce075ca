/* SPDX-License-Identifier: MIT */
#pragma once

/* Connections between two requests, which libmicrohttpd does not watch. See http-park.c. */

#include "io/http-internal.h"

int http_park_new(HttpServer *s); /* sets s->idle_due */

void http_park(HttpConnection *c);   /* a request has ended: parks its connection if that is right */
void http_unpark(HttpConnection *c); /* libmicrohttpd has it again; nothing, if it is not parked */
