/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by states.c (the states), exchange.c (their actions, and the client's side), try.c (one attempt
 * after another) and hedge.c (a second attempt beside the first). */

#include "io/timeout.h"
#include "io/timer.h"
#include "server/exchange/attempt.h"
#include "server/exchange/exchange.h"
#include "server/exchange/key-queue.h"
#include "server/upstream.h"

typedef enum ExchangeState {
        EXCHANGE_PICKING, /* the first; never visible from outside */
        EXCHANGE_TRANSLATING,
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
        LoopHook drop;   /* cancels the attempt that lost */
        usec_t began;    /* CLOCK_MONOTONIC: start of the first attempt, until its first event; 0: not
                          * measured */
        bool considered; /* the request was counted for the share of hedges */
        bool decided;    /* one of the two attempts was chosen */
} Hedge;

/* An empty answer. Other keys are tried before it is sent, and it is sent if they have nothing better: no
 * other answer, nor a part of one. */
typedef struct EmptyAnswer {
        Buf body;
        char model[MODEL_NAME_MAX + 1]; /* that gave it */
        Usage usage;
        char finish_reason[FINISH_REASON_MAX + 1];
} EmptyAnswer;

struct Exchange {
        Request *request;
        ExchangeState state; /* set by exchange_enter() alone */
        Target target;

        /* what is under way */
        Attempt first, *attempt; /* `attempt` is the current one: `first`, or hedge.second */
        Hedge hedge;
        Reading *reading; /* of a large body */
        KeyQueuePlace place;
        Timer *backoff;
        Timeout ping, deadline; /* ping: before the head, when that is sent without an event */

        /* events since the last step, except those noted in the attempt */
        bool has_begun;  /* the client's stream has bytes of an answer */
        bool late;       /* REQUEST_DEADLINE is over */
        bool has_waited; /* QUEUE_WAIT is over */
        bool has_bytes;  /* the attempt's last event was translated into bytes */
        int error;       /* of gemgate, -errno */

        EmptyAnswer *empty; /* the latest one; NULL: there was none */
        ApiError *asked; /* the error of the requested model, once another model is tried */
        const char *turned; /* why another model is tried: a name for the log */
        UpstreamTries tries;
        usec_t patience_ends; /* CLOCK_MONOTONIC: the end of QUEUE_WAIT; 0: no wait yet */
};

/* Each open stream has one. What is rare is allocated when it is there. */
static_assert(sizeof(Exchange) <= 960, "an exchange takes more memory");

/* The head of a stream has gone out: what is left to fail is an error within it. With STREAM_OPEN_AFTER that
 * can be before any event; then another key, and another model, can still be tried behind it. */
static inline bool exchange_is_open(const Exchange *x) {
        return http_request_is_replied(x->request->io);
}

/* The stream has bytes of an answer: what is left to send is the same answer. It can be between two requests
 * of DIALECT_E_MORE. */
static inline bool exchange_has_begun(const Exchange *x) {
        return x->has_begun;
}

/* server/exchange/states.c */
const char *exchange_state_to_string(ExchangeState s);
void exchange_enter(Exchange *x, ExchangeState state); /* the only assignment of the state */

/* server/exchange/exchange.c */
void exchange_step(Exchange *x); /* x may be freed when it returns */
/* The verdict of the last try is a better answer than the refusal of the pick after it. */
bool exchange_verdict_answers(const Exchange *x, const PoolRefusal *refusal);
void exchange_error(Exchange *x, const PoolRefusal *refusal, ApiError *ret);
void exchange_fail(Exchange *x, const PoolRefusal *refusal); /* NULL: the attempt's verdict is the reason */
void exchange_on_read(Reading *r); /* the worker has read the body */

bool exchange_may_open(const Exchange *x); /* STREAM_OPEN_AFTER applies to it */

/* server/exchange/try.c */
void exchange_pick(Exchange *x);  /* in PICKING: finds a key, a place in a queue, the next model, or ends */
void exchange_ask_more(Exchange *x); /* the attempt has succeeded, and the dialect has another request */
void exchange_go_on(Exchange *x); /* the attempt has failed, and the client has no byte of it */
int exchange_on_event(Attempt *a, const char *json, size_t n);
void exchange_on_done(Attempt *a);
void exchange_conclude(Exchange *x, Attempt *a, int error); /* gives the lease back, and counts the try */
void exchange_drop_empty(Exchange *x);
void exchange_reset(Exchange *x); /* discards Gemini's answer so far: another attempt follows */

/* Turns to the next model, because the worker has translated the body for it, or cannot. */
void exchange_turn_read(Exchange *x);

/* server/exchange/hedge.c */
void exchange_hedge_arm(Exchange *x);                 /* the first attempt has begun */
bool exchange_hedge_event(Exchange *x, Attempt *a);   /* false: from the attempt that lost */
bool exchange_hedge_ended(Exchange *x, Attempt *a);   /* true: the other one continues */
void exchange_hedge_done(Exchange *x);                /* from now on only one is needed */
