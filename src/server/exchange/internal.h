/* SPDX-License-Identifier: MIT */
#pragma once

/* What states.c (the states), exchange.c (what happens in each, and the client's side), try.c (one attempt
 * after another) and hedge.c (a second attempt beside the first) share. */

#include "io/timeout.h"
#include "io/timer.h"
#include "server/exchange/attempt.h"
#include "server/exchange/exchange.h"
#include "server/exchange/key-queue.h"
#include "server/upstream.h"

typedef enum ExchangeState {
        EXCHANGE_PICKING, /* the first; never seen from outside */
        EXCHANGE_QUEUED,
        EXCHANGE_ATTEMPTING,
        EXCHANGE_WAITING,
        EXCHANGE_STREAMING,
        EXCHANGE_DRAINING,
        EXCHANGE_DONE,
        _EXCHANGE_STATE_MAX,
} ExchangeState;

/* A second attempt beside the first (HEDGE_AFTER): hedge.c. Core's Hedges decide whether one may be made. */
typedef struct Hedge {
        Attempt *second; /* NULL: none was made */
        Timeout due;     /* when one is made */
        LoopHook drop;   /* ends the attempt that does not count */
        usec_t began;    /* CLOCK_MONOTONIC: the first attempt, while nothing has come of it; 0: does not
                          * matter */
        bool considered; /* the request has earned its share; it does so once */
        bool settled;    /* which of the two attempts counts */
} Hedge;

struct Exchange {
        Request *request;
        ExchangeState state; /* set by exchange_enter() alone */
        Target target;

        /* what is under way */
        Attempt first, *attempt; /* `attempt` is the one that counts: `first`, or hedge.second */
        Hedge hedge;
        KeyQueuePlace place;
        Timer *backoff;
        Timeout ping, deadline;

        /* what has happened since the last step, but for what the attempt itself knows */
        bool late;       /* REQUEST_DEADLINE is over */
        bool has_waited; /* QUEUE_WAIT is over */
        int error;       /* of ours, on the way */

        ApiError *asked; /* the error about the asked model, once another model is tried */
        UpstreamTries tries;
        usec_t patience_ends; /* CLOCK_MONOTONIC: of QUEUE_WAIT, since the first place; 0: had none */
};

/* server/exchange/states.c */
const char *exchange_state_to_string(ExchangeState s);
void exchange_enter(Exchange *x, ExchangeState state); /* the only assignment of the state */

/* server/exchange/exchange.c */
void exchange_step(Exchange *x); /* x may be gone when it returns */
void exchange_error(Exchange *x, const PoolRefusal *refusal, ApiError *ret);
void exchange_fail(Exchange *x, const PoolRefusal *refusal); /* NULL: by the attempt's verdict */

/* server/exchange/try.c */
void exchange_pick(Exchange *x);  /* PICKING: a key, or a place in a queue, or the next model, or the end */
void exchange_go_on(Exchange *x); /* the attempt has failed, and the client has no byte */
int exchange_on_event(Attempt *a, const char *json, size_t n);
void exchange_on_done(Attempt *a);
void exchange_conclude(Exchange *x, Attempt *a, int error); /* gives the lease back, and counts the try */
void exchange_reset(Exchange *x); /* forgets what Gemini has sent: another attempt is to follow */

/* server/exchange/hedge.c */
void exchange_hedge_arm(Exchange *x);                 /* the first attempt has begun */
bool exchange_hedge_event(Exchange *x, Attempt *a);   /* false if it is of the attempt that does not count */
bool exchange_hedge_ended(Exchange *x, Attempt *a);   /* true if the other one goes on */
void exchange_hedge_done(Exchange *x);                /* only one is needed from here on */
