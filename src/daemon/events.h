/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events of the keys, and of the sockets. Events is the pool's only observer. It logs them, with a
 * MESSAGE_ID for those that an operator may want to wait for, and passes those of the keys on to its
 * listeners (the bus, the status line).
 */

#include "base/list.h"
#include "pool/admin.h"
#include "io/http-server.h"

typedef struct Events Events;

/* Embedded in its owner. */
typedef struct EventsListener {
        List link;
        PoolObserver observer; /* members may be NULL */
        void *userdata;
} EventsListener;

int events_new(Loop *loop, Pool *pool, Events **ret); /* becomes the pool's observer */
Events *events_free(Events *e);                       /* before the pool; listeners are unlinked */
DEFINE_CLEANUP(Events *, events_free);

void events_listen(Events *e, EventsListener *l, const PoolObserver *o, void *userdata);
void events_unlisten(EventsListener *l);

void events_connections_full(Events *e, unsigned n, HttpFull what); /* n are open, and more may not be */

void events_look(Events *e); /* after a reload: logs an error if no key is usable any more */
