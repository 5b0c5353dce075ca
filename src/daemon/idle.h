/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * IDLE_EXIT: when nothing was asked for so long, the daemon may go; systemd holds the sockets and starts it
 * again with the next connection. It costs a request nothing: one timer looks when the time could be over,
 * and looks again later if something happened meanwhile. /
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
