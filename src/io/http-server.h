/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * libmicrohttpd in our loop: one HttpServer with a listener for each socket. What it makes of a connection
 * is a HttpRequest (io/http-request.h), which it hands to the floor above through HttpServerOps. See
 * io/http-server.c for the traps.
 */

#include "io/loop.h"

typedef struct HttpServer HttpServer;
typedef struct HttpRequest HttpRequest;

typedef struct HttpServerOps {
        /* The headers are there, the body is not: reply now, or say how large a body is taken
         * (http_request_take_body) and wait for body(). */
        void (*head)(HttpRequest *r, void *userdata);
        /* The whole body is there: reply now, or later. */
        void (*body)(HttpRequest *r, void *userdata);
        /* The client hung up before it had its reply: cancel what is under way. end() follows. */
        void (*gone)(HttpRequest *r, void *userdata);
        /* A stream's buffer sank below its low mark after it had been above the high one. */
        void (*drained)(HttpRequest *r, void *userdata);
        /* The last call: the reply went out whole (or not), the request is about to be freed. */
        void (*end)(HttpRequest *r, bool complete, void *userdata);
        /* While quiesced: a connection closed, or was given up. Is all quiet now? */
        void (*settled)(void *userdata);
} HttpServerOps;

typedef struct HttpServerParams {
        unsigned max_connections;  /* a listener */
        uint64_t max_inflight;     /* bytes of all bodies being read or held */
} HttpServerParams;

int http_server_new(Loop *loop, const HttpServerParams *p, const HttpServerOps *ops, void *userdata,
                    HttpServer **ret);

/* Takes the socket; it is closed when the server goes. */
int http_server_listen(HttpServer *s, int fd);

void http_server_set_max_inflight(HttpServer *s, uint64_t max); /* what is held beyond it stays */

/* No new connections; what is open goes on, and every reply from now on closes its connection. */
void http_server_quiesce(HttpServer *s);

size_t http_server_n_requests(const HttpServer *s);

/* While quiesced: nobody waits for an answer. Not quiet are requests under way, and for a short while
 * connections from which a request may be on its way: whoever was let in is not turned away. */
bool http_server_is_quiet(HttpServer *s);

/* Cuts what is still open (gone() and end() are heard for each) and frees. */
HttpServer *http_server_free(HttpServer *s);
DEFINE_CLEANUP(HttpServer *, http_server_free);
