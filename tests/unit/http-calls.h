/* SPDX-License-Identifier: MIT */
#pragma once

/* Calls by an implementation of io/http-client.h to a scripted server, and what became of them. */

#include "http-peer.h"
#include "io/http-client.h"

#define CALLS_KEY "AIzaSyTestTestTestTestTestTestTestTest0"
#define HELD_MAX  (256U << 20)

typedef struct Implementation {
        const char *name;
        int (*make)(Loop *loop, HttpClient **ret);
        bool trusts_idle; /* does not notice a reset of an idle connection, or bytes that come there */
} Implementation;

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
        char url[128];
        Call calls[8];
} Fixture;

extern const Implementation *calls_by; /* of the fixtures that are made from now on */

int calls_setup(void **state); /* a Fixture */
int calls_teardown(void **state);

/* No URL is the server's, and no time-out a long one. */
void call_start(Call *c, const HttpCallParams *params);
void call_start_ops(Call *c, const HttpCallParams *params, bool reads);
void call_clear(Call *c); /* cancels it */
void call_get(Call *c);   /* a new one */
void call_post(Call *c);
void call_wait(Call *c); /* for done() */
void call_assert_ends(Call *c, HttpOutcome outcome, int status, const char *body);
PeerConn *call_assert_works(Call *c); /* a GET from its start to its end, and the connection is kept */
