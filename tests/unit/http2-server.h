/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A server that speaks HTTP/2 over TLS, at a free port of 127.0.0.1, in the test's own loop. It answers
 * nothing by itself but what libnghttp2 answers: the test reads what has come, and sends what goes back.
 */

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "http-peer.h"
#include "tls-world.h"

#define SERVER_CONNS_MAX   64U
#define SERVER_STREAMS_MAX 256U

typedef struct Server Server;

typedef struct ServerConn {
        Server *server;
        int fd; /* -1: closed */
        LoopFd watch;
        SSL *ssl;
        nghttp2_session *session; /* NULL: TLS is not ready */
        Buf plain; /* frames that are not encrypted yet */
        Buf out;   /* records that are not sent yet */
        bool holds; /* frames are collected in `plain`: server_let_go() */
        bool deaf;  /* reads nothing */
        bool ended; /* the client has closed it, or reset it */
        bool left;  /* it has sent a GOAWAY before */
        unsigned n_pings;
} ServerConn;

typedef struct Stream {
        ServerConn *conn;
        int32_t id;
        Buf head; /* of the request, as `name: value` and a line feed each */
        Buf body;
        Buf out; /* of the answer's body: not framed yet */
        const char *trailers; /* `name: value`, one; NULL: none */
        bool whole;  /* the request */
        bool ends;   /* the answer, behind `out` */
        bool taken;  /* it was returned by server_request() or server_head() */
        bool closed; /* on both sides, or reset */
        uint32_t reset; /* the client's code; UINT32_MAX: it sent none */
} Stream;

struct Server {
        Loop *loop;
        int fd;
        unsigned port;
        LoopFd watch;
        SSL_CTX *ctx;
        Pair pair;
        ServerConn conns[SERVER_CONNS_MAX]; /* in the order in which they came */
        size_t n_conns;
        Stream streams[SERVER_STREAMS_MAX];
        size_t n_streams;
        uint32_t streams_max; /* SETTINGS of new connections; 0: the default */
        bool deaf;            /* new connections read nothing behind the handshake and their first request */
};

void server_open(Server *s, Loop *loop, const char *ca_file); /* writes its certificate there */
void server_close(Server *s);
void server_stop_listening(Server *s);

/* Whether one has come that was not returned before; NULL: none. */
Stream *server_find(Server *s, bool whole);

/* Waits for a whole request, or for the head of one. */
#define server_request(s, peer) server_wait((s), (peer), true)
#define server_head(s, peer)    server_wait((s), (peer), false)
Stream *server_wait(Server *s, Peer *peer, bool whole);
bool stream_has(const Stream *t, const char *line); /* a line of the request's head */

/* Answers. `lines`: `name: value`, a line feed behind each. A status below 200 is no answer yet. */
void stream_head(Stream *t, const char *status, const char *lines, bool ends);
void stream_data(Stream *t, const void *p, size_t n, bool ends);
void stream_say(Stream *t, const char *text, bool ends);
void stream_answer(Stream *t, const char *text); /* 200, and its end */
void stream_reset(Stream *t, uint32_t code);

void server_goaway(ServerConn *c, int32_t last, uint32_t code, const char *text);
void server_raw(ServerConn *c, const void *p, size_t n);
void server_hold(ServerConn *c);
size_t server_held(ServerConn *c); /* bytes */
void server_let_go(ServerConn *c, size_t n); /* so many of them, as a record; all: it goes on */
void server_deafen(ServerConn *c);            /* it reads nothing any more */
void server_listen_again(ServerConn *c);     /* it is not deaf any more */
void server_end(ServerConn *c);  /* with close_notify */
void server_drop(ServerConn *c); /* a reset */
