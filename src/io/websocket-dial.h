/* SPDX-License-Identifier: MIT */
#pragma once

/* A WebSocket to another server: the dial (io/dial), the request, and its answer. See websocket-dial.c. */

#include "io/dial.h"
#include "io/http-client.h"
#include "io/websocket.h"

#define WEBSOCKET_DIAL_HEADERS_MAX 4U

typedef struct WebsocketDial WebsocketDial;

typedef struct WebsocketDialParams {
        const char *url; /* `https://host[:port]/path?query`, or http; not wss; copied */
        char *const *headers; /* more of them, `Name: value`; copied */
        size_t n_headers;     /* WEBSOCKET_DIAL_HEADERS_MAX at most */
        const char *secret_header; /* `x-goog-api-key`: static; NULL: none */
        Secret *secret;            /* its value; a reference is taken */
        Proxy *proxy;              /* NULL: none; never `none`. To loopback it is not used */
        usec_t connect_timeout;    /* until TCP, proxy and TLS are there */
        usec_t answer_timeout;     /* then, until the answer is complete */
} WebsocketDialParams;

/* Its pointers are right as long as the dial lives. */
typedef struct WebsocketAnswer {
        HttpOutcome outcome; /* COMPLETE: there is an answer; the others: as of an HTTP call */
        int status;          /* of the answer; 101: there is a WebSocket; 0: no answer */
        const char *body;    /* of another status: the first WEBSOCKET_ANSWER_MAX bytes */
        size_t n_body;
        const char *cause;   /* why there is no answer, as http-client.h's: on one line, no secret; "" */
        usec_t retry_after;  /* 0: none */
        DialTimes times;
        usec_t sent, head;   /* CLOCK_MONOTONIC; 0: not reached */
} WebsocketAnswer;

/* Called once, from the loop, never from within websocket_dial_start(). `w`: taken, to be started in this
 * turn; NULL: there is none. The dial is freed by its owner in any case, in here or later. */
typedef void (*WebsocketDialFn)(Websocket *w, const WebsocketAnswer *answer, void *userdata);

/* By the client's resolver, CAs and rule of proxies, over a separate connection with HTTP/1.1 only. Without
 * a free descriptor it waits, as a call does. -EINVAL: the URL, or a header. -ENOMEM. The client outlives
 * the dial. */
int websocket_dial_start(Loop *loop, HttpClient *client, const WebsocketDialParams *p, WebsocketDialFn f,
                         void *userdata, WebsocketDial **ret);
WebsocketDial *websocket_dial_free(WebsocketDial *d); /* cancels; waits for nothing */
DEFINE_CLEANUP(WebsocketDial *, websocket_dial_free);
