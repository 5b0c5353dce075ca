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
 *
 * No client and no model takes all places (and the memory of their bodies). A client may have as many in all
 * queues as are free besides, and in one model's queue as many as it may still have. So a client alone has a
 * third of them for one model and half for all, and some are always free for others.
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

/* What a client has in a model's queue. */
struct KeyQueueShare {
        List link;
        Secret *client; /* NULL: requests without a token */
        const KeyQueueModel *model;
        size_t n, n_bytes;
};

struct KeyQueue {
        Loop *loop;
        KeyQueueOps ops;
        TimeoutQueue *free, *over;
        LoopHook hook;
        List models, shares;
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

/* --- shares --- */

static bool is_client(const KeyQueueShare *s, const Secret *client) {
        return s->client == client || (s->client && client && secret_compare(s->client, client) == 0);
}

static KeyQueueShare *share_find(const KeyQueue *q, const Secret *client, const KeyQueueModel *m) {
        LIST_FOREACH(i, &q->shares) {
                KeyQueueShare *s = list_entry(i, KeyQueueShare, link);

                if (s->model == m && is_client(s, client))
                        return s;
        }
        return NULL;
}

static KeyQueueShare *share_new(KeyQueue *q, Secret *client, const KeyQueueModel *m) {
        KeyQueueShare *s = calloc(1, sizeof(KeyQueueShare));

        if (!s)
                return NULL;
        s->client = client ? secret_ref(client) : NULL;
        s->model = m;
        list_append(&q->shares, &s->link);
        return s;
}

static void share_free_if_empty(KeyQueueShare *s) {
        if (s->n > 0)
                return;
        list_unlink(&s->link);
        (void) secret_unref(s->client);
        free(s);
}

/* `free` of something are left; the client has some in all, a part of them in this queue, and wants more. */
static bool is_fair(size_t free, size_t in_all, size_t here, size_t more) {
        return free >= in_all && free - in_all >= here && free - in_all - here >= more;
}

/* True if there is a place, and the client does not have its share yet. */
static bool has_room(const KeyQueue *q, const Secret *client, const KeyQueueModel *m, size_t n_bytes) {
        const KeyQueueCounters *c = &q->counters;
        KeyQueueShare all = {}, here = {};

        LIST_FOREACH(i, &q->shares) {
                const KeyQueueShare *s = list_entry(i, KeyQueueShare, link);

                if (!is_client(s, client))
                        continue;
                all.n += s->n;
                all.n_bytes += s->n_bytes;
                if (s->model == m)
                        here = *s;
        }
        return is_fair(KEY_QUEUE_PLACES_MAX - c->n_waiting, all.n, here.n, 1) &&
               is_fair(KEY_QUEUE_BYTES_MAX - c->n_bytes, all.n_bytes, here.n_bytes, n_bytes);
}

static KeyQueueShare *share_acquire(KeyQueue *q, const KeyQueuePlace *p, const KeyQueueModel *m) {
        return share_find(q, p->client, m) ?: share_new(q, p->client, m);
}

/* A place for a new waiter; false if there is none. */
static bool place_take(KeyQueue *q, const char *model, size_t n_bytes, KeyQueuePlace *p) {
        KeyQueueModel *m = find(q, model);

        if (!has_room(q, p->client, m, n_bytes) || (!m && !(m = model_new(q, model))))
                return false;
        p->share = share_acquire(q, p, m);
        if (!p->share) {
                model_free_if_empty(m);
                return false;
        }
        p->model = m;
        p->n_bytes = n_bytes;
        m->n++;
        p->share->n++;
        p->share->n_bytes += n_bytes;
        q->counters.n_waiting++;
        q->counters.n_bytes += n_bytes;
        place_insert(q, m, p);
        return true;
}

bool key_queue_join(KeyQueue *q, const char *model, size_t n_bytes, usec_t frees_in, usec_t patience,
                    KeyQueuePlace *p) {
        if (!key_queue_place_is_taken(p)) {
                if (!place_take(q, model, n_bytes, p)) {
                        q->counters.turned_away += !p->is_turned_away;
                        p->is_turned_away = true;
                        return false;
                }
                q->counters.joined += !p->is_counted;
                p->is_counted = true;
                timeout_queue_set_duration(q->over, patience);
                timeout_start(q->over, &p->over);
                trace(queue_join, p->ids, "model %s, %zu in the queue", p->model->name, p->model->n);
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
        p->share->n--;
        p->share->n_bytes -= p->n_bytes;
        share_free_if_empty(TAKE_PTR(p->share));
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
        list_init(&q->shares);
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
