/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Many time-outs of one length: a queue is a list in order of expiry, since what starts later ends later,
 * with one timer for its head. Starting and stopping cost a few pointer writes and no system call. The timer
 * is set only when it is off; it fires early if its head was stopped, and is then set again. An idle loop is
 * woken up once for nothing: if a timer finds its queue empty, it ends those of all other empty queues.
 *
 * The length may change: a running time-out keeps the one that it began with. While older ones that end
 * later are in the queue, a start searches its place from the end.
 */

#include "base/clock.h"
#include "base/list.h"
#include "io/forward.h"
#include "io/loop.h"

typedef void (*TimeoutFn)(Timeout *t);

struct Timeout {
        List link;
        usec_t due; /* CLOCK_MONOTONIC */
};

#define TIMEOUT_INIT(t) ((Timeout){ .link = LIST_INIT((t).link) })

/* The function is called with the time-out stopped; it may start or free any time-out. */
int timeout_queue_new(Loop *l, usec_t duration, TimeoutFn fn, TimeoutQueue **ret);
TimeoutQueue *timeout_queue_free(TimeoutQueue *q);
DEFINE_CLEANUP(TimeoutQueue *, timeout_queue_free);

void timeout_queue_set_duration(TimeoutQueue *q, usec_t duration); /* for time-outs that start from now on */

void timeout_start(TimeoutQueue *q, Timeout *t); /* or starts it again */
void timeout_stop(Timeout *t);
