/* SPDX-License-Identifier: MIT */
#pragma once

/* WebSocket frames (RFC 6455), of a server that is strict: what a client must not send is a fault. */

#include "base/buf.h"

typedef struct FrameReader FrameReader;
typedef struct Frame Frame;

#define FRAME_MESSAGE_MAX (64U << 20)

enum {
        FRAME_CONTINUATION = 0,
        FRAME_TEXT = 1,
        FRAME_BINARY = 2,
        FRAME_CLOSE = 8,
        FRAME_PING = 9,
        FRAME_PONG = 10,
};

/* A whole message, or a control frame. */
struct Frame {
        unsigned opcode;
        const char *p; /* valid until the next call */
        size_t n;
};

struct FrameReader {
        Buf message; /* in pieces, so far */
        Buf whole;   /* what was given out last */
        unsigned opcode; /* of the message; 0: none has begun */
        const char *fault;
};

#define FRAME_READER_INIT                                                                                   \
        ((FrameReader){ .message = BUF_INIT(FRAME_MESSAGE_MAX), .whole = BUF_INIT(FRAME_MESSAGE_MAX) })

/* 1: there is one; 0: more is needed; -EPROTO: r->fault. */
int frame_read(FrameReader *r, Buf *in, Frame *ret);
void frame_reader_done(FrameReader *r);

void frame_write(Buf *out, unsigned opcode, bool is_last, const void *p, size_t n);
void frame_write_close(Buf *out, unsigned code, const char *reason);

/* The header of the handshake's answer; -EINVAL: the key is none. */
#define FRAME_ACCEPT_MAX 32U
int frame_accept(const char *key, char ret[static FRAME_ACCEPT_MAX]);
