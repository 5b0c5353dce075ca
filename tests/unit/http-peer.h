/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The other end of a client's connections: a server at a free port of 127.0.0.1, in the test's own loop. It
 * answers nothing by itself: the test reads what has come, and sends what goes back.
 */

#include "base/buf.h"
#include "io/loop.h"

#define PEER_CONNS_MAX 64U
#define PEER_CONNECT_MAX 512U

typedef struct Peer Peer;

typedef struct PeerConn {
        Peer *peer;
        int fd; /* -1: closed */
        LoopFd watch;
        Buf in, out;
        bool deaf;  /* reads nothing */
        bool ended; /* the client has closed it, or reset it */
        bool taken; /* what is in `in` was returned by peer_request() */
        char connect[PEER_CONNECT_MAX]; /* of a proxy: the head of the CONNECT; "": not yet */
} PeerConn;

struct Peer {
        Loop *loop;
        int fd;
        unsigned port;
        LoopFd watch;
        PeerConn conns[PEER_CONNS_MAX]; /* in the order in which they came */
        size_t n_conns;
        bool deaf; /* new connections read nothing, but a CONNECT */
        const char *proxy_answer; /* to a CONNECT: this is the proxy and the server in one; NULL: no proxy */
};

void peer_open(Peer *p, Loop *loop);
void peer_close(Peer *p);
void peer_stop_listening(Peer *p);

/* Turns of the loop until the condition holds; the test fails after 20 s. */
#define peer_until(p, condition)                                                                         \
        do {                                                                                             \
                usec_t _until = clock_monotonic() + 20 * USEC_PER_SEC;                                   \
                while (!(condition)) {                                                                   \
                        if (clock_monotonic() > _until)                                                  \
                                fail_msg("%s:%d: never: %s", __FILE__, __LINE__, #condition);            \
                        peer_turn((p), 100 * USEC_PER_MSEC);                                             \
                }                                                                                        \
        } while (0)

void peer_turn(Peer *p, usec_t longest);
void peer_settle(Peer *p); /* turns until nothing is ready */

/* Waits until a whole request, head and body, has come by any connection, and was not returned before; its
 * bytes are in `in`. */
PeerConn *peer_request(Peer *p);
void peer_forget(PeerConn *c); /* what came: the next request begins */
bool peer_is_quiet(Peer *p); /* no further request has come */

/* The body of the request in `in`, its chunks joined. */
void peer_body(const PeerConn *c, Buf *ret);

void peer_say(PeerConn *c, const char *text);
void peer_write(PeerConn *c, const void *data, size_t n);
void peer_end(PeerConn *c);   /* after all that is on its way */
void peer_reset(PeerConn *c); /* at once */
