/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the pool share: http-pool.c, and http-origin.c, -conn.c, -lack.c, -warm.c, -work.c. */

#include "base/buf.h"
#include "base/limits-http-client.h"
#include "io/descriptors.h"
#include "io/dial.h"
#include "io/http-pool.h"
#include "io/http-warm.h"
#include "io/http-work.h"
#include "io/http1.h"
#include "io/http2.h"
#include "io/timeout.h"

typedef struct HttpOrigin HttpOrigin;

typedef struct HttpPool {
        HttpClient client;
        Loop *loop;
        Dialer *dialer;
        HttpPoolSpread spread;
        LoopHook hook;
        TimeoutQueue *idle, *asked; /* of connections */
        TimeoutQueue *lack; /* of origins that lack a descriptor */
        List lacking;       /* these, in the order of their turns: HttpOrigin.lacking */
        DescriptorsWait descriptor;
        DescriptorsKeeper keeper;
        List origins;
        List due;       /* origins to dispatch then: HttpOrigin.due */
        void *by_name;  /* a tsearch() tree of all origins: thousands of keys may each have a proxy */
        HttpOrigin *last; /* that was found; NULL: none */
        List resumed; /* calls that go on at the end of the turn: PoolCall.resumed */
        List ended;   /* calls whose done() comes then: PoolCall.queue */
        List closed;  /* connections that are freed then: PoolConn.link */
        size_t n_calls;
        bool has_ca_file;
        HttpWarm warm;
} HttpPool;

typedef enum OriginVersion { ORIGIN_UNKNOWN, ORIGIN_HTTP1, ORIGIN_HTTP2 } OriginVersion;

/* A server (scheme, host and port) behind one proxy, or none. */
struct HttpOrigin {
        HttpPool *pool;
        List link, due;
        List waiting; /* calls without a connection, the oldest first: PoolCall.queue */
        List dials;   /* PoolDial.link */
        List idle, busy; /* HTTP/1.1: PoolConn.link; idle: the newest first */
        List shared;     /* HTTP/2 */
        size_t n_calls, n_waiting, n_dials, n_idle, n_asked;
        OriginVersion version; /* that the last new connection speaks */
        usec_t no_spread_until; /* a connection that no call waits for has just failed */
        List lacking; /* a descriptor for calls that wait */
        Timeout lack;
        bool tls;
        uint16_t port;
        size_t n_url;    /* bytes of scheme and authority */
        char *url;       /* `https://host:port` */
        const char *scheme, *authority; /* the latter is the end of `url` */
        char *host;
        Proxy *proxy; /* NULL: none */
};

typedef struct PoolConn {
        HttpOrigin *origin;
        List link;
        Http1 *http1; /* or */
        Http2 *http2;
        Timeout idle; /* for too long, or it does not answer what it was asked */
        int fd;
        DialTimes times;
        bool was_used; /* by a call */
        bool is_idle;  /* HTTP/1.1: among those of the origin */
        bool asked;    /* HTTP/2: whether the server is there; calls wait for the answer */
        bool drains;   /* takes no more calls */
        bool closed;   /* to be freed */
} PoolConn;

typedef struct PoolCall {
        HttpWork work;
        HttpOrigin *origin;
        PoolConn *conn; /* that carries it */
        List queue, resumed;
        Buf held;       /* of the answer, while it is paused */
        size_t n_left;  /* of a body that is not held; SIZE_MAX: not known */
        usec_t waits_since, sent, head;
        DialTimes times;
        usec_t retry_after;
        char *cause;    /* of an end that is not complete */
        HttpOutcome outcome;
        unsigned n_again; /* how often it was sent once more */
        bool was_read;  /* some of the body was taken: it cannot be sent once more */
        bool fresh;     /* takes no connection that was idle */
        bool reused, has_ended, in_callback;
        char target[];
} PoolCall;

void http_pool_wake(HttpPool *p); /* there is something to do at the end of the turn */

/* --- http-conn.c --- */
int http_conn_new(HttpOrigin *o, Transport *t, const DialTimes *times, PoolConn **ret); /* takes t */
PoolConn *http_conn_free(PoolConn *conn);
void http_conn_keep(PoolConn *conn); /* HTTP/1.1: it is idle */
void http_conn_use_http1(PoolConn *conn, PoolCall *c);
bool http_conn_use_http2(PoolConn *conn, PoolCall *c); /* true: the call is carried, or has ended */
void http_conn_drain(PoolConn *conn); /* takes no more calls */
void http_conn_close(PoolConn *conn); /* at once; it is freed at the end of the turn */
void http_conn_on_idle(Timeout *t);   /* for too long */
bool http_conn_ask(PoolConn *conn);   /* HTTP/2: false: there is no need to */
void http_conn_on_asked(Timeout *t);  /* and nothing came */

/* --- http-work.c --- */
void http_call_end(PoolCall *c, HttpOutcome outcome, const char *cause); /* no connection has it */
void http_call_resume(PoolCall *c); /* at the end of a turn */
