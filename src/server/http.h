/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What stands behind the sockets: access (IP, token, right), the routes, and the reply in the client's
 * dialect. A Request is one client request from its headers to its log line; the route's handler gets it
 * when the body is there and answers once, now or later, through one of the request_*() replies.
 */

#include "base/zone.h"
#include "pool/affinity.h"
#include "config/config.h"
#include "core/hedge.h"
#include "core/traceparent.h"
#include "pool/admin.h"
#include "dialect/dialect.h"
#include "dialect/error-shape.h"
#include "engine/engine.h"
#include "engine/job.h"
#include "io/http-request.h"
#include "io/loop.h"

typedef struct Http Http;
typedef struct Request Request;
typedef struct Route Route;
typedef struct Exchange Exchange;
typedef struct ModelList ModelList;
typedef struct RequestLog RequestLog;
typedef struct KeyQueue KeyQueue;
typedef struct TimeoutQueue TimeoutQueue;
typedef struct HttpServer HttpServer;

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

struct Request {
        Http *http;
        HttpRequest *io;
        List requests;          /* in Http.requests */
        Config *config;         /* a reference: what this request began with, it ends with */
        const Route *route;     /* NULL until found */
        const Dialect *dialect; /* NULL: there is nothing to translate */
        const ErrorShape *errors;
        const Token *token;     /* NULL: an open route without one */
        bool inner;             /* on the listener for CLI jobs */
        Job *job;               /* a reference: a CLI asks, of this job; or NULL */
        Address client;
        bool client_unix, close; /* a unix peer: no address; no keep-alive behind the reply */
        char id[REQUEST_ID_MAX + 1], trace_id[TRACE_ID_LENGTH + 1]; /* trace_id: the client's, or "" */
        LogIds ids;             /* both of them, for the log */
        char *path;             /* decoded, trailing slash cut */
        const char *rest;       /* of a prefix route: what stands behind the prefix */
        List link;              /* a queue that the handler may put it into */
        void *work;                 /* of a handler that answers later; and set by it: */
        void (*cancel)(Request *q); /* the request ends, forget it */

        /* for the exchange, and for the log line */
        Exchange *exchange;
        char model[MODEL_NAME_MAX + 1];
        char key_mask[SECRET_MASK_MAX], key_name[POOL_KEY_ID_MAX + 1];
        const char *refusal; /* why access was refused, for the operator; static */
        const char *verdict;
        char served[MODEL_NAME_MAX + 1]; /* the model that answered; "" before… */
        const char *fallback;            /* …and why it was not the asked one; NULL: it was */
        char verdicts[128]; /* of all attempts, with commas; the rest is cut */
        bool key_named, hedged; /* key_name is a given name; a second try was made beside the first */
        char finish_reason[FINISH_REASON_MAX + 1];
        unsigned attempts;
        int status;
        Usage usage;
};

void request_reply_json(Request *q, int status, Buf *body); /* takes the body, as the next one does */
void request_reply_with(Request *q, int status, const HttpHeader *headers, size_t n, Buf *body);
void request_reply_error(Request *q, const ApiError *e);
void request_fail(Request *q, int status, const char *param, const char *fmt, ...) _printf_(4, 5);
void request_note_key(Request *q, const PoolKey *k);       /* the one that counts, for headers and log */
void request_note_verdict(Request *q, VerdictClass class); /* what came of an attempt, for the headers */
int request_stream(Request *q, const char *content_type);  /* begins a stream with status 200 */
struct json_object *request_json(Request *q); /* the body, an object; or NULL after a 400 was sent */
void request_client_format(const Request *q, char ret[static ADDRESS_STRING_MAX]); /* 127.0.0.1, unix */
