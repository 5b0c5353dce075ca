/* SPDX-License-Identifier: MIT */
#pragma once

/* The connection that UPSTREAM_WARM keeps open: see http-warm.c. */

#include "base/clock.h"
#include "io/forward.h"
#include "io/http-client.h"

typedef struct HttpWarm {
        struct HttpOrigin *origin; /* NULL: none is kept warm */
        usec_t connect_timeout;
        usec_t since; /* it has a connection; 0: it has none */
        usec_t wait;  /* before the last dial */
        Timer *timer; /* before the next one */
} HttpWarm;

struct HttpPool;
struct PoolConn;

void http_warm_start(struct HttpPool *p, const HttpClientParams *params);
void http_warm_stop(struct HttpPool *p);
void http_warm_look(struct HttpPool *p);           /* at the end of a turn */
bool http_warm_keeps(const struct PoolConn *conn); /* that has been idle for long */
