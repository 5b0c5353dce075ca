/* SPDX-License-Identifier: MIT */
#pragma once

/* Calls by io/http-client.h to a scripted server, directly or through its proxy, and what became of them. */

#include "http-peer.h"
#include "io/http-client.h"

#define CALLS_KEY "AIzaSyTestTestTestTestTestTestTestTest0"
#define HELD_MAX  (256U << 20)

/* A way for the calls of the interface. */
typedef struct Way {
        const char *name;
        const char *host; /* of the server's URL */
        const char *proxy; /* scheme and user of the proxy's URL; NULL: there is none */
} Way;

typedef struct Call {
        struct Fixture *f;
        HttpCall *http;
        HttpOutcome outcome;
        int status;
        char cause[HTTP_CAUSE_MAX];
        Buf body, headers;
        unsigned n_sent, n_done, n_data;
        usec_t retry_after;
        HttpTimings timings;
        bool pauses;      /* at each piece of the body */
        bool pauses_head; /* at the first header line */
        bool refuses;     /* the body */
        struct Call *then; /* started in done() */
        /* Of a body that is not held: the letters a to z again and again. */
        size_t n_read, n_ready, n_total;
        int read_error;
} Call;

typedef struct Fixture {
        Loop *loop;
        HttpClient *client;
        Peer peer;
        Secret *key;
        Proxy *proxy; /* of the calls; NULL: none */
        char url[128], host[64];
        Call calls[8];
} Fixture;

extern const Way *calls_by; /* of the fixtures that are made from now on */

int calls_setup(void **state); /* a Fixture */
int calls_teardown(void **state);

/* No URL is the server's, no proxy the fixture's, and no time-out a long one. */
void call_start(Call *c, const HttpCallParams *params);
void call_start_ops(Call *c, const HttpCallParams *params, bool reads);
void call_clear(Call *c); /* cancels it */
void call_get(Call *c);   /* a new one */
void call_post(Call *c);
void call_wait(Call *c); /* for done() */
void call_assert_ends(Call *c, HttpOutcome outcome, int status, const char *body);
/* `words`, behind what tells of a proxy. */
void call_assert_cause(const Call *c, const char *words);
PeerConn *call_assert_works(Call *c); /* a GET from its start to its end, and the connection is kept */
