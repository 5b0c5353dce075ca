/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One attempt of an exchange: a leased key, the engine's call with it, and its result. It is a member of
 * its owner, and is reused for the next attempt. A lease is given back exactly once: by attempt_conclude()
 * with the verdict, or by attempt_cancel().
 */

#include "engine/engine.h"
#include "server/exchange/target.h"
#include "server/upstream.h"

typedef struct Attempt Attempt;

/* The engine's callbacks; see EngineSink. */
typedef int (*AttemptEvent)(Attempt *a, const char *json, size_t n);
typedef void (*AttemptDone)(Attempt *a);

struct Attempt {
        Request *request;
        const Target *target;
        AttemptEvent event;
        AttemptDone done;

        UpstreamCall upstream;
        usec_t first_byte; /* CLOCK_MONOTONIC; 0: none came */

        /* the result */
        bool ended;  /* it is over: see verdict */
        bool judged; /* the dialect has set the verdict; the engine's is ignored */
        Verdict verdict;
        bool refused; /* the engine has the client's error ready */
        ApiError refusal;
};

/* The object must be zero already, so that a request does not clear it twice. */
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
 * −errno; after 0 it must be started. Through the Gemini CLI no key is picked. */
int attempt_pick(Attempt *a, PoolKey *const *tried, size_t n_tried, bool again, PoolRefusal *ret_refusal);
int attempt_start(Attempt *a);

void attempt_answering(Attempt *a); /* its answer has begun, so a probe has passed */

/* The dialect has set a->verdict for an event. Called by the owner's event(). */
void attempt_judge(Attempt *a);

/* It has ended: sets a->verdict and gives the lease back with it. `error`: a failure of gemgate, which is no
 * judgement on the key; or 0. */
void attempt_conclude(Attempt *a, int error);

void attempt_cancel(Attempt *a, VerdictClass class);

/* --- hedging --- */

/* A key of another project, with quota to spare and no probe. 0, POOL_E_EXHAUSTED, −errno. */
int attempt_pick_spare(Attempt *a, const Attempt *other);
void attempt_drop(Attempt *a);           /* without a report: it was not started */
