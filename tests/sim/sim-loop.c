/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/epoll.h>

#include "sim-loop.h"

#define LOOP_BATCH 256

struct Loop {
        int fd;
        bool stop;
        bool coarse; /* the kernel has no epoll_pwait2(): whole milliseconds */
        usec_t now;
        Timer **heap;
        size_t n_timers;
        size_t n_heap;
        List graves;
};

int loop_new(Loop **ret) {
        _cleanup_(loop_freep) Loop *l = NULL;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        list_init(&l->graves);
        l->now = clock_monotonic();
        l->fd = epoll_create1(EPOLL_CLOEXEC);
        if (l->fd < 0)
                return -errno;

        *ret = TAKE_PTR(l);
        return 0;
}

static void loop_empty_graves(Loop *l) {
        while (!list_is_empty(&l->graves)) {
                Source *s = list_entry(list_first(&l->graves), Source, grave);

                list_unlink(&s->grave);
                s->destroy(s);
        }
}

Loop *loop_free(Loop *l) {
        if (!l)
                return NULL;
        loop_empty_graves(l);
        safe_close(l->fd);
        free(l->heap);
        free(l);
        return NULL;
}

void loop_stop(Loop *l) {
        l->stop = true;
}

usec_t loop_now(const Loop *l) {
        return l->now;
}

static int loop_ctl(Loop *l, int op, int fd, uint32_t events, Source *s) {
        struct epoll_event e = { .events = events, .data.ptr = s };

        return epoll_ctl(l->fd, op, fd, &e) < 0 ? -errno : 0;
}

int loop_add(Loop *l, int fd, uint32_t events, Source *s) {
        return loop_ctl(l, EPOLL_CTL_ADD, fd, events, s);
}

int loop_change(Loop *l, int fd, uint32_t events, Source *s) {
        return loop_ctl(l, EPOLL_CTL_MOD, fd, events, s);
}

void loop_bury(Loop *l, Source *s) {
        if (s->buried)
                return;
        s->buried = true;
        list_init(&s->grave);
        list_append(&l->graves, &s->grave);
}

/* --- timers: a binary heap; each timer knows its own place, so that disarming is cheap too --- */

static void heap_put(Loop *l, size_t i, Timer *t) {
        l->heap[i] = t;
        t->slot = i + 1;
}

static void heap_sift(Loop *l, size_t i, Timer *t) {
        for (; i > 0 && l->heap[(i - 1) / 2]->when > t->when; i = (i - 1) / 2)
                heap_put(l, i, l->heap[(i - 1) / 2]);

        for (;;) {
                size_t child = 2 * i + 1;

                if (child + 1 < l->n_timers && l->heap[child + 1]->when < l->heap[child]->when)
                        child++;
                if (child >= l->n_timers || l->heap[child]->when >= t->when)
                        break;
                heap_put(l, i, l->heap[child]);
                i = child;
        }
        heap_put(l, i, t);
}

int timer_arm(Loop *l, Timer *t, usec_t when) {
        size_t i;

        if (t->slot > 0)
                i = t->slot - 1;
        else {
                if (l->n_timers == l->n_heap) {
                        size_t size = MAX(l->n_heap * 2, 64U);
                        Timer **heap = realloc(l->heap, size * sizeof(*heap));

                        if (!heap)
                                return -ENOMEM;
                        l->heap = heap;
                        l->n_heap = size;
                }
                i = l->n_timers++;
                l->heap[i] = t;
        }

        t->when = when;
        heap_sift(l, i, t);
        return 0;
}

void timer_disarm(Loop *l, Timer *t) {
        Timer *last;
        size_t i;

        if (t->slot == 0)
                return;

        i = t->slot - 1;
        t->slot = 0;
        last = l->heap[--l->n_timers];
        if (last != t)
                heap_sift(l, i, last);
}

static void loop_fire(Loop *l) {
        while (l->n_timers > 0 && l->heap[0]->when <= l->now) {
                Timer *t = l->heap[0];

                timer_disarm(l, t);
                t->fire(t);
        }
}

static int loop_wait(Loop *l, struct epoll_event *events) {
        usec_t left = 0;
        struct timespec ts;
        bool forever = l->n_timers == 0;
        int n;

        if (!forever)
                left = usec_sub(l->heap[0]->when, clock_monotonic());

        if (!l->coarse) {
                ts = (struct timespec){ .tv_sec = (time_t) (left / USEC_PER_SEC),
                                        .tv_nsec = (long) (left % USEC_PER_SEC * 1000) };
                n = epoll_pwait2(l->fd, events, LOOP_BATCH, forever ? NULL : &ts, NULL);
                if (n >= 0 || errno == EINTR)
                        return MAX(n, 0);
                if (errno != ENOSYS && errno != EPERM)
                        return -errno;
                l->coarse = true;
        }

        left = (left + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        n = epoll_wait(l->fd, events, LOOP_BATCH, forever ? -1 : (int) MIN(left, 60000U));
        return n >= 0 || errno == EINTR ? MAX(n, 0) : -errno;
}

int loop_run(Loop *l) {
        struct epoll_event events[LOOP_BATCH];

        while (!l->stop) {
                int n = loop_wait(l, events);

                if (n < 0)
                        return n;
                l->now = clock_monotonic();
                for (int i = 0; i < n; i++) {
                        Source *s = events[i].data.ptr;

                        if (!s->buried)
                                s->ready(s, events[i].events);
                }
                loop_fire(l);
                loop_empty_graves(l);
        }
        return 0;
}
