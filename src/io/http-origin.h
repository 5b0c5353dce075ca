/* SPDX-License-Identifier: MIT */
#pragma once

/* The connections to one server, through one proxy or none, and the calls over them: see http-origin.c. */

#include "io/http-pool-internal.h"

/* Or a new one; through the proxy, unless it is this machine; NULL: none. -EINVAL, -ENOMEM. */
int http_origin_find(HttpPool *p, const char *url, Proxy *proxy, HttpOrigin **ret);
HttpOrigin *http_origin_free(HttpOrigin *o); /* it has no calls */
DEFINE_CLEANUP(HttpOrigin *, http_origin_free);
bool http_origin_is_of(const HttpOrigin *o, const char *url);
bool http_origin_is_unused(const HttpOrigin *o);
void http_origin_drain(HttpOrigin *o);
int http_origin_dial(HttpOrigin *o, usec_t timeout);
void http_origin_start(PoolCall *c);      /* or it waits */
void http_origin_restart(PoolCall *c);    /* at the end of the turn, before others */
void http_origin_dispatch(HttpOrigin *o); /* those that wait */
void http_origin_dispatch_later(HttpOrigin *o); /* at the end of the turn */
void http_origin_unqueue(PoolCall *c);    /* it waits no more */
void http_origin_leave(PoolCall *c);      /* nor is it carried */
size_t http_origin_dials_wanted(const HttpOrigin *o); /* by the calls that wait, with those under way */
void http_origin_dial_one(HttpOrigin *o); /* for those that wait; or one of them ends */
