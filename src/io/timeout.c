/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <systemd/sd-event.h>

#include "io/timeout.h"

/* sd-event takes 0 for an accuracy of 250 ms and coalesces by it, so a real accuracy is needed. */
#define ACCURACY (1 * USEC_PER_MSEC)

struct TimeoutQueue {
        List link; /* all queues of the loop */
        Loop *loop;
        usec_t duration;
        TimeoutFn fn;
        List entries;
        sd_event_source *timer;
        usec_t armed; /* when it fires; 0: off */
};

static void arm(TimeoutQueue *q, usec_t due) {
        (void) sd_event_source_set_time(q->timer, due);
        (void) sd_event_source_set_enabled(q->timer, SD_EVENT_ONESHOT);
        q->armed = due;
}

/* Timers of queues that have become empty would each wake up an idle loop once, for nothing. The first one
 * that fires ends them all. */
static void disarm_empty(Loop *l) {
        LIST_FOREACH(i, loop_timeout_queues(l)) {
                TimeoutQueue *q = list_entry(i, TimeoutQueue, link);

                if (q->armed == 0 || !list_is_empty(&q->entries))
                        continue;
                (void) sd_event_source_set_enabled(q->timer, SD_EVENT_OFF);
                q->armed = 0;
        }
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        TimeoutQueue *q = userdata;
        usec_t now = loop_now(q->loop);
        List *first;

        q->armed = 0;
        while ((first = list_first(&q->entries))) {
                Timeout *t = list_entry(first, Timeout, link);

                if (t->due > now) {
                        arm(q, t->due);
                        break;
                }
                list_unlink(&t->link);
                q->fn(t);
        }
        if (!first)
                disarm_empty(q->loop);
        return 0;
}

int timeout_queue_new(Loop *l, usec_t duration, TimeoutFn fn, TimeoutQueue **ret) {
        _cleanup_(timeout_queue_freep) TimeoutQueue *q = NULL;
        int r;

        q = calloc(1, sizeof(TimeoutQueue));
        if (!q)
                return -ENOMEM;
        *q = (TimeoutQueue){ .loop = l, .duration = duration, .fn = fn };
        list_init(&q->link);
        list_init(&q->entries);
        r = sd_event_add_time(loop_event(l), &q->timer, CLOCK_MONOTONIC, 0, ACCURACY, on_timer, q);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(q->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        list_append(loop_timeout_queues(l), &q->link);
        *ret = TAKE_PTR(q);
        return 0;
}

TimeoutQueue *timeout_queue_free(TimeoutQueue *q) {
        if (!q)
                return NULL;
        LIST_FOREACH(i, &q->entries)
                list_unlink(i);
        list_unlink(&q->link);
        sd_event_source_unref(q->timer);
        free(q);
        return NULL;
}

void timeout_start(TimeoutQueue *q, Timeout *t) {
        List *before;

        list_unlink(&t->link);
        before = q->entries.prev;
        t->due = usec_add(loop_now(q->loop), q->duration);
        while (before != &q->entries && list_entry(before, Timeout, link)->due > t->due)
                before = before->prev;
        list_append(before->next, &t->link);
        if (q->armed == 0 || t->due < q->armed)
                arm(q, t->due);
}

void timeout_queue_set_duration(TimeoutQueue *q, usec_t duration) {
        q->duration = duration;
}

void timeout_stop(Timeout *t) {
        list_unlink(&t->link);
}
