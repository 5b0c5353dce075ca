/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "io/log-limit.h"

#define ACCURACY (100 * USEC_PER_MSEC)

struct LogLimiter {
        Loop *loop;
        usec_t interval;
        unsigned burst;
        sd_event_source *timer;
        List limited; /* kinds of which lines were left out */
};

static void report(LogLimiter *l) {
        LIST_FOREACH(i, &l->limited) {
                LogKind *k = list_entry(i, LogKind, link);
                char message[160], count[24], duration[DURATION_STRING_MAX];

                list_unlink(&k->link);
                duration_format(l->interval, duration);
                (void) snprintf(count, sizeof(count), "%llu", (unsigned long long) k->n_left_out);
                (void) snprintf(message, sizeof(message), "%s lines about %s were left out in the last %s",
                                count, k->what, duration);
                k->n_left_out = 0;
                log_struct(LOG_LEVEL_WARNING, message, { "left_out", count, true });
        }
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        report(userdata);
        return 0;
}

int log_limiter_new(Loop *loop, usec_t interval, unsigned burst, LogLimiter **ret) {
        _cleanup_(log_limiter_freep) LogLimiter *l = NULL;
        int r;

        l = calloc(1, sizeof(LogLimiter));
        if (!l)
                return -ENOMEM;
        *l = (LogLimiter){ .loop = loop, .interval = interval, .burst = burst };
        list_init(&l->limited);
        r = sd_event_add_time(loop_event(loop), &l->timer, CLOCK_MONOTONIC, 0, ACCURACY, on_timer, l);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

LogLimiter *log_limiter_free(LogLimiter *l) {
        if (!l)
                return NULL;
        report(l);
        sd_event_source_unref(l->timer);
        free(l);
        return NULL;
}

void log_kind_init(LogLimiter *l, LogKind *k, const char *what) {
        *k = (LogKind){ .rate = { .interval = l->interval, .burst = l->burst }, .what = what };
        list_init(&k->link);
}

bool log_kind_pass(LogLimiter *l, LogKind *k) {
        usec_t now = loop_now(l->loop);

        if (ratelimit_take(&k->rate, now))
                return true;
        if (list_is_empty(&l->limited)) {
                (void) sd_event_source_set_time(l->timer, usec_add(now, l->interval));
                (void) sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
        }
        if (k->n_left_out++ == 0)
                list_append(&l->limited, &k->link);
        return false;
}
