/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * gemgate on D-Bus: org.gemgate1 on the system bus, and the same objects peer to peer on CONTROL_SOCKET.
 * docs/DBUS.md describes the objects, bus.c the design. If there is no bus, the bus goes away or the name is
 * taken, the daemon serves without it and tries again.
 */

#include "config/config.h"
#include "core/key-test.h"
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

        /* Called for properties and methods. */
        const Config *(*config)(void *userdata); /* the present one: a reload replaces it */
        size_t (*active)(void *userdata);        /* requests under way */
        /* Begins to reload the configuration: bus_reloaded() gets the result, with the same serial. If it
         * fails, the refusal is the reason. */
        int (*reload)(uint64_t *ret_serial, const char **ret_refusal, void *userdata);
        /* Whether Google lists the model: 1 or 0; -ENODATA: that is not known. With `fetch` it can be
         * -EINPROGRESS, and bus_models_done() is called at the end. NULL: never known. */
        int (*listed)(const char *model, bool fetch, void *userdata);
        /* Calls f() for the requests under way, the oldest first, up to a limit; returns how many there
         * are. */
        size_t (*requests)(RequestViewFn f, void *f_userdata, void *userdata);
        /* A walk through the tree of statistics, in slices: see server/statistics.h. */
        int (*statistics)(StatsSink *sink, StatsWalk **ret, void *userdata);
        int (*statistics_step)(StatsWalk *w);
        StatsWalk *(*statistics_free)(StatsWalk *w);
        /* Asks Google once about the key: f() is called once, later, unless the test is freed before; the
         * test is freed in either case. */
        int (*test)(const PoolKey *k, KeyTestFn f, void *f_userdata, KeyTest **ret, void *userdata);
        KeyTest *(*test_free)(KeyTest *t);
        void *userdata;
} BusParams;

/* Fails only without memory, or if the control socket cannot be opened (-errno, logged). */
int bus_new(const BusParams *p, Bus **ret);
Bus *bus_free(Bus *b);
DEFINE_CLEANUP(Bus *, bus_free);

/* An observer of the pool; its userdata is the Bus. */
extern const PoolObserver bus_observer;

/* The manager calls these. b may be NULL: the bus does not exist yet, or not any more.
 *
 * bus_touch(): the value of a property has changed, or may have. Cheap enough for every request. */
void bus_touch(Bus *b);

/* To be called after every reload, by signal or by method. `message` is what changed, or the error. Replies
 * to the calls of Reload that waited for this reload or an earlier one. */
void bus_reloaded(Bus *b, uint64_t serial, bool ok, const char *message);

void bus_models_done(Bus *b); /* Google's list of models was fetched, or could not be */

/* CLOCK_MONOTONIC of the last method call; USEC_INFINITY while the gate has set a call aside, or a
 * reply is being made. */
usec_t bus_quiet_since(const Bus *b);

void bus_draining(Bus *b); /* sets State to "draining" */
