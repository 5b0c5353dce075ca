/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One WebSocket connection (RFC 6455) of either role, over a connected transport. libwslay reads and writes
 * the frames; messages are passed on whole. Pings are answered, and a peer that is silent is pinged. There
 * are no extensions and no subprotocols. See websocket.c.
 *
 * None of the functions calls one of the ops: those come from the loop.
 */

#include "io/forward.h"
#include "io/loop.h"

/* Codes of the end (RFC 6455, 7.4.1); Google sends others of them, too. */
typedef enum WebsocketCode {
        WEBSOCKET_CODE_NORMAL = 1000,
        WEBSOCKET_CODE_GOING_AWAY = 1001,
        WEBSOCKET_CODE_PROTOCOL = 1002,
        WEBSOCKET_CODE_UNSUPPORTED = 1003,
        WEBSOCKET_CODE_NONE = 1005,      /* never sent: the peer has ended it without a code */
        WEBSOCKET_CODE_ABNORMAL = 1006,  /* never sent: there was no close frame */
        WEBSOCKET_CODE_NOT_UTF8 = 1007,
        WEBSOCKET_CODE_POLICY = 1008,    /* Google's for most errors: of the key, of quota, of arguments */
        WEBSOCKET_CODE_TOO_LARGE = 1009,
        WEBSOCKET_CODE_INTERNAL = 1011,
        WEBSOCKET_CODE_RESTART = 1012,
        WEBSOCKET_CODE_TRY_LATER = 1013,
} WebsocketCode;

typedef enum WebsocketKind {
        WEBSOCKET_TEXT = 1, /* UTF-8, checked */
        WEBSOCKET_BINARY = 2,
} WebsocketKind;

#define WEBSOCKET_REASON_MAX 123U /* bytes of the reason of an end: the protocol's own limit */

typedef enum WebsocketOrigin {
        WEBSOCKET_OPEN,     /* no end has begun */
        WEBSOCKET_BY_PEER,  /* it sent a close frame first, with this code and reason */
        WEBSOCKET_BY_US,    /* websocket_close() */
        WEBSOCKET_BY_FAULT, /* the peer broke the protocol or a limit; it was sent this code, or none */
        WEBSOCKET_BY_BREAK, /* no close frame: the connection ended, or the peer is silent. 1006 */
} WebsocketOrigin;

typedef struct WebsocketEnd {
        WebsocketOrigin origin;
        unsigned code;
        const char *reason; /* the peer's, UTF-8 without control characters: else a blank; "" of others */
        const char *cause;  /* on one line, for the log: what was wrong; "" of a proper end */
} WebsocketEnd;

typedef struct WebsocketOps {
        /* A whole message, NUL behind it not included; `p` may be kept only by a copy. */
        void (*message)(WebsocketKind kind, const char *p, size_t n, void *userdata);
        /* The queue was above its high mark (websocket_send() returned 1), and sank below the low one. */
        void (*drained)(void *userdata);
        /* The last call, once. Only in here, or from outside of these ops, the WebSocket may be freed. */
        void (*closed)(const WebsocketEnd *end, void *userdata);
} WebsocketOps;

/* `t` is taken, also by a failure. `rest`: what has been received behind the head; copied. Nothing is read
 * before websocket_start(), which comes in the same turn of the loop or later. */
int websocket_new(Loop *loop, Transport *t, bool is_client, const char *rest, size_t n_rest,
                  Websocket **ret);
Websocket *websocket_free(Websocket *w); /* ends the connection at once, and sends no close frame */
DEFINE_CLEANUP(Websocket *, websocket_free);

void websocket_start(Websocket *w, const WebsocketOps *ops, void *userdata); /* ops: static */

typedef struct WebsocketTimes {
        usec_t silence; /* of the peer; then it gets a ping */
        usec_t answer;  /* then something must come, or the end is a break */
        usec_t stall;   /* in which it must take some of what is queued */
        usec_t close;   /* for its answer to the end */
} WebsocketTimes;
void websocket_set_max(Websocket *w, size_t max);  /* of a message, below WEBSOCKET_MESSAGE_MAX; likewise */
void websocket_set_times(Websocket *w, const WebsocketTimes *t); /* others than usual; before the start */

/* Queues a message; it is copied. 0; or 1: queued, and the queue is above WEBSOCKET_QUEUE_HIGH: the source
 * of the messages should pause until drained(). -ENOBUFS: it is not queued, because the queue would be above
 * WEBSOCKET_QUEUE_MAX. -ENOTCONN: the end has begun. -ENOMEM. */
int websocket_send(Websocket *w, WebsocketKind kind, const char *p, size_t n);

/* Bytes of messages that are queued and not yet written. */
size_t websocket_queued(const Websocket *w);

/* While paused no message() comes, and the peer is not read: TCP holds it back. At most one message and
 * WEBSOCKET_READ_MAX bytes are held. Pings are not answered meanwhile, and its silence is no reason to end.
 * A client that closes its connection then is gone: what it sent last is not read any more. Of a server it
 * is, because that may say why it ends. */
void websocket_pause(Websocket *w, bool paused);

/* Begins the end: what is queued is sent, then a close frame. closed() follows when the peer has answered,
 * at the latest after WEBSOCKET_CLOSE_TIME; messages that come meanwhile are thrown away. `reason` is cut at
 * WEBSOCKET_REASON_MAX, at a character's end; "": none. `code` 1005: the frame has none; 1006: as 1011.
 * Again, or after the peer's end: nothing. */
void websocket_close(Websocket *w, unsigned code, const char *reason);

bool websocket_is_open(const Websocket *w); /* no end has begun: websocket_send() can queue */
