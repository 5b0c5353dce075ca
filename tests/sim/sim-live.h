/* SPDX-License-Identifier: MIT */
#pragma once

/* The Live API: one session on one WebSocket. README.md has the steps of a script. */

#include "base/list.h"
#include "sim-request.h"

typedef struct Live Live;
typedef struct LiveBook LiveBook;
struct Exchange;

/* The handles by which sessions are resumed. */
struct LiveBook {
        struct {
                char *name, *owner; /* a project */
        } * handles;
        size_t n;
        uint64_t n_made;
};

void live_book_clear(LiveBook *b);

bool live_path(const Request *q);

/* Answers the handshake. -EINVAL: it is none. */
int live_new(struct Exchange *e, const Request *q, const char *key, Live **ret);
Live *live_free(Live *l);

void live_receive(Live *l, Buf *in);
void live_more(Live *l); /* the kernel has everything */
uint64_t live_sent(const Live *l); /* messages */
