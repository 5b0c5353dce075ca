/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One attempt of an exchange: a leased key, the engine's call with it, and its result. It is a member of
 * its owner, and is reused for the next attempt. A lease is given back exactly once: by attempt_conclude()
 * with the verdict, or by attempt_cancel() or attempt_drop(). The engine's events go to exchange_on_event()
 * and exchange_on_done().
 */

#include "engine/engine.h"
#include "server/exchange/target.h"
#include "server/upstream.h"

typedef struct Attempt {
        Request *request;
        const Target *target;

        UpstreamCall upstream;

        /* the result */
        bool answering; /* the pool knows that an answer has begun */
        bool ended;    /* `verdict` is the outcome */
        bool is_final; /* the dialect has set the verdict; the engine's is ignored */
        bool is_last;  /* set by the exchange: no other try would follow, so an empty answer is the answer */
        bool has_more; /* its answer is good, and the dialect has another request */
        bool is_empty; /* an empty answer is in the client's buffer, and another try may follow */
        const Verdict *verdict; /* of the last try; VERDICT_OK before it */
        Verdict *own;           /* what `verdict` points to, if it is not VERDICT_OK; or NULL */
        Verdict *blame; /* the pool gets it although the client has an answer; or NULL */
        ApiError *refusal; /* the client's error, which the engine has ready; or NULL */
} Attempt;

/* The object must be zero already, so that a request does not clear it twice. */
void attempt_init(Attempt *a, Request *q, const Target *target);

/* Picks a key, never one that was tried, unless overload (`again`) leaves no other. 0, POOL_E_EXHAUSTED, or
 * −errno; after 0 it must be started. Through the Gemini CLI no key is picked. */
int attempt_pick(Attempt *a, const UpstreamTries *tries, bool again, PoolRefusal *ret_refusal);
int attempt_start(Attempt *a); /* 0 or −errno */

void attempt_answering(Attempt *a); /* its answer has begun, so a probe has passed */

/* The dialect's verdict for an event, which is scrubbed. Called by exchange_on_event(). */
void attempt_keep_verdict(Attempt *a, Verdict *v);

/* A verdict that came after the answer was complete. If it blames the key, its project or quota, the pool
 * gets it at the end. */
void attempt_keep_blame(Attempt *a, Verdict *v);

/* A verdict of gemgate's. */
void attempt_set_verdict(Attempt *a, VerdictClass class, const char *message);

/* It has ended: sets a->verdict and gives the lease back with it. `error`: a failure of gemgate, which is no
 * judgement on the key; or 0. */
void attempt_conclude(Attempt *a, int error);

void attempt_cancel(Attempt *a, VerdictClass class);
void attempt_done(Attempt *a); /* it is not under way: frees what it has */

/* --- hedging --- */

/* A key of another project, with quota to spare and no probe. 0, POOL_E_EXHAUSTED, −errno. */
int attempt_pick_spare(Attempt *a, const Attempt *other);
void attempt_drop(Attempt *a); /* ends the attempt that lost; no judgement on its key */
