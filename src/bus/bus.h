/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * gemgate on D-Bus: org.gemgate1 on the system bus, and the same objects peer to peer on CONTROL_SOCKET.
 * What they are is in docs/DBUS.md, how this stands beside the server in bus.c. No bus, a bus that goes
 * away, and a name that is taken are no failures: it is tried again.
 */

#include "config/config.h"
#include "core/request-view.h"
#include "core/stats.h"
#include "pool/admin.h"
#include "io/loop.h"

typedef struct Bus Bus;

typedef struct BusParams {
        Loop *loop; /* borrowed, as is the pool */
        Pool *pool;
        const char *control_socket; /* a path; NULL: none */
        bool no_system_bus;         /* peer to peer only, for tests */

        /* What the daemon is asked by way of the bus. */
        const Config *(*config)(void *userdata); /* as of now: a reload replaces it */
        size_t (*active)(void *userdata);        /* requests under way */
        /* Reads the configuration anew. The message, malloc'ed or NULL, is the line at fault, or what
         * changed. */
        int (*reload)(char **ret_message, void *userdata);
        /* Requests under way, as many as are to be shown; returns how many there are. */
        size_t (*requests)(RequestViewFn f, void *f_userdata, void *userdata);
        void (*statistics)(StatsSink *sink, void *userdata); /* visits the tree as of now */
        void *userdata;
} BusParams;

/* Fails only for want of memory, or of the control socket (-errno, and it is said). */
int bus_new(const BusParams *p, Bus **ret);
Bus *bus_free(Bus *b);
DEFINE_CLEANUP(Bus *, bus_free);

/* To be among the pool's observers; userdata is the Bus. */
extern const PoolObserver bus_observer;

/* What the manager tells; b may be NULL, before the bus is there and after.
 *
 * Something that a property shows has changed, or may have: cheap enough for each request. */
void bus_touch(Bus *b);

/* After every attempt to reload, whoever asked for it. `message` says what changed, or what is wrong. */
void bus_reloaded(Bus *b, bool ok, const char *message);

/* CLOCK_MONOTONIC of the last call; USEC_INFINITY while one waits to be let in. */
usec_t bus_quiet_since(const Bus *b);

void bus_draining(Bus *b); /* State is "draining" from now on */
