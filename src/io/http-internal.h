/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by http-server.c (the server) and http-request.c (one request). */

#include <microhttpd.h>

#include "io/http-request.h"
#include "io/http-server.h"

typedef struct HttpListener HttpListener;
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

struct HttpListener {
        List link;
        HttpServer *server;
        struct MHD_Daemon *daemon;
        LoopFd watch; /* MHD's own epoll descriptor */
        LoopHook hook;
        struct sd_event_source *timer;
        bool armed, is_unix;
        List connections;
        unsigned n_connections;
        List hung; /* connections whose client hung up in this turn */
};

struct HttpConnection {
        List link;
        HttpListener *listener;
        struct MHD_Connection *mhd;
        List hung;
        int fd;
        LoopFd watch; /* EPOLLRDHUP */
        bool hup;
        bool has_sent;        /* it has sent a request since it was opened */
        bool begun;           /* the request line has arrived, but not yet all headers */
        HttpRequest *request; /* the one in progress, or NULL */
};

struct HttpRequest {
        HttpConnection *connection;
        void *userdata;
        const char *method, *path;
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

/* Resumes a suspended connection, at the end of this turn. */
void http_request_wake(HttpRequest *r);
