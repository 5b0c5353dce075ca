/* SPDX-License-Identifier: MIT */
#pragma once

/* What exchange.c (the door and the client's side) and try.c (one attempt after another) share. */

#include "server/exchange/attempt.h"
#include "server/exchange/exchange.h"
#include "server/exchange/key-queue.h"

typedef enum ExchangeState {
        EXCHANGE_ATTEMPTING,
        EXCHANGE_QUEUED,
        EXCHANGE_WAITING,
        EXCHANGE_STREAMING,
        EXCHANGE_DRAINING,
        EXCHANGE_DONE,
} ExchangeState;

const char *exchange_state_to_string(ExchangeState s);

struct Exchange {
        Request *request;
        ExchangeState state;
        Target target;

        /* what is under way */
        Attempt first, *second; /* NULL, or a hedge: beside the first, or instead of it */
        Attempt *attempt;       /* the one that counts */
        LoopHook drop;          /* of the other */
        KeyQueuePlace place;
        Timer *backoff;
        Timeout hedge_due, ping, deadline;

        /* what was heard since the last step, but for what the attempt itself knows */
        bool late;       /* REQUEST_DEADLINE is over */
        bool has_waited; /* QUEUE_WAIT is over */
        int error;       /* of ours, on the way */

        ApiError *asked; /* what the asked model's client would have been told, once another is tried */
        PoolKey *tried[ATTEMPTS_MAX];
        size_t n_tried;
        bool armed;   /* a hedge was thought of */
        bool settled; /* which of the two it is */
        usec_t began; /* CLOCK_MONOTONIC: the first attempt, and no word was heard; 0: does not matter */
        usec_t patience_ends; /* CLOCK_MONOTONIC: of QUEUE_WAIT, from the first place in a line on; 0: none
                               */
};

/* server/exchange/exchange.c */
void exchange_step(Exchange *x);
void exchange_error(Exchange *x, const PoolRefusal *refusal, ApiError *ret);
void exchange_fail(Exchange *x, const PoolRefusal *refusal); /* NULL: by what the attempt came to */

/* server/exchange/try.c */
void exchange_try(Exchange *x);   /* the next attempt, or a place in the line, or the end */
void exchange_go_on(Exchange *x); /* the attempt has failed, and the client has no byte */
int exchange_on_event(Attempt *a, const char *json, size_t n);
void exchange_on_done(Attempt *a);
void exchange_reset(Exchange *x); /* forgets what was heard: another attempt is to follow */

/* server/exchange/hedge.c */
void exchange_hedge_arm(Exchange *x);              /* the first attempt has begun */
bool exchange_hedge_heard(Exchange *x, Attempt *a); /* a word: false if it is the other's */
bool exchange_hedge_ended(Exchange *x, Attempt *a); /* true if that is not the end */
void exchange_hedge_done(Exchange *x);              /* only one is needed from here on */
