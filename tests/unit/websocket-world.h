/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A WebSocket whose other end is the test's: raw bytes over a socketpair, or another WebSocket. What it
 * reports is kept in an End.
 */

#include "test.h"

#include "base/buf.h"
#include "base/limits-websocket.h"
#include "io/loop.h"
#include "io/transport.h"
#include "io/websocket.h"

#define HEARD_MAX (64U << 20)

typedef struct End {
        Loop *loop;
        Websocket *w; /* NULL: freed */
        Buf heard;    /* `t` or `b`, the message, and `|`, of each */
        uint64_t n_messages, n_bytes;
        unsigned n_drained, n_closed;
        WebsocketOrigin origin;
        unsigned code;
        char reason[WEBSOCKET_REASON_MAX + 1], cause[256];
        struct End *relay_to; /* messages go to it, with pauses as the relay does them */
        bool frees;   /* in closed() */
        bool counts;  /* keeps no bytes of messages */
        bool pauses;  /* with each message */
        unsigned code_back; /* it is ended with this code, with the first message; 0: not */
} End;

/* Over `fd`, which is taken. */
void end_open(End *e, Loop *loop, int fd, bool is_client, const void *rest, size_t n_rest);
void end_start(End *e);
void end_free(End *e);

void world_turn(Loop *loop); /* one turn, or 10 ms */
/* Turns the loop until the condition holds; a hang fails. */
#define TURN_UNTIL(loop, condition)                                      \
        do {                                                             \
                usec_t _end = clock_monotonic() + 20 * USEC_PER_SEC;     \
                while (!(condition)) {                                   \
                        assert_true(clock_monotonic() < _end);           \
                        world_turn(loop);                                \
                }                                                        \
        } while (0)

void raw_pair(int ret[static 2]); /* both do not block */
void raw_send(int fd, const void *p, size_t n);
bool raw_read(int fd, Buf *b); /* what has come; false: the end, or it is broken */

/* Appends a frame. `first`: FIN, reserved bits and opcode. Masked: with a key that is not zero. */
void frame_append(Buf *b, unsigned first, bool masked, const void *p, size_t n);
/* Reads the first frame of b, unmasks it in place, and removes it with its head: *ret points at the payload.
 * False: it is not complete. */
bool frame_take(Buf *b, unsigned *ret_first, bool *ret_masked, Buf *ret);
