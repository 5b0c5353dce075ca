/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <systemd/sd-event.h>

#include "io/timer.h"

#define ACCURACY (1 * USEC_PER_MSEC) /* 0 would mean 250 ms */

struct Timer {
        sd_event_source *source;
        void (*fn)(void *userdata);
        void *userdata;
};

static int on_time(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        Timer *t = userdata;

        t->fn(t->userdata);
        return 0;
}

int timer_new(Loop *l, usec_t after, void (*fn)(void *userdata), void *userdata, Timer **ret) {
        _cleanup_(timer_freep) Timer *t = NULL;
        int r;

        t = calloc(1, sizeof(Timer));
        if (!t)
                return -ENOMEM;
        t->fn = fn;
        t->userdata = userdata;
        r = sd_event_add_time(loop_event(l), &t->source, CLOCK_MONOTONIC, usec_add(loop_now(l), after),
                              ACCURACY, on_time, t);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

Timer *timer_free(Timer *t) {
        if (!t)
                return NULL;
        sd_event_source_disable_unref(t->source);
        free(t);
        return NULL;
}
