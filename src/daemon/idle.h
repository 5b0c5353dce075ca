/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * IDLE_EXIT: after a time without requests the daemon may exit; systemd holds the sockets and starts it
 * again at the next connection. This adds no cost to a request: one timer fires when the time could be
 * over, and is set again if there was a request meanwhile.
 */

#include "io/loop.h"

typedef struct Idle Idle;

typedef struct IdleParams {
        Loop *loop;
        usec_t after;
        usec_t (*quiet_since)(
                void *userdata); /* CLOCK_MONOTONIC; USEC_INFINITY while something is under way */
        void (*over)(void *userdata);          /* called once */
        void *userdata;
} IdleParams;

int idle_new(const IdleParams *p, Idle **ret);
Idle *idle_free(Idle *i);
DEFINE_CLEANUP(Idle *, idle_free);
