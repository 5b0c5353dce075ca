/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "daemon/notify.h"
#include "io/loop-watchdog.h"
#include "io/notify-socket.h"

#define STATUS_DELAY USEC_PER_SEC
#define STATUS_ACCURACY (250 * USEC_PER_MSEC)
#define STOP_MARGIN (5 * USEC_PER_SEC) /* from the end of draining to the end of the process */
#define FEEDS 3U /* keep-alives in each period of the watchdog */
#define RETRY (100 * USEC_PER_MSEC) /* while the service manager's queue is full */

typedef enum StateKind {
        STATE_READY,
        STATE_RELOADING,
        STATE_STOPPING,
} StateKind;

typedef struct State {
        StateKind kind;
        char text[80];
} State;

/* At most: the end of the start or of a reload, one reload with its end, and the stop. See add_state(). */
#define STATES_MAX 4U

struct Notify {
        NotifyParams p;
        int fd;   /* -1: there is no service manager */
        bool due; /* the line may have changed */
        char sent_line[NOTIFY_STATUS_MAX];
        sd_event_source *timer; /* sends STATUS= soon after a change */
        sd_event_source *stale; /* sends it when the text expires */

        State states[STATES_MAX]; /* not sent yet, in order */
        size_t n_states;
        bool line_unsent;
        sd_event_source *retry;

        LoopWatchdog *watchdog;
        usec_t period; /* between two keep-alives; 0: no watchdog */
        sd_event_source *feed;
};

/* --- what the service manager's queue has no room for --- */

static void retry_later(Notify *n) {
        (void) sd_event_source_set_time(n->retry, usec_add(loop_now(n->p.loop), RETRY));
        (void) sd_event_source_set_enabled(n->retry, SD_EVENT_ONESHOT);
}

/* Messages that cannot be sent at all are dropped: the service manager is gone. */
static void send_states(Notify *n) {
        size_t i = 0;

        while (i < n->n_states && notify_socket_send(n->fd, n->states[i].text) != -EAGAIN)
                i++;
        n->n_states -= i;
        memmove(n->states, n->states + i, n->n_states * sizeof(State));
        if (n->n_states > 0)
                retry_later(n);
}

/* A reload or a stop makes the unsent one before it, and what followed that one, meaningless. After a stop
 * comes nothing else, and READY=1 is not repeated. */
static void add_state(Notify *n, const State *s) {
        const State *last = n->n_states > 0 ? n->states + n->n_states - 1 : NULL;
        size_t i = 0;

        if (last && last->kind != s->kind && last->kind == STATE_STOPPING)
                return;
        if (last && last->kind == s->kind)
                i = n->n_states - 1;
        else if (s->kind == STATE_READY)
                i = n->n_states;
        else
                while (i < n->n_states && n->states[i].kind != s->kind)
                        i++;
        assert(i < STATES_MAX);
        n->states[i] = *s;
        n->n_states = i + 1;
        send_states(n);
}

/* --- the line --- */

/* After the states. False: there is no room. */
static bool send_line(Notify *n, const char *line) {
        char message[NOTIFY_STATUS_MAX + sizeof("STATUS=")];

        if (n->n_states > 0)
                return false;
        (void) snprintf(message, sizeof(message), "STATUS=%s", line);
        return notify_socket_send(n->fd, message) != -EAGAIN;
}

static void say_status(Notify *n) {
        char line[NOTIFY_STATUS_MAX];
        usec_t span;

        n->due = false;
        span = n->p.status(line, n->p.userdata);
        n->line_unsent = strcmp(line, n->sent_line) != 0 && !send_line(n, line);
        if (n->line_unsent)
                retry_later(n);
        else
                memcpy(n->sent_line, line, sizeof(line));
        (void) sd_event_source_set_time(n->stale, usec_add(clock_boottime(), span));
        (void) sd_event_source_set_enabled(n->stale,
                                           span == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int on_retry(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        Notify *n = userdata;

        send_states(n);
        if (n->line_unsent)
                say_status(n);
        return 0;
}

static int on_status(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        say_status(userdata);
        return 0;
}

static int add_timer(Notify *n, sd_event_source **ret, clockid_t clock, usec_t accuracy,
                     sd_event_time_handler_t fn) {
        int r;

        r = sd_event_add_time(loop_event(n->p.loop), ret, clock, 0, accuracy, fn, n);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(*ret, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

void notify_changed(Notify *n) {
        if (!n || n->fd < 0 || n->due)
                return;
        n->due = true;
        (void) sd_event_source_set_time(n->timer, usec_add(loop_now(n->p.loop), n->p.delay));
        (void) sd_event_source_set_enabled(n->timer, SD_EVENT_ONESHOT);
}

void notify_ready(Notify *n) {
        if (n->fd < 0)
                return;
        add_state(n, &(State){ STATE_READY, "READY=1" });
        say_status(n);
}

void notify_reloading(Notify *n) {
        State s = { .kind = STATE_RELOADING };

        if (n->fd < 0)
                return;
        (void) snprintf(s.text, sizeof(s.text), "RELOADING=1\nMONOTONIC_USEC=%llu",
                        (unsigned long long) clock_monotonic());
        add_state(n, &s);
}

void notify_stopping(Notify *n, usec_t within) {
        State s = { .kind = STATE_STOPPING };

        if (n->fd < 0)
                return;
        (void) snprintf(s.text, sizeof(s.text), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu",
                        (unsigned long long) usec_add(within, STOP_MARGIN));
        add_state(n, &s);
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

/* Without room in the queue the next one, a third of a period later, must do. */
static void on_beat(void *userdata) {
        const Notify *n = userdata;

        (void) notify_socket_send(n->fd, "WATCHDOG=1");
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
        n->fd = notify_socket_open();
        if (n->fd < 0 && n->fd != -ENOENT)
                return n->fd;
        r = add_timer(n, &n->retry, CLOCK_MONOTONIC, RETRY / 4, on_retry);
        if (r < 0)
                return r;
        r = add_timer(n, &n->timer, CLOCK_MONOTONIC, STATUS_ACCURACY, on_status);
        if (r < 0)
                return r;
        r = add_timer(n, &n->stale, CLOCK_BOOTTIME, USEC_PER_SEC, on_status);
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
        sd_event_source_unref(n->retry);
        sd_event_source_unref(n->timer);
        sd_event_source_unref(n->stale);
        (void) safe_close(n->fd);
        free(n);
        return NULL;
}
