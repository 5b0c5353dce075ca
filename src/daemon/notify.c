/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "daemon/notify.h"
#include "io/loop-watchdog.h"

#define STATUS_DELAY USEC_PER_SEC
#define STATUS_ACCURACY (250 * USEC_PER_MSEC)
#define STOP_MARGIN (5 * USEC_PER_SEC) /* from the end of draining to the end of the process */
#define FEEDS 3U /* keep-alives in each period of the watchdog */

struct Notify {
        NotifyParams p;
        bool heard; /* there is a service manager */
        bool due;   /* the line may have changed */
        char said[NOTIFY_STATUS_MAX];
        sd_event_source *timer; /* sends STATUS= soon after a change */
        sd_event_source *stale; /* sends it when the text expires */

        LoopWatchdog *watchdog;
        usec_t period; /* between two keep-alives; 0: no watchdog */
        sd_event_source *feed;
};

/* --- the line --- */

static void say_status(Notify *n) {
        char line[NOTIFY_STATUS_MAX];
        usec_t until;

        n->due = false;
        until = n->p.status(line, n->p.userdata);
        if (strcmp(line, n->said) != 0) {
                memcpy(n->said, line, sizeof(line));
                (void) sd_notifyf(false, "STATUS=%s", line);
        }
        (void) sd_event_source_set_time(n->stale, until);
        (void) sd_event_source_set_enabled(n->stale,
                                           until == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int on_status(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        say_status(userdata);
        return 0;
}

static int add_timer(Notify *n, sd_event_source **ret, clockid_t clock, usec_t accuracy) {
        int r;

        r = sd_event_add_time(loop_event(n->p.loop), ret, clock, 0, accuracy, on_status, n);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(*ret, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

void notify_changed(Notify *n) {
        if (!n || !n->heard || n->due)
                return;
        n->due = true;
        (void) sd_event_source_set_time(n->timer, usec_add(loop_now(n->p.loop), n->p.delay));
        (void) sd_event_source_set_enabled(n->timer, SD_EVENT_ONESHOT);
}

void notify_ready(Notify *n) {
        if (!n->heard)
                return;
        (void) sd_notify(false, "READY=1");
        say_status(n);
}

void notify_reloading(Notify *n) {
        if (n->heard)
                (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%llu",
                                  (unsigned long long) clock_monotonic());
}

void notify_stopping(Notify *n, usec_t within) {
        if (!n->heard)
                return;
        (void) sd_notifyf(false, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu",
                          (unsigned long long) usec_add(within, STOP_MARGIN));
        say_status(n);
}

/* --- the watchdog --- */

static void arm_feed(Notify *n) {
        (void) sd_event_source_set_time(n->feed, usec_add(loop_now(n->p.loop), n->period));
        (void) sd_event_source_set_enabled(n->feed, SD_EVENT_ONESHOT);
}

/* The timer only starts the test; the loop's turn must answer. */
static int on_feed(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        Notify *n = userdata;

        loop_watchdog_send(n->watchdog);
        arm_feed(n);
        return 0;
}

static void on_beat(void *userdata _unused_) {
        (void) sd_notify(false, "WATCHDOG=1");
}

static int watch(Notify *n) {
        uint64_t usec;
        int r;

        r = sd_watchdog_enabled(false, &usec);
        if (r <= 0)
                return r;
        n->period = MAX(usec / FEEDS, (usec_t) USEC_PER_MSEC);
        r = loop_watchdog_new(n->p.loop, on_beat, n, &n->watchdog);
        if (r < 0)
                return r;
        r = sd_event_add_time(loop_event(n->p.loop), &n->feed, CLOCK_MONOTONIC, 0, n->period / 10, on_feed,
                              n);
        if (r < 0)
                return r;
        arm_feed(n);
        return 0;
}

/* --- the whole --- */

int notify_new(const NotifyParams *p, Notify **ret) {
        _cleanup_(notify_freep) Notify *n = NULL;
        int r;

        n = calloc(1, sizeof(Notify));
        if (!n)
                return -ENOMEM;
        n->p = *p;
        n->p.delay = p->delay > 0 ? p->delay : STATUS_DELAY;
        n->heard = getenv("NOTIFY_SOCKET");
        r = add_timer(n, &n->timer, CLOCK_MONOTONIC, STATUS_ACCURACY);
        if (r < 0)
                return r;
        r = add_timer(n, &n->stale, CLOCK_REALTIME, USEC_PER_SEC);
        if (r < 0)
                return r;
        r = watch(n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(n);
        return 0;
}

Notify *notify_free(Notify *n) {
        if (!n)
                return NULL;
        loop_watchdog_free(n->watchdog);
        sd_event_source_unref(n->feed);
        sd_event_source_unref(n->timer);
        sd_event_source_unref(n->stale);
        free(n);
        return NULL;
}
