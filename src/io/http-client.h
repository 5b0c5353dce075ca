/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HTTP calls to another server, in our loop: the interface, which each implementation fills in. Redirects
 * are never followed, only https goes out (http to loopback, for the simulator), and no content coding is
 * requested or decoded. A call goes through its own proxy, but never to loopback, and the environment's
 * proxies are not looked at. A request is sent once; or once more on another connection, if the server
 * certainly did not process it, or if it is a GET whose kept connection ended before any byte of an answer.
 *
 * No callback but sent() comes from within http_call_start(), and done() from within no other callback.
 */

#include <sys/types.h>

#include "base/proxy.h"
#include "base/secret.h"
#include "io/loop.h"

#define HTTP_CALL_HEADERS_MAX 8U
#define HTTP_CAUSE_MAX        256U

typedef struct HttpClient HttpClient;
typedef struct HttpCall HttpCall;

typedef struct HttpCallParams {
        const char *url;    /* copied */
        const char *body;   /* NULL: none, or that of ops.read; borrowed as long as the call lives */
        size_t n_body;      /* with ops.read: SIZE_MAX if the length is not known */
        const char *method; /* static; NULL: POST with a body, GET without */
        const char *content_type; /* of the body, `Content-Type: …`; NULL: application/json */
        char *const *headers;     /* more of them, `Name: value` */
        size_t n_headers;         /* HTTP_CALL_HEADERS_MAX at most; all borrowed as long as the call lives */
        const char *secret_header; /* `x-goog-api-key`: static; NULL: none */
        Secret *secret;            /* its value; lives as long as the call */
        Proxy *proxy;              /* NULL: none; never `none` */
        usec_t connect_timeout;
} HttpCallParams;

typedef enum HttpOutcome {
        HTTP_OUTCOME_COMPLETE,  /* the answer is complete, whatever its status */
        HTTP_OUTCOME_UNREACHED, /* no connection: name, route, TLS, proxy, or its time-out */
        HTTP_OUTCOME_LACKING,   /* nothing was tried: this process has no descriptor or memory for it */
        HTTP_OUTCOME_BROKEN,    /* connected, then reset, cut off or invalid HTTP */
        HTTP_OUTCOME_ABORTED,   /* data() or read() returned an error */
} HttpOutcome;

/* None of them but done() may free the call. Each may pause it. */
typedef struct HttpCallOps {
        /* Bytes of the body; `status` is the answer's. < 0 aborts the call: done() follows. */
        int (*data)(int status, const char *p, size_t n, void *userdata);
        /* `name: value`, a line of the final answer's head, without its end; NULL: not needed. */
        void (*header)(const char *line, size_t n, void *userdata);
        void (*sent)(void *userdata); /* the request is about to be sent; once; NULL: not needed */
        /* The next bytes of a body that is not held, up to n. 0: its end; -EAGAIN: none now, and
         * http_call_continue() follows; else the call is aborted. What was read is not sent once more. */
        ssize_t (*read)(char *p, size_t n, void *userdata);
        /* `cause`: why it did not complete, in the words of the resolver, the socket, TLS or the proxy, on
         * one line and without secrets; "" when it did. The call may be freed in here. */
        void (*done)(HttpOutcome outcome, int status, const char *cause, void *userdata);
} HttpCallOps;

typedef struct HttpClientParams {
        const char *url;     /* of the usual origin */
        const char *ca_file; /* NULL: the system's CAs */
        bool warm;           /* a direct connection to that origin is open, also while it is idle */
        usec_t connect_timeout; /* its */
} HttpClientParams;

/* CLOCK_MONOTONIC; 0: not yet, or not needed. Of a reused connection, the first three are 0. */
typedef struct HttpTimings {
        usec_t resolved, connected, secured; /* the connection's */
        usec_t sent;                         /* the first byte of the request was about to be sent */
        usec_t head;                         /* the final head was complete */
        bool reused;
} HttpTimings;

/* --- an implementation's part: its client and its calls begin with these --- */
typedef struct HttpClientOps {
        int (*start)(HttpClient *client, const HttpCallParams *p, const HttpCallOps *ops, void *userdata,
                     HttpCall **ret);
        void (*renew)(HttpClient *client, const HttpClientParams *p);
        void (*free)(HttpClient *client);
        void (*call_pause)(HttpCall *c, bool paused);
        void (*call_continue)(HttpCall *c);
        void (*call_timings)(const HttpCall *c, HttpTimings *ret);
        usec_t (*call_retry_after)(const HttpCall *c);
        void (*call_free)(HttpCall *c);
} HttpClientOps;

struct HttpClient {
        const HttpClientOps *ops;
};

struct HttpCall {
        const HttpClientOps *client_ops;
        HttpCallOps ops;
        void *userdata;
};

/* --- the client that the daemon uses --- */
int http_client_new(Loop *loop, HttpClient **ret);
HttpClient *http_client_free(HttpClient *client); /* every call must be freed before */
DEFINE_CLEANUP(HttpClient *, http_client_free);
/* At the start, and for a reload: calls under way go on, later ones through a proxy make new connections,
 * and connections that do not go to the origin of `p->url` end when they are idle. New connections are
 * verified with the CAs of `p->ca_file`, which is read again. */
void http_client_renew(HttpClient *client, const HttpClientParams *p);

int http_call_start(HttpClient *client, const HttpCallParams *p, const HttpCallOps *ops, void *userdata,
                    HttpCall **ret);
HttpCall *http_call_free(HttpCall *c); /* cancels */
DEFINE_CLEANUP(HttpCall *, http_call_free);

/* While paused, data() is not called. May be called from anywhere. */
void http_call_pause(HttpCall *c, bool paused);
void http_call_continue(HttpCall *c); /* read() has more */
void http_call_timings(const HttpCall *c, HttpTimings *ret);
/* The answer's Retry-After, a number of seconds or a date; 0: none. Within done(). */
usec_t http_call_retry_after(const HttpCall *c);
