/* SPDX-License-Identifier: MIT */
#pragma once

/* The time of heads and bodies, what is kept of a body, and answers past libmicrohttpd. See http-body.c. */

#include "io/http-internal.h"

int http_dues_new(HttpServer *s);
void http_dues_free(HttpServer *s);
bool http_body_receive(HttpRequest *r, const char *p, size_t n); /* false: the connection must be cut */
void http_body_drop(HttpRequest *r);
void http_connection_opened(HttpConnection *c); /* its first head has a time */
void http_body_refuse(HttpRequest *r, HttpBodyFault fault); /* in its middle: answers and cuts */
void http_connection_sends(HttpConnection *c); /* bytes have arrived */
int http_connection_answer(HttpConnection *c, int status, const HttpHeader *headers, size_t n_headers,
                           const char *body, size_t n_body); /* past libmicrohttpd */
void http_connection_cut(HttpConnection *c);
void http_connection_refuse(HttpConnection *c, int status, const char *json); /* answers and cuts */
