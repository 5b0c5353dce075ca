/* SPDX-License-Identifier: MIT */
#pragma once

/* What exchange.c (the door and the client's side) and exchange-try.c (one attempt after another) share. */

#include "server/attempt.h"
#include "server/exchange.h"
#include "server/line.h"

typedef enum ExchangeState {
        EXCHANGE_ATTEMPTING,
        EXCHANGE_QUEUED,
        EXCHANGE_WAITING,
        EXCHANGE_STREAMING,
        EXCHANGE_DRAINING,
        EXCHANGE_DONE,
} ExchangeState;

struct Exchange {
        Request *request;
        ExchangeState state;
        Course course;

        /* what is under way */
        Attempt attempt;
        LinePlace place;
        Timer *backoff;
        Timeout ping, deadline;

        /* what was heard since the last step, but for what the attempt itself knows */
        bool late;       /* REQUEST_DEADLINE is over */
        bool has_waited; /* QUEUE_WAIT is over */
        int error;       /* of ours, on the way */

        ApiError *asked; /* what the asked model's client would have been told, once another is tried */
        PoolKey *tried[ATTEMPTS_MAX];
        size_t n_tried;
        usec_t patience_ends; /* CLOCK_MONOTONIC: of QUEUE_WAIT, from the first place in a line on; 0: none
                               */
};

/* exchange.c */
void exchange_step(Exchange *x);
void exchange_error(Exchange *x, const PoolRefusal *refusal, ApiError *ret);
void exchange_fail(Exchange *x, const PoolRefusal *refusal); /* NULL: by what the attempt came to */

/* exchange-try.c */
void exchange_try(Exchange *x);   /* the next attempt, or a place in the line, or the end */
void exchange_go_on(Exchange *x); /* the attempt has failed, and the client has no byte */
int exchange_on_event(Attempt *a, const char *json, size_t n);
void exchange_on_done(Attempt *a);
