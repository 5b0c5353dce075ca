/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the walk of the exchanges puts in the place of io: a clock that the walk moves, the loop's timers and
 * hooks that go by it, and a worker whose thread the walk is. They have the names of the real ones, so the
 * linker takes these.
 */

#include "base/clock.h"
#include "base/list.h"
#include "io/loop.h"
#include "io/worker.h"

struct Loop {
        usec_t now;
        List hooks, queues, timers;
        unsigned n_timers;
        usec_t timer_failed; /* the last time */
        bool fail_timers; /* the next timer_new() has no memory */
};

void fake_loop_init(Loop *l);
void fake_loop_turn(Loop *l);              /* the end of a turn: the hooks that are due */
void fake_loop_pass(Loop *l, usec_t span); /* time passes, and what comes due is called in order */
unsigned fake_loop_n_running(const Loop *l); /* time-outs and timers that run */

struct Worker {
        List waiting;
        WorkerTask *running; /* its run() is over, and its end is not reported yet */
};

void fake_worker_work(Worker *w);               /* begins a task, or ends the one that runs */
unsigned fake_worker_n_pending(const Worker *w); /* tasks that were not dropped */
