/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection that speaks HTTP/2: it carries many works at a time, each in its own stream. See http2.c for
 * how it reads and writes, and http2-session.c for what the frames mean to a work.
 *
 * No function calls back before the end of the turn, except http_work_sent() and what a body is read with.
 * The connection may not be freed within a callback about a work.
 */

#include "base/clock.h"
#include "io/http-work.h"
#include "io/transport.h"

typedef struct Http2 Http2;

typedef struct Http2Ops {
        /* At the end of a turn: it takes works again after it took none, or its last work has ended. */
        void (*room)(Http2 *c, void *userdata);
        /* It can carry nothing any more, and every work has ended. The owner frees it, in here or later. */
        void (*closed)(Http2 *c, void *userdata);
} Http2Ops;

/* `t` is taken, also by a failure. The server must speak HTTP/2: by ALPN, or because that is known. */
int http2_new(Loop *loop, Transport *t, const Http2Ops *ops, void *userdata, Http2 **ret);
Http2 *http2_free(Http2 *c); /* its works must have ended, or be cancelled */
DEFINE_CLEANUP(Http2 *, http2_free);

size_t http2_room(const Http2 *c); /* works it takes now; 0 while it drains */
bool http2_is_new(const Http2 *c); /* the server's SETTINGS, with its number of streams, have not come */
size_t http2_n_works(const Http2 *c);
usec_t http2_read_at(const Http2 *c); /* CLOCK_MONOTONIC: the server's last bytes, or the begin */
/* Sends a PING: the connection has no room until something has come; then room() is called. */
void http2_ask(Http2 *c);

/* -EAGAIN: it has no room; -EINVAL: a line of the head is invalid; -E2BIG: the head is too large; -ENOMEM.
 * After an error the work is as before. */
int http2_start(Http2 *c, HttpWork *w);
void http2_cancel(Http2 *c, HttpWork *w);   /* http_work_end() is not called */
void http2_continue(Http2 *c, HttpWork *w); /* not paused any more, or more of its body */

/* It takes no more works; closed() comes after its last one. */
void http2_drain(Http2 *c);
