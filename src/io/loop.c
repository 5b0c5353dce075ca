/* SPDX-License-Identifier: MIT */

/*
 * A turn: sd-event finds the loop's epoll descriptor readable, turn() takes up to BATCH events from
 * it, calls their owners, and then runs the requested hooks. The two libraries do their work in
 * hooks: libcurl's due timeouts, then one MHD_run() for each listener. Both are requested many times a turn
 * and run once. A hook may request another, so hooks run in rounds until none is due; ROUNDS bounds the
 * rounds, and what is left runs in the next turn.
 *
 * Under load more events have arrived by the end of a turn. Then the next turn follows at once, without
 * sd-event's own epoll_wait() and its look at all timers; after TURNS of them sd-event has its turn. A look
 * that finds nothing is a system call for nothing, so there is one only after a turn with several events, or
 * where the last look found some. There is none beside slices, which have a turn of sd-event each.
 *
 * A hook that is requested outside a turn (by a timer, the bus, a signal) enables a defer source of low
 * priority, so that all producers of that wake-up run first: each MHD_run() with a resumption pending costs
 * time in proportion to all suspended connections.
 *
 * Slices have a timer that is always due, at the priority of the descriptors. sd-event dispatches what
 * became ready first, so between two slices it dispatches all that was ready before; a defer source would
 * starve either the others or itself. Each slice ends with the hooks, which would otherwise wait for the
 * last slice.
 *
 * A batch was fetched before its callbacks run, so a callback may drop a watch whose event is still in it;
 * loop_fd_forget() takes such events out.
 */

#include <errno.h>
#include <systemd/sd-event.h>

#include "io/descriptors.h"

#define BATCH 256
#define ROUNDS 16
#define TURNS 8
#define HOOK_PRIORITY 10

struct Loop {
        sd_event *event;
        sd_event_source *hot_source;
        sd_event_source *hook_source;
        sd_event_source *slice_source;
        int epoll_fd;
        List hooks, slices, timeout_queues;
        Descriptors *descriptors;
        bool in_turn;
        bool is_running; /* in loop_run(); else there is one turn at a time */
        bool is_busy;    /* the last look after a turn found events */
        usec_t now; /* CLOCK_MONOTONIC, as sd-event has it for this turn; 0: not in one of its descriptors */

        struct epoll_event batch[BATCH];
        int batch_n, batch_i; /* batch_i: the event being dispatched */
};

/* True if a hook is still due. A hook may remove any other, also the next one, so an element in the list
 * keeps the position. */
static bool run_hooks(Loop *l) {
        LoopHook place = {};
        bool due = true;

        l->in_turn = true;
        for (unsigned round = 0; due && round < ROUNDS; round++) {
                due = false;
                for (List *i = l->hooks.next, *next; i != &l->hooks; i = next) {
                        LoopHook *h = list_entry(i, LoopHook, link);

                        next = i->next;
                        if (!h->due)
                                continue;
                        list_append(next, &place.link); /* before the next one */
                        h->due = false;
                        h->fn(h->userdata);
                        due = true;
                        next = place.link.next;
                        list_unlink(&place.link);
                }
        }
        l->in_turn = false;
        if (due)
                (void) sd_event_source_set_enabled(l->hook_source, SD_EVENT_ONESHOT);
        return due;
}

/* True if another turn should follow at once. */
static bool turn(Loop *l) {
        int n = l->batch_n;

        l->in_turn = true;
        for (l->batch_i = 0; l->batch_i < n; l->batch_i++) {
                LoopFd *w = l->batch[l->batch_i].data.ptr;

                if (w)
                        w->fn(l->batch[l->batch_i].events, w->userdata);
        }
        l->batch_n = 0;
        return !run_hooks(l) && l->is_running && list_is_empty(&l->slices) && (n > 1 || l->is_busy);
}

static int on_hot(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        Loop *l = userdata;

        int r = 0;

        l->now = loop_now(l);
        for (unsigned i = 0; i < TURNS; i++) {
                l->batch_n = epoll_wait(fd, l->batch, BATCH, 0);
                if (l->batch_n < 0 && errno != EINTR)
                        r = -errno;
                if (i > 0)
                        l->is_busy = l->batch_n > 0;
                if (l->batch_n <= 0)
                        break;
                if (i > 0)
                        l->now = clock_monotonic();
                if (!turn(l))
                        break;
        }
        l->now = 0;
        return r;
}

static int on_hooks(sd_event_source *s _unused_, void *userdata) {
        (void) run_hooks(userdata);
        return 0;
}

static int on_slice(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Loop *l = userdata;
        LoopSlice *s;

        if (list_is_empty(&l->slices))
                return 0;
        s = list_entry(l->slices.next, LoopSlice, link);
        /* To the end, before it may be freed. */
        list_unlink(&s->link);
        list_append(&l->slices, &s->link);
        l->in_turn = true;
        s->fn(s->userdata);
        (void) run_hooks(l);
        if (!list_is_empty(&l->slices))
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

int loop_new(Loop **ret) {
        _cleanup_(loop_freep) Loop *l = NULL;
        int r;

        l = calloc(1, sizeof(Loop));
        if (!l)
                return -ENOMEM;
        l->epoll_fd = -1;
        list_init(&l->hooks);
        list_init(&l->slices);
        list_init(&l->timeout_queues);
        l->descriptors = descriptors_new(l);
        if (!l->descriptors)
                return -ENOMEM;

        r = sd_event_new(&l->event);
        if (r < 0)
                return r;
        l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (l->epoll_fd < 0)
                return -errno;
        r = sd_event_add_io(l->event, &l->hot_source, l->epoll_fd, EPOLLIN, on_hot, l);
        if (r < 0)
                return r;
        r = sd_event_add_defer(l->event, &l->hook_source, on_hooks, l);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(l->hook_source, HOOK_PRIORITY);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(l->hook_source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(l->event, &l->slice_source, CLOCK_MONOTONIC, 0, 1, on_slice, l);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(l->slice_source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

Loop *loop_free(Loop *l) {
        if (!l)
                return NULL;

        descriptors_free(l->descriptors);
        assert(list_is_empty(&l->hooks) && list_is_empty(&l->slices) && list_is_empty(&l->timeout_queues));
        sd_event_source_unref(l->slice_source);
        sd_event_source_unref(l->hook_source);
        sd_event_source_unref(l->hot_source);
        (void) safe_close(l->epoll_fd);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

sd_event *loop_event(Loop *l) {
        return l->event;
}

Descriptors *loop_descriptors(Loop *l) {
        return l->descriptors;
}

List *loop_timeout_queues(Loop *l) {
        return &l->timeout_queues;
}

usec_t loop_now(Loop *l) {
        usec_t now;

        if (l->now > 0)
                return l->now;
        /* > 0: the loop has not run yet, and the call read the clock. */
        if (sd_event_now(l->event, CLOCK_MONOTONIC, &now) < 0)
                return clock_monotonic();
        return now;
}

int loop_run(Loop *l) {
        int r;

        l->is_running = true;
        r = sd_event_loop(l->event);
        l->is_running = false;
        return r;
}

void loop_exit(Loop *l, int code) {
        l->is_running = false;
        (void) sd_event_exit(l->event, code);
}

int loop_fd_add(Loop *l, LoopFd *w, int fd, uint32_t events, LoopFdFn fn, void *userdata) {
        struct epoll_event e = { .events = events, .data.ptr = w };

        if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
                return -errno;
        *w = (LoopFd){ .fd = fd, .events = events, .fn = fn, .userdata = userdata };
        return 0;
}

int loop_fd_modify(Loop *l, LoopFd *w, uint32_t events) {
        struct epoll_event e = { .events = events, .data.ptr = w };

        if (w->events == events)
                return 0;
        if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &e) < 0)
                return -errno;
        w->events = events;
        return 0;
}

void loop_fd_forget(Loop *l, LoopFd *w) {
        for (int i = l->batch_i; i < l->batch_n; i++)
                if (l->batch[i].data.ptr == w)
                        l->batch[i].data.ptr = NULL;
        w->fd = -1;
}

void loop_fd_remove(Loop *l, LoopFd *w) {
        if (w->fd < 0)
                return;
        (void) epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
        loop_fd_forget(l, w);
}

void loop_hook_add(Loop *l, LoopHook *h, void (*fn)(void *userdata), void *userdata) {
        *h = (LoopHook){ .fn = fn, .userdata = userdata };
        list_append(&l->hooks, &h->link);
}

void loop_hook_remove(LoopHook *h) {
        h->due = false;
        if (h->link.next)
                list_unlink(&h->link);
}

void loop_hook_ask(Loop *l, LoopHook *h) {
        if (h->due)
                return;
        h->due = true;
        if (!l->in_turn)
                (void) sd_event_source_set_enabled(l->hook_source, SD_EVENT_ONESHOT);
}

void loop_hook_ask_all(Loop *l) {
        LIST_FOREACH(i, &l->hooks)
                loop_hook_ask(l, list_entry(i, LoopHook, link));
}

void loop_slice_add(Loop *l, LoopSlice *s, void (*fn)(void *userdata), void *userdata) {
        *s = (LoopSlice){ .fn = fn, .userdata = userdata };
        list_append(&l->slices, &s->link);
        (void) sd_event_source_set_enabled(l->slice_source, SD_EVENT_ONESHOT);
}

void loop_slice_remove(LoopSlice *s) {
        if (s->link.next)
                list_unlink(&s->link);
        s->link = (List){};
}
