/* SPDX-License-Identifier: MIT */
#pragma once

/* One daemon of libmicrohttpd with a limited number of a listener's connections. See http-shard.c. */

#include "io/http-listener.h"

#define HTTP_IDLE_TIMEOUT_SEC 75U /* keep-alive, and a client that reads nothing */
#define HTTP_SHARD_MAX 256U /* connections: what libmicrohttpd walks in a run with a resumption */

struct HttpShard {
        List link;
        HttpListener *listener;
        struct MHD_Daemon *daemon;
        LoopFd watch; /* MHD's own epoll descriptor */
        LoopHook hook;
        struct sd_event_source *timer;
        bool armed;
        bool is_ready;   /* MHD's epoll may have events */
        bool refused;    /* MHD has refused a head in this run */
        bool unanswered; /* MHD has no memory for an answer's head, and closes the connection next */
        uint64_t n_events; /* what MHD has called: a run without an event made no progress */
        uint64_t n_events_seen;
        unsigned n_idle_runs; /* without an event, each of which asked for another */
        List connections;
        unsigned n_connections;
        List hung; /* connections whose client hung up in this turn */
        List broken; /* connections that were found to be broken in this run; see http-wire.c */
        const struct sockaddr *accepting; /* the peer of the connection that is being added, or NULL */
        bool accepting_guest;
};

int http_shard_new(HttpListener *l, HttpShard **ret); /* is in the listener's list */
HttpShard *http_shard_free(HttpShard *d);             /* cuts its connections */
DEFINE_CLEANUP(HttpShard *, http_shard_free);

/* Takes the descriptor of a connection, and closes it if it fails. The shard must have room. */
void http_shard_add(HttpShard *d, int fd, const struct sockaddr *peer, socklen_t n_peer, bool guest);

void http_shard_drop(HttpConnection *c); /* MHD has closed it: the descriptor is closed in this turn */

static inline void http_shard_ask(HttpShard *d) { /* for a run at the end of this turn */
        loop_hook_ask(d->listener->server->loop, &d->hook);
}
