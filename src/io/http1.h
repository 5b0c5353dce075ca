/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection that speaks HTTP/1.1: one work at a time, one after the other. See http1.c.
 *
 * None of these functions calls one of the ops or ends a work: that happens later, from the loop.
 * http_work_sent() alone may be called from within http1_start().
 */

#include "io/http-work.h"
#include "io/transport.h"

typedef struct Http1 Http1;

typedef struct Http1Ops {
        /* The work has ended, and the connection can carry another; it may be started, or freed, in here. */
        void (*idle)(Http1 *c, void *userdata);
        void (*closed)(Http1 *c, void *userdata); /* it is useless; the owner frees it, in here or later */
} Http1Ops;

/* `t` is taken, also by a failure. `ops` are static. It begins idle. */
int http1_new(Loop *loop, Transport *t, const Http1Ops *ops, void *userdata, Http1 **ret);
Http1 *http1_free(Http1 *c); /* forgets its work; not from within a function of the work */
DEFINE_CLEANUP(Http1 *, http1_free);

void http1_start(Http1 *c, HttpWork *w); /* of an idle one */
void http1_continue(Http1 *c);           /* the work is not paused any more, or has more of its body */
void http1_cancel(Http1 *c); /* as http1_free(), but it remains, closed; closed() is not called */
