/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * libmicrohttpd in our loop: one HttpServer with a listener for each socket. For each request on a
 * connection it makes an HttpRequest (io/http-request.h), which it passes to the floor above through
 * HttpServerOps. See io/http-server.c for the traps.
 */

#include "io/forward.h"
#include "io/loop.h"

struct sockaddr;

typedef enum HttpFull {
        HTTP_FULL_CONNECTIONS, /* max_connections */
        HTTP_FULL_GUESTS,      /* of clients that are not welcome */
        HTTP_FULL_DESCRIPTORS, /* the limit of open files leaves no room: io/descriptors.h */
} HttpFull;

typedef struct HttpServerOps {
        /* The headers are complete, the body is not: reply now, or set the maximum of the body
         * (http_request_take_body) and wait for body(). */
        void (*head)(HttpRequest *r, void *userdata);
        /* The body is complete: reply now, or later. Or it has a fault (http_request_body_fault): reply
         * now. */
        void (*body)(HttpRequest *r, void *userdata);
        /* The client hung up before it had its reply: cancel the request's work. end() follows. */
        void (*gone)(HttpRequest *r, void *userdata);
        /* A stream's buffer sank below its low mark after it had been above the high one. */
        void (*drained)(HttpRequest *r, void *userdata);
        /* The last call: whether the whole reply was sent. The request is about to be freed. */
        void (*end)(HttpRequest *r, bool complete, void *userdata);
        /* libmicrohttpd itself refused something that is not a request, with this status. Or NULL. */
        void (*refused)(int status, void *userdata);
        /* Whether a client of this address may have more than one request without a body; NULL: all may. */
        bool (*welcomes)(const struct sockaddr *peer, void *userdata);
        /* A limit of connections was reached, perhaps again. NULL: it is not of interest. */
        void (*full)(unsigned n, HttpFull what, void *userdata);
        /* While quiesced: a connection was closed, or given up. http_server_is_quiet() may be true now. */
        void (*settled)(void *userdata);
        /* Of a body that is passed on (http_request_pass_body): more of it has come, or its end. */
        void (*piece)(HttpRequest *r, void *userdata);
} HttpServerOps;

typedef struct HttpServerParams {
        unsigned max_connections;  /* of all listeners together */
        bool inner; /* its clients work for those of another server, and need what is kept for upstream */
        uint64_t max_inflight;     /* bytes of all bodies being read or held; see io/http-room.h */
        usec_t head_timeout;       /* for a whole head */
        usec_t guest_timeout;      /* for the whole request of a client that is not welcome */
        usec_t body_window;        /* in which HTTP_BODY_WINDOW_MIN bytes of a body must arrive */
        const char *head_too_large; /* the body of the 431 for a head that libmicrohttpd does not answer */
        const char *head_malformed; /* the body of the 400 for one that libmicrohttpd cannot read */
        const char *head_late;     /* the body of the 408 for a late head: JSON; static */
} HttpServerParams;

int http_server_new(Loop *loop, const HttpServerParams *p, const HttpServerOps *ops, void *userdata,
                    HttpServer **ret);

/* Takes the socket and closes it when the server is freed. */
int http_server_listen(HttpServer *s, int fd);

void http_server_set_max_inflight(HttpServer *s, uint64_t max); /* bodies held already stay */

/* Accepts no new connections; open requests continue, and every reply from now on closes its connection. */
void http_server_quiesce(HttpServer *s);

size_t http_server_n_requests(const HttpServer *s);

/* While quiesced: true if no client waits for an answer. It is false while there are requests of known
 * clients (http_request_admit) and, for a short while, connections on which one may be arriving. */
bool http_server_is_quiet(HttpServer *s);

/* Cuts open connections (gone() and end() are called for each) and frees. */
HttpServer *http_server_free(HttpServer *s);
DEFINE_CLEANUP(HttpServer *, http_server_free);
