/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A thread beside the loop, for work that would hold the loop too long and cannot be cut into slices, such
 * as reading a body of many MiB. It carries out one task after another, in the order in which they came.
 *
 * A task is a member of its owner. It belongs to one side at a time: to the thread while run() lasts, else
 * to the loop. So run() touches only what the task owns, or what does not change while the task lasts.
 */

#include "base/list.h"
#include "base/macros.h"
#include "io/forward.h"
#include "io/loop.h"

typedef struct WorkerTask WorkerTask;

typedef enum WorkerState {
        WORKER_IDLE, /* not added, or done */
        WORKER_WAITING,
        WORKER_RUNNING,
        WORKER_FINISHED, /* done() comes in a later turn of the loop */
} WorkerState;

struct WorkerTask {
        void (*run)(WorkerTask *t);  /* in the thread */
        void (*done)(WorkerTask *t); /* in the loop, behind run(); may free the task */
        void (*drop)(WorkerTask *t); /* in the loop: frees a task that was dropped */

        bool pending; /* of the loop: between worker_add() and done(), or worker_drop() */

        List link; /* the rest is the worker's */
        WorkerState state;
        bool dropped;
};

int worker_new(Loop *l, Worker **ret);
Worker *worker_free(Worker *w); /* every task is done or dropped; waits for the end of one that runs */
DEFINE_CLEANUP(Worker *, worker_free);

void worker_add(Worker *w, WorkerTask *t);

/* Instead of done(), drop() is called: at once, or if the task is running when that has ended. So this waits
 * for nothing, and the caller forgets the task. */
void worker_drop(Worker *w, WorkerTask *t);

/* Lets the thread's part of the allocator give back what is free (base/memory). */
void worker_give_back(Worker *w);
