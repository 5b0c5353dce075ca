/* SPDX-License-Identifier: MIT */
#pragma once

/* Calls over a pool whose dials and connections are doubles. */

#include "http-doubles.h"

#define HOST "http://one.test"
#define SAFE "https://one.test"

typedef struct Call {
        HttpCall *http;
        unsigned n_done, n_sent;
        HttpOutcome outcome;
        int status;
        char cause[HTTP_CAUSE_MAX], body[64];
        bool refuses;
} Call;

typedef struct Fixture {
        Loop *loop;
        HttpClient *client;
        usec_t connect_timeout;
        Call calls[MANY];
} Fixture;

int pool_setup(void **state);       /* a Fixture */
int pool_setup_short(void **state); /* its idle connections, and waits for descriptors, end soon */
int pool_teardown(void **state);

int start_as(Fixture *f, size_t i, const HttpCallParams *p, bool reads);
void start(Fixture *f, size_t i, const char *url);
void assert_done(const Call *c, HttpOutcome outcome);
HttpWork *work_of(const Call *c);
