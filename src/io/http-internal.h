/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the HTTP server share: http-server.c (all listeners), http-listener.c (one socket),
 * http-shard.c (one daemon of libmicrohttpd), http-receive.c (a request as it arrives), http-request.c (a
 * request as the floor above sees it, and its reply). */

#include <microhttpd.h>
#include <netinet/in.h>

#include "io/http-request.h"
#include "io/http-server.h"

typedef struct HttpShard HttpShard;
typedef struct HttpConnection HttpConnection;

struct HttpServer {
        Loop *loop;
        HttpServerParams params;
        HttpServerOps ops;
        void *userdata;
        List listeners;
        size_t n_requests;
        uint64_t inflight;
        uint64_t n_runs; /* of MHD_run(): tests compare it with the work done */
        bool quiesced;
        struct sd_event_source *grace; /* while quiesced: for connections that have sent no request yet */
        bool grace_over;
};

struct HttpConnection {
        List link;
        HttpServer *server;
        HttpShard *shard;
        struct MHD_Connection *mhd;
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
        } peer; /* sa_family is AF_UNSPEC for a unix socket */
        List hung;
        int fd;
        LoopFd watch; /* EPOLLRDHUP */
        bool hup;
        const char *target;   /* of the request line, with the query: as it was received, ... */
        size_t n_target;      /* ... and its length up to a NUL byte */
        bool blank_in_target;
        bool has_sent;        /* it has sent a request since it was opened */
        bool begun;           /* the request line has arrived, but not yet all headers */
        HttpRequest *request; /* the one in progress, or NULL */
};

struct HttpRequest {
        HttpConnection *connection;
        void *userdata;
        const char *method, *path;
        const char *fault; /* of the head: why it is refused */
        usec_t started, first_byte;

        Buf body;
        uint64_t body_max, accounted, swallowed;
        HttpBodyFault body_fault;

        struct MHD_Response *response; /* built, but not queued */
        int status;
        Buf out;
        uint64_t sent; /* bytes of the reply's body */
        bool headed, bodied, replied, queued, streaming, finished, clean, full;
        bool suspended, gone, failed; /* failed: there is no reply, and the connection is closed */
};

void http_server_settled(HttpServer *s); /* a connection was closed */

void http_request_gone(HttpRequest *r); /* its client has hung up */
void http_request_wake(HttpRequest *r); /* resumes a suspended connection, at the end of this turn */
