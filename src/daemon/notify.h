/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Messages to the service manager: STATUS=, the line that `systemctl status` shows, and the watchdog's
 * keep-alive.
 *
 * A change of the status costs almost nothing: notify_changed() sets a flag. At least a second later, with
 * the lowest priority, the line is built and sent if it differs from the last one. An idle daemon has no
 * timer for it.
 *
 * The watchdog (WatchdogSec=) is fed by a LoopWatchdog (io/loop-watchdog.h), three times as often as needed.
 *
 * Nothing here waits for the service manager. While its queue is full, the messages of the state (READY=1,
 * RELOADING=1, STOPPING=1) and the latest status are kept and sent again soon; a keep-alive is dropped.
 *
 * Without a service manager ($NOTIFY_SOCKET is not set) nothing is sent.
 */

#include "base/buf.h"
#include "io/loop.h"

typedef struct Notify Notify;

#define NOTIFY_STATUS_MAX 256U

typedef struct NotifyParams {
        Loop *loop;
        /* Writes the line. Returns for how long it holds without notify_changed(), or USEC_INFINITY. */
        usec_t (*status)(char ret[static NOTIFY_STATUS_MAX], void *userdata);
        void *userdata;
        usec_t delay; /* from a change to the line; 0: a second */
} NotifyParams;

int notify_new(const NotifyParams *p, Notify **ret);
Notify *notify_free(Notify *n);
DEFINE_CLEANUP(Notify *, notify_free);

void notify_ready(Notify *n);      /* the sockets are open, or a reload is over */
void notify_reloading(Notify *n);
void notify_stopping(Notify *n, usec_t within); /* the time that the stop takes, whatever TimeoutStopSec=
                                                 * is */

void notify_changed(Notify *n);    /* the line may have changed; cheap, and n may be NULL */
