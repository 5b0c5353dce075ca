/* SPDX-License-Identifier: MIT */
#pragma once

/* Doubles of dials and connections, for tests of the pool: the test decides what becomes of them. Each is
 * counted as a descriptor. */

#include "io/http-pool-internal.h"

#define MANY 300U

struct Dial {
        DialParams p;
        char host[64];
        DialFn f;
        void *userdata;
};

struct Transport {
        bool is_http2;
};

struct Http1 {
        const Http1Ops *ops;
        void *userdata;
        HttpWork *work;
        unsigned n_started, n_continued;
};

struct Http2 {
        const Http2Ops *ops;
        void *userdata;
        HttpWork *works[MANY];
        size_t n, max;
        bool drains, asked, is_new;
        usec_t read_at;
        unsigned n_cancelled, n_continued;
        int refusal;
};

extern Dial *dials[MANY];
extern Http1 *ones[MANY];
extern Http2 *twos[MANY];
extern size_t n_dials, n_ones, n_twos; /* made so far; those that are freed are NULL */
extern size_t n_alive;
extern unsigned n_configured;
extern size_t streams_max;
extern int socket_of_all; /* transport_fd() of each */
extern bool streams_new; /* of new connections: their SETTINGS have not come */
extern usec_t idle_time, ask_time, lack_time; /* of a pool that is made */

void doubles_clear(void);
void settle(Loop *l);                                      /* turns until nothing is ready */
void dialled(Loop *l, size_t i, bool is_http2);            /* a dial ends with a connection */
void undialled(Loop *l, size_t i);                         /* or without */
void answer(HttpWork *w);
void ends(Loop *l, size_t i, HttpWorkEnd end, bool is_idle); /* the work of a connection of HTTP/1.1 */
void ends_stream(Loop *l, size_t i, HttpWorkEnd end);        /* one of HTTP/2 */
