/* SPDX-License-Identifier: MIT */
#pragma once

/* The answer to a WebSocket's request (RFC 6455, 4.1): pure, for bytes in pieces of any size. */

#include "base/buf.h"
#include "base/clock.h"
#include "io/http1-answer.h"
#include "io/websocket-key.h"

typedef enum WebsocketAnswerStep {
        WEBSOCKET_ANSWER_MORE,
        WEBSOCKET_ANSWER_OPEN,  /* a right 101: `in` has what follows it */
        WEBSOCKET_ANSWER_OTHER, /* another status, with its body, or as much as is kept of it */
        WEBSOCKET_ANSWER_FAULT,
} WebsocketAnswerStep;

typedef struct WebsocketReader {
        Http1Answer answer;
        Buf in;   /* what is not read yet */
        Buf body;
        char accept[WEBSOCKET_ACCEPT_LENGTH + 1]; /* that the server must answer */
        unsigned n_accepts;
        bool is_accepted, is_upgraded, is_connected, has_more;
        bool has_head; /* the final one is complete */
        usec_t retry_after;
        const char *fault; /* static */
} WebsocketReader;

int websocket_reader_init(WebsocketReader *r, const char *key); /* as websocket_key_accept() */
void websocket_reader_done(WebsocketReader *r);

WebsocketAnswerStep websocket_reader_feed(WebsocketReader *r, const char *p, size_t n);
WebsocketAnswerStep websocket_reader_close(WebsocketReader *r); /* the connection has ended properly */
