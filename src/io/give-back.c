/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "io/give-back.h"
#include "io/timer.h"
#include "io/worker.h"

#define AFTER USEC_PER_SEC
#define TIMES 2U /* mimalloc's first collection frees segments, and the next one unmaps them */

struct GiveBack {
        Loop *loop;
        Worker *worker;
        Timer *timer; /* NULL: nothing to do */
        unsigned n_left;
};

int give_back_new(Loop *l, Worker *w, GiveBack **ret) {
        GiveBack *g = calloc(1, sizeof(GiveBack));

        if (!g)
                return -ENOMEM;
        g->loop = l;
        g->worker = w;
        *ret = g;
        return 0;
}

GiveBack *give_back_free(GiveBack *g) {
        if (!g)
                return NULL;
        (void) timer_free(g->timer);
        free(g);
        return NULL;
}

static void on_time(void *userdata) {
        GiveBack *g = userdata;

        g->timer = timer_free(g->timer);
        memory_give_back();
        worker_give_back(g->worker);
        if (--g->n_left > 0)
                (void) timer_new(g->loop, AFTER, on_time, g, &g->timer);
}

void give_back_start(GiveBack *g) {
        memory_forget_note();
        g->n_left = TIMES;
        if (!g->timer)
                (void) timer_new(g->loop, AFTER, on_time, g, &g->timer);
}
