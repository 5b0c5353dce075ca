/* SPDX-License-Identifier: MIT */

/*
 * A KeyQueueModel exists as long as a request waits for that model. Two time-out queues serve all models:
 * one for the time when a model's first key frees, one for the time when a waiter gives up.
 *
 * No request is retried uselessly: the first in the queue tries to get a key. If it gets one, the next one
 * tries; if not, the others would not get one either. While the probe of a half-open quota is under way,
 * the queue waits until the probe passes by time, or until the pool notifies of its result and
 * key_queue_kick() is called. The retries then run at the end of the loop's turn, because the pool notifies
 * from within a report.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/trace.h"
#include "server/exchange/key-queue.h"

/* At least the timers' resolution, so that a key that "frees now" causes no busy loop. */
#define SPAN_LEAST (2 * USEC_PER_MSEC)

struct KeyQueueModel {
        List link, places;
        Timeout free; /* when the first key frees */
        size_t n;
        bool serving;
        char name[MODEL_NAME_MAX + 1];
        KeyQueue *queue;
};

struct KeyQueue {
        Loop *loop;
        KeyQueueOps ops;
        TimeoutQueue *free, *over;
        LoopHook hook;
        List models;
        uint64_t last_number;
        KeyQueueCounters counters;
};

static KeyQueueModel *find(const KeyQueue *q, const char *model) {
        LIST_FOREACH(i, &q->models) {
                KeyQueueModel *m = list_entry(i, KeyQueueModel, link);

                if (streq(m->name, model))
                        return m;
        }
        return NULL;
}

static KeyQueueModel *model_new(KeyQueue *q, const char *name) {
        KeyQueueModel *m = calloc(1, sizeof(KeyQueueModel));

        if (!m)
                return NULL;
        memcpy(m->name, name, strlen(name) + 1);
        m->queue = q;
        m->free = TIMEOUT_INIT(m->free);
        list_init(&m->places);
        list_init(&m->link);
        list_append(&q->models, &m->link);
        return m;
}

static void model_free_if_empty(KeyQueueModel *m) {
        if (m->serving || m->n > 0)
                return;
        timeout_stop(&m->free);
        list_unlink(&m->link);
        free(m);
}

static void serve(KeyQueueModel *m) {
        KeyQueue *q = m->queue;
        List *first;

        m->serving = true;
        while ((first = list_first(&m->places))) {
                q->ops.turn(list_entry(first, KeyQueuePlace, link));
                if (list_first(&m->places) == first)
                        break; /* it got no key, so the others would not either */
        }
        m->serving = false;
        model_free_if_empty(m);
}

static void on_free(Timeout *t) {
        serve(CONTAINER_OF(t, KeyQueueModel, free));
}

static void on_over(Timeout *t) {
        KeyQueuePlace *p = CONTAINER_OF(t, KeyQueuePlace, over);
        KeyQueue *q = p->model->queue;

        q->counters.given_up++;
        key_queue_leave(q, p);
        q->ops.over(p);
}

static void on_hook(void *userdata) {
        KeyQueue *q = userdata;

        LIST_FOREACH(i, &q->models)
                serve(list_entry(i, KeyQueueModel, link));
}

/* --- places --- */

const KeyQueueModel *key_queue_find(const KeyQueue *q, const char *model) {
        return q->counters.n_waiting > 0 ? find(q, model) : NULL;
}

usec_t key_queue_span(const KeyQueueModel *m) {
        return list_is_linked(&m->free.link) ? usec_sub(m->free.due, loop_now(m->queue->loop)) : 0;
}

static void place_insert(KeyQueue *q, KeyQueueModel *m, KeyQueuePlace *p) {
        List *before = m->places.prev;

        if (p->number == 0)
                p->number = ++q->last_number;
        while (before != &m->places && list_entry(before, KeyQueuePlace, link)->number > p->number)
                before = before->prev;
        list_append(before->next, &p->link);
}

bool key_queue_join(KeyQueue *q, const char *model, size_t n_bytes, usec_t frees_in, usec_t patience,
                    KeyQueuePlace *p) {
        KeyQueueCounters *c = &q->counters;
        KeyQueueModel *m;

        if (!key_queue_place_is_taken(p)) {
                m = find(q, model);
                if (c->n_waiting >= KEY_QUEUE_PLACES_MAX || n_bytes > KEY_QUEUE_BYTES_MAX - c->n_bytes ||
                    (!m && !(m = model_new(q, model)))) {
                        c->turned_away++;
                        return false;
                }
                place_insert(q, m, p);
                m->n++;
                p->model = m;
                p->n_bytes = n_bytes;
                c->n_waiting++;
                c->n_bytes += n_bytes;
                c->joined++;
                timeout_queue_set_duration(q->over, patience);
                timeout_start(q->over, &p->over);
                trace(queue_join, p->ids, "model %s, %zu in the queue", m->name, m->n);
        }
        if (frees_in != USEC_INFINITY) {
                timeout_queue_set_duration(q->free, MAX(frees_in, SPAN_LEAST));
                timeout_start(q->free, &p->model->free);
        }
        return true;
}

void key_queue_leave(KeyQueue *q, KeyQueuePlace *p) {
        KeyQueueModel *m = p->model;

        if (!key_queue_place_is_taken(p))
                return;
        list_unlink(&p->link);
        timeout_stop(&p->over);
        p->model = NULL;
        m->n--;
        trace(queue_leave, p->ids, "model %s, %zu in the queue", m->name, m->n);
        q->counters.n_waiting--;
        q->counters.n_bytes -= p->n_bytes;
        model_free_if_empty(m);
}

void key_queue_kick(KeyQueue *q) {
        if (q->counters.n_waiting > 0)
                loop_hook_ask(q->loop, &q->hook);
}

/* --- create and free --- */

void key_queue_counters(const KeyQueue *q, KeyQueueCounters *ret) {
        *ret = q->counters;
}

void key_queue_each_model(const KeyQueue *q, void (*f)(const char *model, size_t n, void *userdata),
                          void *userdata) {
        LIST_FOREACH(i, &q->models) {
                const KeyQueueModel *m = list_entry(i, KeyQueueModel, link);

                f(m->name, m->n, userdata);
        }
}

int key_queue_new(Loop *loop, const KeyQueueOps *ops, KeyQueue **ret) {
        _cleanup_(key_queue_freep) KeyQueue *q = NULL;
        int r;

        q = calloc(1, sizeof(KeyQueue));
        if (!q)
                return -ENOMEM;
        q->loop = loop;
        q->ops = *ops;
        list_init(&q->models);
        loop_hook_add(loop, &q->hook, on_hook, q);
        r = timeout_queue_new(loop, 0, on_free, &q->free);
        if (r < 0)
                return r;
        r = timeout_queue_new(loop, 0, on_over, &q->over);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(q);
        return 0;
}

/* All waiters have left. */
KeyQueue *key_queue_free(KeyQueue *q) {
        if (!q)
                return NULL;
        assert(q->counters.n_waiting == 0);
        loop_hook_remove(&q->hook);
        timeout_queue_free(q->free);
        timeout_queue_free(q->over);
        free(q);
        return NULL;
}
