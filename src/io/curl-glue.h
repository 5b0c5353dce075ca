/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * libcurl's multi interface in our loop, and the one kind of HTTP call we make with it. Redirects are never
 * followed, only https goes out (http to loopback, for the simulator). A call goes through its own proxy,
 * but never to loopback, and the environment's proxies are not looked at. A request is never sent twice. See
 * curl-glue.c for what keeps it cheap.
 */

#include "base/proxy.h"
#include "base/secret.h"
#include "io/loop.h"

typedef struct CurlGlue CurlGlue;
typedef struct CurlCall CurlCall;

#define CURL_HEADERS_MAX 8U
#define CURL_CAUSE_MAX   256U

typedef struct CurlCallParams {
        const char *url;     /* copied */
        const char *post;    /* NULL: GET; else the body, borrowed as long as the call lives */
        size_t n_post;
        const char *method;  /* static; NULL: POST with a body, GET without */
        const char *content_type; /* of the body, `Content-Type: …`; NULL: application/json */
        char *const *headers;     /* more of them, `Name: value` */
        size_t n_headers;         /* CURL_HEADERS_MAX at most; all borrowed as long as the call lives */
        const char *secret_header; /* `x-goog-api-key`: static; NULL: none */
        Secret *secret;            /* its value; referenced while the call lives */
        Proxy *proxy;              /* NULL: none; never `none` */
        usec_t connect_timeout;
} CurlCallParams;

typedef enum CurlOutcome {
        CURL_OUTCOME_COMPLETE,   /* the HTTP answer is complete, whatever its status */
        CURL_OUTCOME_UNREACHED,  /* no connection: name, route, TLS, proxy, or its time-out */
        CURL_OUTCOME_BROKEN,     /* connected, then reset, cut off or invalid HTTP */
        CURL_OUTCOME_ABORTED,    /* data() returned an error */
} CurlOutcome;

typedef struct CurlCallOps {
        /* Body bytes; `status` is the HTTP status. < 0 aborts the call: done() follows. Must not free the
         * call. */
        int (*data)(int status, const char *p, size_t n, void *userdata);
        /* A line of the answer's head, without its end; NULL: not needed. */
        void (*header)(const char *line, size_t n, void *userdata);
        void (*sent)(void *userdata); /* the request is about to be sent; NULL: not needed */
        /* `cause`: why it did not complete, in the words of the resolver, the socket, TLS or the proxy, on
         * one line and without secrets; "" when it did. The call may be freed in here. */
        void (*done)(CurlOutcome outcome, int status, const char *cause, void *userdata);
} CurlCallOps;

int curl_glue_new(Loop *loop, CurlGlue **ret);
CurlGlue *curl_glue_free(CurlGlue *g); /* every call must be freed before */
DEFINE_CLEANUP(CurlGlue *, curl_glue_free);
void curl_glue_renew(CurlGlue *g); /* from now on, calls through proxies make new connections */

int curl_call_start(CurlGlue *g, const CurlCallParams *p, const CurlCallOps *ops, void *userdata,
                    CurlCall **ret);
CurlCall *curl_call_free(CurlCall *c); /* cancels; not from within data() */
DEFINE_CLEANUP(CurlCall *, curl_call_free);

/* The answer's Retry-After, a number of seconds or a date; 0: none. Within done(). */
usec_t curl_call_retry_after(const CurlCall *c);

/* Takes effect at the end of the turn, so that it may be called from anywhere. */
void curl_call_pause(CurlCall *c, bool paused);
