/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One attempt of an exchange: a leased key, the engine's call with it, and what was heard. It lies inside
 * its owner and is used again for the next one. A lease is given back exactly once: by attempt_conclude()
 * with what Gemini said, or by attempt_cancel().
 */

#include "engine/engine.h"
#include "server/exchange/target.h"
#include "server/upstream.h"

typedef struct Attempt Attempt;

/* What the engine says, while it is under way; see EngineSink. */
typedef int (*AttemptEvent)(Attempt *a, const char *json, size_t n);
typedef void (*AttemptDone)(Attempt *a);

struct Attempt {
        Request *request;
        const Target *target;
        AttemptEvent event;
        AttemptDone done;

        UpstreamCall upstream;
        usec_t first_byte; /* CLOCK_MONOTONIC; 0: none came */

        /* what was heard */
        bool ended;  /* it is over: see verdict */
        bool judged; /* the dialect has said what came of it, whatever the engine says then */
        Verdict verdict;
        bool refused; /* the engine has the client's error ready */
        ApiError refusal;
};

/* Of what is all zero: a request is not to pay for clearing it twice. */
static inline void attempt_init(Attempt *a, Request *q, const Target *target, AttemptEvent event,
                                AttemptDone done) {
        a->request = q;
        a->target = target;
        a->event = event;
        a->done = done;
}

static inline bool attempt_is_under_way(const Attempt *a) {
        return a->upstream.call || a->upstream.lease.key;
}

/* Picks a key, never one of `tried`, unless overload (`again`) leaves no other. 0, POOL_E_EXHAUSTED, or
 * −errno; with 0 it is to be started. By way of the Gemini CLI there is no key to pick. */
int attempt_pick(Attempt *a, PoolKey *const *tried, size_t n_tried, bool again, PoolRefusal *ret_refusal);
int attempt_start(Attempt *a);

void attempt_answering(Attempt *a); /* its answer has begun: a probe has passed */

/* The dialect has put its own word on an event into a->verdict: for the event() of the owner. */
void attempt_judge(Attempt *a);

/* It has ended: gives the lease back with what came of it, which is in a->verdict then. `error`: a failure
 * of ours on the way, which says nothing about the key; or 0. */
void attempt_conclude(Attempt *a, int error);

void attempt_cancel(Attempt *a, VerdictClass class);

/* --- beside another --- */

/* A key of another project, with quota to spare and no probe. 0, POOL_E_EXHAUSTED, −errno. */
int attempt_pick_spare(Attempt *a, const Attempt *other);
void attempt_drop(Attempt *a);           /* it is not: says nothing of it to anybody */
