/* SPDX-License-Identifier: MIT */
#pragma once

/* One request that Gemini answers: the state machine between a client and its attempts. See
 * server/exchange/states.c for the states and their transitions. */

#include "server/request.h"

#define EXCHANGE_PING_INTERVAL (15 * USEC_PER_SEC) /* of silence; STREAM_OPEN_AFTER if that is shorter */

int exchange_begin(Request *q, ApiError *ret_error); /* the handler of its routes */
const char *exchange_state(const Exchange *x); /* its name: "attempting", "queued", … */
void exchange_drained(Exchange *x); /* the client has read some bytes */
void exchange_cut(Exchange *x); /* gemgate ends before it: an error, in the stream if that has begun */

/* Callbacks of the time-out queues in Http. */
extern const KeyQueueOps exchange_queue_ops;
void exchange_on_open(Timeout *t);
void exchange_on_ping(Timeout *t);
void exchange_on_deadline(Timeout *t);
void exchange_on_hedge(Timeout *t);
