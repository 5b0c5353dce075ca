/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <systemd/sd-event.h>

#include "daemon/idle.h"

#define ACCURACY (100 * USEC_PER_MSEC)

struct Idle {
        IdleParams p;
        sd_event_source *timer;
};

static void look(Idle *i) {
        usec_t now = loop_now(i->p.loop), since = i->p.quiet_since(i->p.userdata), at;

        at = usec_add(since == USEC_INFINITY ? now : since, i->p.after);
        if (at <= now)
                return i->p.over(i->p.userdata);
        (void) sd_event_source_set_time(i->timer, at);
        (void) sd_event_source_set_enabled(i->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        look(userdata);
        return 0;
}

int idle_new(const IdleParams *p, Idle **ret) {
        _cleanup_(idle_freep) Idle *i = NULL;
        int r;

        i = calloc(1, sizeof(Idle));
        if (!i)
                return -ENOMEM;
        i->p = *p;
        r = sd_event_add_time(loop_event(p->loop), &i->timer, CLOCK_MONOTONIC,
                              usec_add(loop_now(p->loop), p->after), MIN(ACCURACY, p->after / 10 + 1),
                              on_timer, i);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(i);
        return 0;
}

Idle *idle_free(Idle *i) {
        if (!i)
                return NULL;
        sd_event_source_unref(i->timer);
        free(i);
        return NULL;
}
