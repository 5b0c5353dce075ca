/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets of clients, the data that all requests share, and the shutdown. http.c has the life of a
 * request, server/request.h describes one, and server/reply.h answers it.
 */

#include "base/zone.h"
#include "config/config.h"
#include "core/hedge.h"
#include "engine/engine.h"
#include "engine/job.h"
#include "io/http-client.h"
#include "io/http-server.h"
#include "pool/admin.h"
#include "pool/affinity.h"
#include "server/forward.h"

typedef struct HttpParams {
        Loop *loop; /* all borrowed, and outlive the Http; except the configuration, which is referenced */
        Config *config; /* the current one; each request keeps the one of its start */
        Pool *pool;
        Engine *engine;
        HttpClient *client; /* of the engine: its connections, CAs and resolver, for WebSockets */
        Engine *cli;   /* through the Gemini CLI */
        JobBook *jobs; /* of the Gemini CLI, whose requests come back here */
        Vault *vault;  /* of thought signatures */
        ResponseStore *responses; /* for clients that name them */
        const Zone *zone;
        /* A request has begun, or is about to end; while draining, a connection. Must be cheap. */
        void (*changed)(void *userdata);
        void (*full)(unsigned n, HttpFull what, void *userdata); /* a limit of connections was reached */
        void (*models_done)(void *userdata); /* the list of models was fetched, or could not be; or NULL */
        void *userdata;
} HttpParams;

struct Http {
        HttpParams p;
        HttpServer *server;
        HttpServer *inner; /* for CLI jobs; it serves while the other drains: their clients wait */
        ModelList *models;
        TimeoutQueue *ping, *open_due, *deadline, *hedge_due;
        TimeoutQueue *upstream_due; /* of files, caches */
        TimeoutQueue *transfer_due; /* of uploads and downloads: server/files/transfer.h */
        Affinity *affinity; /* which project served which conversation */
        Hedges *hedges;
        LiveSessions *live;
        KeyQueue *queue; /* requests that wait for a key */
        RequestLog *log;
        Worker *worker;      /* reads large bodies: server/reading.h */
        GiveBack *give_back; /* of memory, after a large request */
        List requests;                 /* from their headers to their log line, the oldest first */
        List long_answers;             /* see server/admin/long-answer.h */
        size_t n_long_answers;
        size_t n_exchanges;            /* requests to Gemini under way */
        usec_t started, active_at;     /* realtime; the latest end of a request, CLOCK_MONOTONIC */
        uint64_t id_state;             /* of generated request ids */
        bool draining;
};

int http_new(const HttpParams *p, Http **ret);
void http_configure(Http *h, Config *c); /* for the requests from now on; takes a reference */
int http_listen(Http *h, int fd); /* takes the socket */
int http_listen_inner(Http *h, int fd); /* the same, for CLI jobs: accepts only their tokens */
void http_kick(Http *h); /* keys may have become usable: retries waiting requests; cheap */
void http_drain(Http *h);         /* no new connections; every reply closes its connection */
void http_cut(Http *h);           /* ends what clients wait for with an error */
bool http_is_quiet(Http *h);      /* while draining: no client waits for an answer */
usec_t http_quiet_since(const Http *h); /* CLOCK_MONOTONIC; USEC_INFINITY while a request is under way */
size_t http_n_exchanges(const Http *h); /* requests to Gemini under way */
Http *http_free(Http *h);
DEFINE_CLEANUP(Http *, http_free);
