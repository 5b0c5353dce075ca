/* SPDX-License-Identifier: MIT */

/*
 * There is a LineModel for as long as somebody waits for that model. When its first key frees is a time-out
 * of a queue that all models share, and so is when each of those who wait gives up.
 *
 * Nobody is woken who cannot go: the first in the line tries to get a key; if it does, the next one is
 * asked, and when one does not, all behind it would not either. While the probe of a half-open quota is out,
 * that is so for a second or until it is back, which the pool tells and line_kick() brings here. The turns
 * are at the end of the loop's turn then, since the pool tells in the middle of things.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "server/exchange/key-queue.h"

/* As long as a turn of the timers, so that a key that "frees now" is not asked for in a circle. */
#define SPAN_LEAST (2 * USEC_PER_MSEC)

struct LineModel {
        List link, places;
        Timeout free; /* when the first key frees */
        size_t n;
        bool serving;
        char name[MODEL_NAME_MAX + 1];
        Line *line;
};

struct Line {
        Loop *loop;
        LineOps ops;
        TimeoutQueue *free, *over;
        LoopHook hook;
        List models;
        uint64_t last_number;
        LineCounters counters;
};

static LineModel *find(const Line *l, const char *model) {
        LIST_FOREACH (i, &l->models) {
                LineModel *m = list_entry(i, LineModel, link);

                if (streq(m->name, model))
                        return m;
        }
        return NULL;
}

static LineModel *model_new(Line *l, const char *name) {
        LineModel *m = calloc(1, sizeof(LineModel));

        if (!m)
                return NULL;
        memcpy(m->name, name, strlen(name) + 1);
        m->line = l;
        m->free = TIMEOUT_INIT(m->free);
        list_init(&m->places);
        list_init(&m->link);
        list_append(&l->models, &m->link);
        return m;
}

static void model_free_if_empty(LineModel *m) {
        if (m->serving || m->n > 0)
                return;
        timeout_stop(&m->free);
        list_unlink(&m->link);
        free(m);
}

static void serve(LineModel *m) {
        Line *l = m->line;
        List *first;

        m->serving = true;
        while ((first = list_first(&m->places))) {
                l->ops.turn(list_entry(first, LinePlace, link));
                if (list_first(&m->places) == first)
                        break; /* it could not go: neither could the others */
        }
        m->serving = false;
        model_free_if_empty(m);
}

static void on_free(Timeout *t) {
        serve(CONTAINER_OF(t, LineModel, free));
}

static void on_over(Timeout *t) {
        LinePlace *p = CONTAINER_OF(t, LinePlace, over);
        Line *l = p->model->line;

        l->counters.given_up++;
        line_leave(l, p);
        l->ops.over(p);
}

static void on_hook(void *userdata) {
        Line *l = userdata;

        LIST_FOREACH (i, &l->models)
                serve(list_entry(i, LineModel, link));
}

/* --- places --- */

const LineModel *line_find(const Line *l, const char *model) {
        return l->counters.n_waiting > 0 ? find(l, model) : NULL;
}

usec_t line_span(const LineModel *m) {
        return list_is_linked(&m->free.link) ? usec_sub(m->free.due, loop_now(m->line->loop)) : 0;
}

static void place_insert(Line *l, LineModel *m, LinePlace *p) {
        List *before = m->places.prev;

        if (p->number == 0)
                p->number = ++l->last_number;
        while (before != &m->places && list_entry(before, LinePlace, link)->number > p->number)
                before = before->prev;
        list_append(before->next, &p->link);
}

bool line_join(Line *l, const char *model, size_t n_bytes, usec_t frees_in, usec_t patience, LinePlace *p) {
        LineCounters *c = &l->counters;
        LineModel *m;

        if (!line_place_is_taken(p)) {
                m = find(l, model);
                if (c->n_waiting >= LINE_PLACES_MAX || n_bytes > LINE_BYTES_MAX - c->n_bytes ||
                    (!m && !(m = model_new(l, model)))) {
                        c->turned_away++;
                        return false;
                }
                place_insert(l, m, p);
                m->n++;
                p->model = m;
                p->n_bytes = n_bytes;
                c->n_waiting++;
                c->n_bytes += n_bytes;
                c->joined++;
                timeout_queue_set_duration(l->over, patience);
                timeout_start(l->over, &p->over);
        }
        if (frees_in != USEC_INFINITY) {
                timeout_queue_set_duration(l->free, MAX(frees_in, SPAN_LEAST));
                timeout_start(l->free, &p->model->free);
        }
        return true;
}

void line_leave(Line *l, LinePlace *p) {
        LineModel *m = p->model;

        if (!line_place_is_taken(p))
                return;
        list_unlink(&p->link);
        timeout_stop(&p->over);
        p->model = NULL;
        m->n--;
        l->counters.n_waiting--;
        l->counters.n_bytes -= p->n_bytes;
        model_free_if_empty(m);
}

void line_kick(Line *l) {
        if (l->counters.n_waiting > 0)
                loop_hook_ask(l->loop, &l->hook);
}

/* --- the whole --- */

void line_counters(const Line *l, LineCounters *ret) {
        *ret = l->counters;
}

void line_each_model(const Line *l, void (*f)(const char *model, size_t n, void *userdata), void *userdata) {
        LIST_FOREACH (i, &l->models) {
                const LineModel *m = list_entry(i, LineModel, link);

                f(m->name, m->n, userdata);
        }
}

int line_new(Loop *loop, const LineOps *ops, Line **ret) {
        _cleanup_(line_freep) Line *l = NULL;
        int r;

        l = calloc(1, sizeof(Line));
        if (!l)
                return -ENOMEM;
        l->loop = loop;
        l->ops = *ops;
        list_init(&l->models);
        loop_hook_add(loop, &l->hook, on_hook, l);
        r = timeout_queue_new(loop, 0, on_free, &l->free);
        if (r < 0)
                return r;
        r = timeout_queue_new(loop, 0, on_over, &l->over);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

/* All who waited have left. */
Line *line_free(Line *l) {
        if (!l)
                return NULL;
        assert(l->counters.n_waiting == 0);
        loop_hook_remove(&l->hook);
        timeout_queue_free(l->free);
        timeout_queue_free(l->over);
        free(l);
        return NULL;
}
