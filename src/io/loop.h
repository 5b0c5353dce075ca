/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The event loop. sd-event is the outer loop (signals, timers, the bus, the watchdog). The descriptors that
 * are busy on every request are in the loop's own epoll instance, whose one descriptor sd-event watches:
 * sd-event needs one epoll_wait() for each source that it dispatches, the loop's own instance one for up to
 * 256 descriptors. See loop.c.
 */

#include <sys/epoll.h>

#include "base/clock.h"
#include "base/list.h"

typedef struct sd_event sd_event;
typedef struct Loop Loop;
typedef struct Descriptors Descriptors;

int loop_new(Loop **ret);
Loop *loop_free(Loop *l);
DEFINE_CLEANUP(Loop *, loop_free);

sd_event *loop_event(Loop *l); /* borrowed */
Descriptors *loop_descriptors(Loop *l); /* borrowed: io/descriptors.h */
usec_t loop_now(Loop *l);      /* CLOCK_MONOTONIC at the start of this turn: no system call */
List *loop_timeout_queues(Loop *l); /* io/timeout's */
int loop_run(Loop *l);         /* until loop_exit(); returns its code, or −errno */
void loop_exit(Loop *l, int code);

/* --- a hot descriptor; embedded in its owner, which may free it inside any callback --- */
typedef struct LoopFd LoopFd;
typedef void (*LoopFdFn)(uint32_t events, void *userdata);

struct LoopFd {
        int fd; /* -1: not watched */
        uint32_t events;
        LoopFdFn fn;
        void *userdata;
};

#define LOOP_FD_NULL ((LoopFd){ .fd = -1 })

int loop_fd_add(Loop *l, LoopFd *w, int fd, uint32_t events, LoopFdFn fn, void *userdata);
int loop_fd_modify(Loop *l, LoopFd *w, uint32_t events);
void loop_fd_remove(Loop *l, LoopFd *w); /* before the descriptor is closed; harmless if not watched */
void loop_fd_forget(Loop *l, LoopFd *w); /* the descriptor is closed already, or is being closed */

/* --- a hook: runs once at the end of a turn, however often it is requested; may find nothing to do --- */
typedef struct LoopHook LoopHook;

struct LoopHook {
        List link;
        bool due;
        void (*fn)(void *userdata);
        void *userdata;
};

void loop_hook_add(Loop *l, LoopHook *h, void (*fn)(void *userdata), void *userdata);
void loop_hook_remove(LoopHook *h);
void loop_hook_ask(Loop *l, LoopHook *h);
void loop_hook_ask_all(Loop *l);

/* --- a slice: a part of a long piece of work, such as an answer about 100,000 keys ---
 *
 * fn() is called again and again, until the slice is removed, and does about a millisecond's work each time.
 * Between two calls all other events are handled. Several works take turns. */
typedef struct LoopSlice LoopSlice;

struct LoopSlice {
        List link; /* all zero: not added */
        void (*fn)(void *userdata); /* may remove its slice, and free it */
        void *userdata;
};

void loop_slice_add(Loop *l, LoopSlice *s, void (*fn)(void *userdata), void *userdata);
void loop_slice_remove(LoopSlice *s); /* harmless if it is not added */
