/* SPDX-License-Identifier: MIT */
#pragma once

/* A server on loopback, whose handlers do what the test sets in the Fixture, and raw client sockets in the
 * same loop. */

#include <netinet/in.h>
#include <systemd/sd-event.h>

#include "test.h"

#include "io/http-shard.h"

#define PATIENCE (20 * USEC_PER_SEC) /* only a hang reaches it */

typedef struct Fixture {
        Loop *loop;
        HttpServer *server;
        int fd;
        struct sockaddr_in address;
        uint64_t max_body;
        /* what the server received */
        unsigned n_head, n_body, n_piece, n_gone, n_drained, n_end, n_complete;
        HttpRequest *last;
        HttpRequest *waiting[2100];
        size_t n_waiting;
        bool hold, stream, skip, pass, unwelcome, refuse;
        unsigned n_full[3]; /* by HttpFull */
} Fixture;

int setup(void **state); /* no time-out is reached */
int setup_with(void **state, usec_t head_timeout, usec_t body_window);
int teardown(void **state);

/* Turns the loop until the condition holds; a hang fails. */
#define TURN_UNTIL(f, condition)                                                                  \
        do {                                                                                      \
                usec_t _end = clock_monotonic() + PATIENCE;                                       \
                while (!(condition)) {                                                            \
                        assert_true(clock_monotonic() < _end);                                    \
                        assert_true(sd_event_run(loop_event((f)->loop), 10 * USEC_PER_MSEC) >= 0); \
                }                                                                                 \
        } while (0)

int dial(Fixture *f);
void say(int fd, const char *text);
bool hear(int fd, Buf *b); /* appends what has come; false once the server has closed */
bool has(Buf *b, const char *text);

void reply_text(HttpRequest *r, int status, const char *text);
HttpConnection *connection_of(const Fixture *f); /* the oldest, or NULL */
