/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files of src/bus only; see bus.c. */

#include <systemd/sd-bus.h>

#include "base/bus-names.h"
#include "base/limits.h"
#include "bus/bus-gate.h"
#include "bus/bus.h"
#include "io/forward.h"

/* One connection: the system bus, or a peer on the control socket. */
typedef struct BusLink {
        List links; /* in bus->links while signals are sent to it */
        Bus *owner;
        sd_bus *bus;
        List answers;       /* replies that are being made: bus-answer.c */
        size_t unread_rows; /* of large answers that were sent since its queue was empty */
} BusLink;

/* The values of the Manager's properties. */
typedef struct BusFacts {
        uint64_t reloaded, requests_total, requests_today, last_reset, next_reset;
        uint64_t client_requests_total, client_requests_today;
        const char *state, *log_level;
        uint32_t keys_total, keys_enabled, keys_usable, models, active;
} BusFacts;

struct Bus {
        BusParams p;
        List links;
        usec_t called_at; /* CLOCK_MONOTONIC; 0: never */
        gid_t admins; /* BUS_NO_GROUP if there is no such group */

        /* the system bus (bus-system.c) */
        BusLink system;
        BusGate *gate;
        sd_event_source *retry;
        usec_t wait;       /* before the next attempt */
        PathWatch *socket; /* while the bus has none */
        int logged;  /* the last failure that was logged; 0: none */

        /* the control socket (bus-peer.c) */
        char *control_socket; /* NULL: none */
        int listen_fd;
        sd_event_source *listener;
        List peers;
        size_t n_peers;

        size_t n_answers; /* of all links */
        struct {
                sd_bus_message *call;
                uint64_t serial;
        } reloads[BUS_RELOADS_MAX]; /* calls of Reload that wait for its end */
        size_t n_reloads;

        sd_bus_message *looks[BUS_LOOKS_MAX]; /* calls of ExplainModel that wait for the list of models */
        size_t n_looks;
        sd_event_source *looks_due;

        List tests; /* calls of TestKeys and Test that wait for their tests: bus-test.c */

        /* properties */
        usec_t started, started_monotonic; /* realtime, monotonic */
        BusFacts facts, shown;             /* as of facts_at; as of the last PropertiesChanged */
        usec_t facts_at;                   /* loop time; 0: stale */
        sd_event_source *changes;
        bool changed; /* the timer is armed for a change, not only for the day's end */
};

/* bus.c */
void bus_link_init(BusLink *l, Bus *owner);
const BusFacts *bus_facts(Bus *b);
bool bus_link_takes(const BusLink *l); /* false: its queue is full because it does not read */
void bus_link_open(BusLink *l);        /* from now on signals are sent to it */
void bus_link_close(BusLink *l);       /* closes the connection */
int bus_add_objects(BusLink *l);
int bus_attach(Bus *b, sd_bus *bus); /* to the loop */

/* bus-model.c */
int bus_looks_new(Bus *b);
void bus_looks_free(Bus *b);

/* bus-system.c */
int bus_system_start(Bus *b);
void bus_system_stop(Bus *b);

/* bus-peer.c */
int bus_peer_listen(Bus *b);
void bus_peer_stop(Bus *b);
