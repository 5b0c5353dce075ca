/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The common part of all calls to Google: a key is leased, the engine is called with it, the key is given
 * back with the verdict, and perhaps another key is tried.
 *
 *     pick → upstream_call_start() → (events) → the verdict → upstream_call_report() → upstream_next()
 *      ↑                                                                                  │
 *      └────────────── at once, or after upstream_pause() ────────────────────────────────┘
 *
 * One project's overload need not be the model's. So the first overload is followed at once by a try on
 * another project, and only the second one by a pause.
 *
 * An UpstreamCall is one try; UpstreamTries are all tries of one exchange or one UpstreamQuery. The
 * exchange of a request runs the loop itself, because it waits, hedges and changes its model in between.
 * All other calls use an UpstreamQuery, which runs the loop (upstream-query.h).
 */

#include "core/tries.h"
#include "engine/engine.h"
#include "pool/pool.h"
#include "server/forward.h"

/* --- all tries --- */

/* The keys that were tried, and the cost of the tries. All zero: none was made. Usually there are few; the
 * array of TRIES_MAX is allocated when it is needed. */
typedef struct UpstreamTries {
        Tries cost;
        PoolKey *few[TRIES_DEAR_MAX];
        PoolKey **many; /* NULL: the keys are in `few` */
        size_t n;
        bool once; /* the call must not be carried out twice: see upstream_next() */
        bool elsewhere; /* the next try is one at once, on another project than `overloaded` */
        const PoolProject *overloaded; /* of the last try that ended with an overload; only compared */
        unsigned n_overloads, n_pauses;
        usec_t asked; /* the wait that this overload asked for; 0: none */
} UpstreamTries;

typedef enum UpstreamNext {
        UPSTREAM_END,         /* the verdict is the answer */
        UPSTREAM_ANOTHER_KEY,     /* at once */
        UPSTREAM_ANOTHER_PROJECT, /* at once, if another project has a key that is usable; else as below */
        UPSTREAM_AFTER_PAUSE,     /* any key, after upstream_pause() */
} UpstreamNext;

/* Whether a try that ended with `v`, and was counted, is followed by another one. This is the only rule for
 * that. An overload that asks for more than a few seconds ends the tries: Google asks for none, so it is a
 * program in front of Google that all keys share, and the client gets its time. */
UpstreamNext upstream_next(const UpstreamTries *t, const Verdict *v);

/* The time to wait: the second pause is longer than the first, and both have jitter, so that requests that
 * were refused together do not return together. It is never shorter than the last overload asked for. */
usec_t upstream_pause(UpstreamTries *t);

bool upstream_tries_reserve(UpstreamTries *t); /* room for one more; false: no memory, or TRIES_MAX */
void upstream_tries_note(UpstreamTries *t, PoolKey *k); /* room is reserved; NULL: a try without a key */
void upstream_tries_forget(UpstreamTries *t); /* all keys may be picked, dear tries count from 0 */
void upstream_tries_done(UpstreamTries *t);

/* The project that the next pick avoids; NULL: none. */
static inline const PoolProject *upstream_avoided(const UpstreamTries *t) {
        return t->elsewhere ? t->overloaded : NULL;
}

/* The keys that were tried, `n` of them, which the next pick skips. */
static inline PoolKey *const *upstream_tried(const UpstreamTries *t) {
        return t->many ?: t->few;
}

/* --- one try --- */

/* All zero: there is none. With a lease it is given back exactly once, by upstream_call_report(). */
typedef struct UpstreamCall {
        Lease lease; /* key NULL: none */
        const PoolProject *project; /* of the lease, also after it was given back; only compared */
        EngineCall *call;
        usec_t began;      /* the first try, CLOCK_MONOTONIC */
        usec_t started;    /* this try */
        usec_t first_byte; /* the same, once the engine's call has ended; 0: none came */
        size_t n_sent;     /* bytes of the request's body; of one that is not held: that were read */
        bool sent;         /* the request has left; known once the engine's call has ended */
        bool again;        /* after an overload, its key is one that was tried before */
} UpstreamCall;

/* The caller has leased a key for it, or the engine picks its keys itself. The caller gives the key back
 * even if the start fails. */
int upstream_call_start(UpstreamCall *c, Http *h, Engine *e, const EngineRequest *request,
                        const EngineSink *sink, void *userdata);

/* Ends the engine's call, if there is one, and keeps the key. */
void upstream_call_end(UpstreamCall *c);

/* Before the report, see pool_weigh(). */
void upstream_call_weigh(const UpstreamCall *c, Http *h, Verdict *v);

/* Ends the call, if it has not ended, and gives the key back with the verdict. May be called twice. */
void upstream_call_report(UpstreamCall *c, Http *h, const Verdict *v, const Usage *usage);

/* Counts a failed try, and what it has cost. */
void upstream_call_count(const UpstreamCall *c, Http *h, const Verdict *v, UpstreamTries *t);
