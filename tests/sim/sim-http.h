/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The HTTP/1.1 server: accepts, reads one request at a time from each connection (what a client pipelines
 * waits in the kernel or the buffer), hands it up, and sends what the handler appended to conn_out().
 *
 * An exchange begins with request() and ends with ended(), exactly once. Between the two the handler appends
 * to conn_out() and calls one of conn_finish(), conn_cut(), conn_reset(). Code that appends outside of
 * request() and more() (a timer) calls conn_pump() afterwards.
 */

#include "base/buf.h"
#include "sim-loop.h"
#include "sim-request.h"

typedef struct HttpServer HttpServer;
typedef struct HttpHandler HttpHandler;
typedef struct HttpCounts HttpCounts;
typedef struct Conn Conn;

#define CONN_OUT_MARK                                                                                       \
        (256U << 10) /* a handler that has more to give stops here and is asked again by more() */

struct HttpHandler {
        /* Whether the body of this request is passed on by piece(), instead of being held. */
        bool (*passes)(void *userdata, const Request *q);
        void (*piece)(void *userdata, Conn *c, Request *q, const char *p, size_t n);
        void (*request)(void *userdata, Conn *c, const Request *q);
        void (*bytes)(void *userdata, Conn *c, Buf *in); /* after conn_upgrade(): what the client sends */
        void (*more)(void *userdata, Conn *c); /* the kernel has everything, and the exchange goes on */
        void (*ended)(void *userdata, Conn *c, bool hung_up);
        void (*closed)(void *userdata, Conn *c); /* the last chance to free conn_data() */
};

struct HttpCounts {
        uint64_t accepted;
        uint64_t connections; /* open now */
        uint64_t malformed;   /* what was no request */
};

/* listen: ADDRESS:PORT, a loopback address only (-EACCES); -EINVAL if it is none. */
int http_server_new(Loop *l, const char *listen, const HttpHandler *handler, void *userdata,
                    HttpServer **ret);
HttpServer *http_server_free(HttpServer *s);
DEFINE_CLEANUP(HttpServer *, http_server_free);

unsigned http_server_port(const HttpServer *s);
const HttpCounts *http_server_counts(const HttpServer *s);

Buf *conn_out(Conn *c);
void **conn_data(Conn *c);         /* the handler's own */
uint64_t conn_sent(const Conn *c); /* bytes of this exchange that the kernel took */

void conn_pump(Conn *c);
void conn_upgrade(Conn *c); /* from now on the exchange goes both ways, until it is finished or cut */
void conn_hold(Conn *c);    /* of such a one: nothing more is read */
void conn_finish(Conn *c, bool keep_alive); /* the answer is complete */
void conn_cut(Conn *c);                     /* sends what is there, then FIN */
void conn_reset(Conn *c);                   /* sends what is there, then RST */

/* The next n bytes leave in pieces of `size`, one each `pace`. */
void conn_drip(Conn *c, size_t size, usec_t pace, uint64_t n);
