/* SPDX-License-Identifier: MIT */
#pragma once

/* What websocket.c (the connection) and websocket-frames.c (libwslay) share. */

#include <wslay/wslay.h>

#include "base/buf.h"
#include "io/transport.h"
#include "io/websocket.h"

#define WEBSOCKET_CAUSE_MAX 128U
#define WEBSOCKET_HEAD_MAX  (2U + 4U + 125U) /* of a frame, and a whole control frame */

/* Of a message in `ready`. */
typedef struct MessageHead {
        uint32_t n; /* without this head */
        uint32_t kind;
} MessageHead;

struct Websocket {
        Loop *loop;
        Transport *transport;
        const WebsocketOps *ops; /* NULL: not started */
        void *userdata;
        wslay_event_context_ptr frames;
        LoopFd fd;
        LoopHook hook;
        LoopSlice slice;
        Timer *timer;
        WebsocketTimes times;
        usec_t heard_at, wrote_at; /* the latest bytes; wrote_at: or since when something is queued */
        usec_t due;                /* of the end, or of what comes after a failed write; 0: there is none */
        const char *in; /* what libwslay reads next */
        size_t n_in;
        uint8_t head[WEBSOCKET_HEAD_MAX]; /* the beginning of a frame that libwslay does not have yet */
        size_t n_head;
        uint64_t n_left; /* bytes of the frame before, which it does not have either */
        Buf rest;       /* what came behind the head of HTTP */
        Buf ready;
        size_t n_open;  /* bytes at the end of `ready`, of a message that is not complete; 0: none */
        Buf out;        /* frames */
        size_t n_pongs; /* that may be queued */
        WebsocketOrigin origin;
        unsigned code;
        size_t n_reason;
        char reason[WEBSOCKET_REASON_MAX + 1];
        char cause[WEBSOCKET_CAUSE_MAX];
        uint8_t opcode; /* of the frame that is arriving */
        size_t max;     /* of a message */
        bool is_client; /* our role */
        bool may_read, may_write;
        bool hung_up;   /* the peer has closed its side, or reset the connection */
        bool paused, is_full;
        bool pinged;
        bool read_ended;   /* nothing more can be read */
        bool write_failed;
        bool is_late;      /* `due` has passed */
        bool is_over;      /* closed() was called */
};

/* Unless another end has begun. */
void websocket_begin_end(Websocket *w, WebsocketOrigin origin, unsigned code, const char *cause);
void websocket_begin_break(Websocket *w, const char *cause);
void websocket_keep_reason(Websocket *w, const char *s, size_t n);

/* --- websocket-frames.c --- */
int websocket_frames_new(Websocket *w, bool is_client);
void websocket_feed(Websocket *w, const char *p, size_t n); /* bytes that have come */
void websocket_fill(Websocket *w);                          /* `out`, with what is queued */
