/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "exchange-fakes.h"
#include "io/give-back.h"
#include "io/timeout.h"
#include "io/timer.h"

struct TimeoutQueue {
        List link, entries;
        Loop *loop;
        usec_t duration;
        TimeoutFn fn;
};

struct Timer {
        List link;
        Loop *loop;
        usec_t due;
        void (*fn)(void *userdata);
        void *userdata;
};

void fake_loop_init(Loop *l) {
        *l = (Loop){ .now = USEC_PER_HOUR };
        list_init(&l->hooks);
        list_init(&l->queues);
        list_init(&l->timers);
}

usec_t loop_now(Loop *l) {
        return l->now;
}

/* --- hooks --- */

void loop_hook_add(Loop *l, LoopHook *h, void (*fn)(void *userdata), void *userdata) {
        *h = (LoopHook){ .fn = fn, .userdata = userdata };
        list_init(&h->link);
        list_append(&l->hooks, &h->link);
}

void loop_hook_remove(LoopHook *h) {
        if (h->fn)
                list_unlink(&h->link);
        h->due = false;
}

void loop_hook_ask(Loop *l, LoopHook *h) {
        h->due = true;
}

static LoopHook *due_hook(const Loop *l) {
        for (List *i = l->hooks.next; i != &l->hooks; i = i->next)
                if (list_entry(i, LoopHook, link)->due)
                        return list_entry(i, LoopHook, link);
        return NULL;
}

void fake_loop_turn(Loop *l) {
        LoopHook *h;

        while ((h = due_hook(l))) {
                h->due = false;
                h->fn(h->userdata);
        }
}

/* --- time-outs --- */

int timeout_queue_new(Loop *l, usec_t duration, TimeoutFn fn, TimeoutQueue **ret) {
        TimeoutQueue *q = calloc(1, sizeof(TimeoutQueue));

        assert_non_null(q);
        *q = (TimeoutQueue){ .loop = l, .duration = duration, .fn = fn };
        list_init(&q->entries);
        list_append(&l->queues, &q->link);
        return *ret = q, 0;
}

TimeoutQueue *timeout_queue_free(TimeoutQueue *q) {
        if (!q)
                return NULL;
        assert_true(list_is_empty(&q->entries));
        list_unlink(&q->link);
        free(q);
        return NULL;
}

void timeout_queue_set_duration(TimeoutQueue *q, usec_t duration) {
        q->duration = duration;
}

void timeout_start(TimeoutQueue *q, Timeout *t) {
        List *before;

        list_unlink(&t->link);
        t->due = usec_add(q->loop->now, q->duration);
        before = q->entries.prev;
        while (before != &q->entries && list_entry(before, Timeout, link)->due > t->due)
                before = before->prev;
        list_append(before->next, &t->link);
}

void timeout_stop(Timeout *t) {
        list_unlink(&t->link);
}

/* --- timers --- */

int timer_new(Loop *l, usec_t after, void (*fn)(void *userdata), void *userdata, Timer **ret) {
        Timer *t;

        if (l->fail_timers) {
                l->fail_timers = false;
                l->timer_failed = l->now;
                return -ENOMEM;
        }
        t = calloc(1, sizeof(Timer));
        assert_non_null(t);
        *t = (Timer){ .loop = l, .due = usec_add(l->now, after), .fn = fn, .userdata = userdata };
        list_append(&l->timers, &t->link);
        l->n_timers++;
        return *ret = t, 0;
}

Timer *timer_free(Timer *t) {
        if (!t)
                return NULL;
        t->loop->n_timers--;
        list_unlink(&t->link);
        free(t);
        return NULL;
}

/* --- time --- */

void fake_loop_pass(Loop *l, usec_t span) {
        usec_t end = l->now + span;

        for (;;) {
                usec_t due = end + 1;
                TimeoutQueue *q = NULL;
                Timer *timer = NULL;

                LIST_FOREACH(i, &l->queues) {
                        TimeoutQueue *k = list_entry(i, TimeoutQueue, link);
                        List *first = list_first(&k->entries);

                        if (first && list_entry(first, Timeout, link)->due < due) {
                                q = k;
                                due = list_entry(first, Timeout, link)->due;
                        }
                }
                LIST_FOREACH(i, &l->timers)
                        if (list_entry(i, Timer, link)->due < due) {
                                timer = list_entry(i, Timer, link);
                                due = timer->due;
                        }
                if (!q && !timer)
                        break;
                l->now = MAX(l->now, due);
                if (timer) {
                        timer->due = USEC_INFINITY; /* once */
                        timer->fn(timer->userdata);
                } else {
                        Timeout *t = list_entry(list_first(&q->entries), Timeout, link);

                        list_unlink(&t->link);
                        q->fn(t);
                }
                fake_loop_turn(l);
        }
        l->now = end;
}

unsigned fake_loop_n_running(const Loop *l) {
        unsigned n = l->n_timers;

        for (List *i = l->queues.next; i != &l->queues; i = i->next) {
                const TimeoutQueue *q = list_entry(i, TimeoutQueue, link);

                for (List *j = q->entries.next; j != &q->entries; j = j->next)
                        n++;
        }
        return n;
}

/* --- the worker --- */

void worker_add(Worker *w, WorkerTask *t) {
        assert_false(t->pending);
        t->pending = true;
        list_append(&w->waiting, &t->link);
}

void worker_drop(Worker *w, WorkerTask *t) {
        assert_true(t->pending);
        t->pending = false;
        t->dropped = true;
        if (t == w->running)
                return;
        list_unlink(&t->link);
        t->drop(t);
}

void fake_worker_work(Worker *w) {
        WorkerTask *t = TAKE_PTR(w->running);
        List *first = list_first(&w->waiting);

        if (t) {
                t->pending = false;
                (t->dropped ? t->drop : t->done)(t);
        } else if (first) {
                list_unlink(first);
                w->running = list_entry(first, WorkerTask, link);
                w->running->run(w->running);
        }
}

unsigned fake_worker_n_pending(const Worker *w) {
        unsigned n = w->running && w->running->pending;

        for (List *i = w->waiting.next; i != &w->waiting; i = i->next)
                n++;
        return n;
}

void give_back_start(GiveBack *g) {
}
