/* SPDX-License-Identifier: MIT */
#pragma once

/* What the load clients share: their request's bytes, connections to 127.0.0.1, and why an answer is bad. */

#include "answer.h"
#include "base/clock.h"

#define WIRE_REQUEST_MAX (64U << 10)

typedef enum Fault {
        FAULT_CONNECT,
        FAULT_STATUS,
        FAULT_BROKEN,     /* closed or garbled inside the framing */
        FAULT_INCOMPLETE, /* ended properly, but not by the mark */
        FAULT_TIMEOUT,
        _FAULT_MAX,
} Fault;

typedef struct WireRequest {
        char bytes[WIRE_REQUEST_MAX];
        size_t n;
} WireRequest;

typedef struct Faults {
        unsigned n[_FAULT_MAX];
        char detail[128]; /* the first one's status line */
} Faults;

/* Reads the bytes of one HTTP request, head and body. */
int wire_read_request(const char *path, WireRequest *ret);

/* A socket that is being connected, in the epoll with `data`, edge-triggered in both directions. */
int wire_connect(uint16_t port, int epoll, void *data);

/* Sends what the socket takes; false if the connection is broken. */
bool wire_send(int fd, const WireRequest *r, size_t *n_sent);

/* Raises the limit of descriptors to the hard one. -EMFILE if n connections do not fit. */
int wire_allow_connections(unsigned n);

/* -1: no verdict yet, or all is well; else the fault. A stream without an end mark is never incomplete. */
int answer_fault(const Answer *a);

void faults_note(Faults *f, Fault fault, unsigned n, const Answer *a);
unsigned faults_total(const Faults *f);

/* Appends each count, the detail, and the end of the object to the line on stdout. */
void faults_print(const Faults *f);
