/* SPDX-License-Identifier: MIT */
#pragma once

/* One listening socket: accepts connections, and gives each to a shard. See http-listener.c. */

#include "io/http-internal.h"

typedef struct HttpListener {
        List link;
        HttpServer *server;
        int fd;       /* -1: quiesced */
        LoopFd watch; /* of the socket; not while nothing is accepted */
        DescriptorsWait lacking; /* a descriptor for a client, and one upstream */
        struct sd_event_source *retry; /* after an accept4() that lacked a descriptor or memory */
        bool is_unix;
        List shards; /* those with room are first */
        unsigned n_connections;
} HttpListener;

int http_listener_new(HttpServer *s, int fd, HttpListener **ret); /* takes the socket on success */
HttpListener *http_listener_free(HttpListener *l);
DEFINE_CLEANUP(HttpListener *, http_listener_free);

void http_listener_quiesce(HttpListener *l); /* closes the socket; open connections go on */

void http_listener_opened(HttpListener *l, HttpShard *shard); /* a connection of this shard */
void http_listener_closed(HttpListener *l, HttpShard *shard);
