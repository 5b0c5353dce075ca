/* SPDX-License-Identifier: MIT */
#pragma once

/* One epoll set and one heap of timers: all that the simulator waits for. */

#include "base/clock.h"
#include "base/list.h"

typedef struct Loop Loop;
typedef struct Source Source;
typedef struct Timer Timer;

/* Embedded in what owns the descriptor. One that is freed while a batch of events is under way may still be
 * named in that batch: it is buried, and destroyed after the batch. */
struct Source {
        void (*ready)(Source *s, uint32_t events);
        void (*destroy)(Source *s);
        List grave;
        bool buried;
};

/* Embedded in its owner; all zero is a disarmed timer. Fires once. */
struct Timer {
        void (*fire)(Timer *t);
        usec_t when;
        size_t slot; /* place in the heap + 1; 0 means disarmed */
};

int loop_new(Loop **ret);
Loop *loop_free(Loop *l);
DEFINE_CLEANUP(Loop *, loop_free);

int loop_run(Loop *l); /* until loop_stop() */
void loop_stop(Loop *l);
usec_t loop_now(const Loop *l); /* monotonic, as of this turn */

int loop_add(Loop *l, int fd, uint32_t events, Source *s);
int loop_change(Loop *l, int fd, uint32_t events, Source *s);
void loop_bury(Loop *l, Source *s);

int timer_arm(Loop *l, Timer *t, usec_t when); /* also moves an armed one */
void timer_disarm(Loop *l, Timer *t);
