/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets of clients, what all requests share, and the end of all of it. How a request comes in is in
 * http.c, what it is in server/request.h, and how it is answered in server/reply.h.
 */

#include "base/zone.h"
#include "config/config.h"
#include "core/hedge.h"
#include "engine/engine.h"
#include "engine/job.h"
#include "io/loop.h"
#include "pool/admin.h"
#include "pool/affinity.h"
#include "server/forward.h"

typedef struct HttpParams {
        Loop *loop; /* all borrowed, they outlive the Http; but for the configuration, which is referenced */
        Config *config; /* as of now; a request that began before has its own */
        Pool *pool;
        Engine *engine;
        Engine *cli;   /* by way of the Gemini CLI */
        JobBook *jobs; /* of the Gemini CLI, which asks here in its turn */
        const Zone *zone;
        /* A request has begun, or is about to end; while draining, a connection. Must be cheap. */
        void (*changed)(void *userdata);
        void *userdata;
} HttpParams;

struct Http {
        HttpParams p;
        HttpServer *server;
        HttpServer *inner; /* where CLI jobs ask; it goes on while the other drains, as their clients wait */
        ModelList *models;
        TimeoutQueue *ping, *deadline, *hedge_due, *upstream_due; /* of the exchanges; of files and caches */
        Affinity *affinity; /* which project served which conversation */
        Hedges *hedges;
        KeyQueue *queue; /* requests that wait for a key */
        RequestLog *log;
        List requests;                 /* from their headers to their log line, the oldest first */
        size_t n_exchanges;            /* requests to Gemini under way */
        usec_t started, active_at;     /* realtime; CLOCK_MONOTONIC: the last end of a request */
        uint64_t id_state;             /* of generated request ids */
        bool draining;
};

int http_new(const HttpParams *p, Http **ret);
void http_configure(Http *h, Config *c); /* for the requests from now on; takes a reference */
int http_listen(Http *h, int fd); /* takes the socket */
int http_listen_inner(Http *h, int fd); /* the same, for CLI jobs alone: no token but theirs opens it */
void http_kick(Http *h); /* keys may have become usable: whoever waits for one may go; cheap */
void http_drain(Http *h);         /* no new connections, every reply closes its own */
bool http_is_quiet(Http *h);      /* while draining: nobody waits for an answer any more */
usec_t http_quiet_since(const Http *h); /* CLOCK_MONOTONIC; USEC_INFINITY while a request is under way */
size_t http_n_exchanges(const Http *h); /* requests to Gemini under way */
Http *http_free(Http *h);
DEFINE_CLEANUP(Http *, http_free);
