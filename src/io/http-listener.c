/* SPDX-License-Identifier: MIT */

/*
 * A listening socket of gemgate's own: libmicrohttpd accepts nothing. Each accepted connection goes to the
 * first shard (http-shard.c) with room, and a new shard is made when none has room. A shard stays until the
 * end: an empty one costs a descriptor and less memory than one connection.
 *
 * The limits of connections hold for all listeners of the server together.
 *
 * A guest is a client whose address is not welcome (HttpServerOps.welcomes). All guests together have at
 * most HTTP_GUESTS_MAX connections; a further one is closed at once, because in the backlog it would be in
 * front of other clients.
 *
 * While MAX_CONNECTIONS are open no socket is watched, so further clients wait in the backlogs: a watched
 * socket with a waiting client would make the loop spin. The same goes while the limit of open files has no
 * room for another client (io/descriptors.c), and for a while when accept4() lacks a descriptor or memory
 * nevertheless.
 */

#include <errno.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/limits.h"
#include "base/log.h"
#include "io/http-shard.h"
#include "io/listen.h"

#define ACCEPT_BATCH 64U                     /* in one turn of the loop */
#define ACCEPT_RETRY (100 * USEC_PER_MSEC)
#define TIMER_ACCURACY (10 * USEC_PER_MSEC)

/* --- accepting --- */

static HttpShard *shard_with_room(HttpListener *l) {
        HttpShard *d;

        if (!list_is_empty(&l->shards)) {
                d = list_entry(l->shards.next, HttpShard, link);
                if (d->n_connections < HTTP_SHARD_MAX)
                        return d;
        }
        return http_shard_new(l, &d) < 0 ? NULL : d;
}

static bool is_guest(const HttpListener *l, const struct sockaddr *peer) {
        const HttpServer *s = l->server;

        return !l->is_unix && s->ops.welcomes && !s->ops.welcomes(peer, s->userdata);
}

static void report_full(const HttpListener *l, unsigned n, HttpFull what) {
        const HttpServer *s = l->server;

        if (s->ops.full)
                s->ops.full(n, what, s->userdata);
}

static void accept_later(HttpListener *l) {
        loop_fd_remove(l->server->loop, &l->watch);
        (void) sd_event_source_set_time(l->retry, usec_add(loop_now(l->server->loop), ACCEPT_RETRY));
        (void) sd_event_source_set_enabled(l->retry, SD_EVENT_ONESHOT);
}

static Descriptors *descriptors_of(const HttpListener *l) {
        return loop_descriptors(l->server->loop);
}

/* False: MAX_CONNECTIONS are open, or there is no descriptor. */
static bool has_room(HttpListener *l) {
        HttpServer *s = l->server;

        if (s->n_connections >= s->params.max_connections) {
                report_full(l, s->params.max_connections, HTTP_FULL_CONNECTIONS);
                return false;
        }
        if (descriptors_admit(descriptors_of(l), s->use))
                return true;
        descriptors_wait(descriptors_of(l), s->use, &l->lacking);
        report_full(l, s->n_connections, HTTP_FULL_DESCRIPTORS);
        return false;
}

static void on_acceptable(uint32_t events _unused_, void *userdata) {
        HttpListener *l = userdata;
        HttpServer *s = l->server;
        unsigned max = s->params.max_connections;

        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                struct sockaddr_storage peer = {};
                socklen_t n = sizeof(peer);
                HttpShard *d;
                bool guest;
                int fd;

                if (!has_room(l)) {
                        loop_fd_remove(s->loop, &l->watch);
                        return;
                }
                fd = accept4(l->fd, (struct sockaddr *) &peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) {
                        if (errno == EINTR || errno == ECONNABORTED)
                                continue;
                        if (errno != EAGAIN)
                                accept_later(l);
                        return;
                }
                guest = is_guest(l, (struct sockaddr *) &peer);
                if (guest && s->n_guests >= HTTP_GUESTS_MAX(max)) {
                        (void) safe_close(fd);
                        report_full(l, HTTP_GUESTS_MAX(max), HTTP_FULL_GUESTS);
                        continue;
                }
                d = shard_with_room(l);
                if (!d) {
                        (void) safe_close(fd);
                        return accept_later(l);
                }
                http_shard_add(d, fd, (struct sockaddr *) &peer, n, guest);
        }
}

static void accept_again(void *userdata) {
        HttpListener *l = userdata;

        if (l->fd >= 0 && l->watch.fd < 0)
                (void) loop_fd_add(l->server->loop, &l->watch, l->fd, EPOLLIN, on_acceptable, l);
}

static int on_retry(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        accept_again(userdata);
        return 0;
}

void http_listener_opened(HttpListener *l, HttpShard *d) {
        l->n_connections++;
        l->server->n_connections++;
        descriptors_take(descriptors_of(l), l->server->use);
        if (++d->n_connections == HTTP_SHARD_MAX) {
                list_unlink(&d->link);
                list_append(&l->shards, &d->link);
        }
}

void http_listener_closed(HttpListener *l, HttpShard *d) {
        HttpServer *s = l->server;

        if (d->n_connections-- == HTTP_SHARD_MAX) {
                list_unlink(&d->link);
                list_append(l->shards.next, &d->link); /* before the first */
        }
        l->n_connections--;
        descriptors_give(descriptors_of(l), s->use);
        if (s->n_connections-- == s->params.max_connections)
                LIST_FOREACH(i, &s->listeners)
                        accept_again(list_entry(i, HttpListener, link));
}

/* --- start and end --- */

int http_listener_new(HttpServer *s, int fd, HttpListener **ret) {
        _cleanup_(http_listener_freep) HttpListener *l = NULL;
        bool is_unix;
        int r;

        r = listen_check(fd, &is_unix);
        if (r < 0)
                return r;
        l = calloc(1, sizeof(HttpListener));
        if (!l)
                return -ENOMEM;
        *l = (HttpListener){ .server = s, .fd = -1, .watch = LOOP_FD_NULL, .is_unix = is_unix };
        list_init(&l->link);
        list_init(&l->shards);
        l->lacking = DESCRIPTORS_WAIT_INIT(l->lacking, accept_again, l);
        r = sd_event_add_time(loop_event(s->loop), &l->retry, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_retry,
                              l);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(l->retry, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = loop_fd_add(s->loop, &l->watch, fd, EPOLLIN, on_acceptable, l);
        if (r < 0)
                return r;
        l->fd = fd;
        *ret = TAKE_PTR(l);
        return 0;
}

void http_listener_quiesce(HttpListener *l) {
        loop_fd_remove(l->server->loop, &l->watch);
        descriptors_stop(&l->lacking);
        (void) sd_event_source_set_enabled(l->retry, SD_EVENT_OFF);
        l->fd = safe_close(l->fd);
}

HttpListener *http_listener_free(HttpListener *l) {
        if (!l)
                return NULL;
        loop_fd_remove(l->server->loop, &l->watch);
        descriptors_stop(&l->lacking);
        l->fd = safe_close(l->fd);
        LIST_FOREACH(i, &l->shards)
                http_shard_free(list_entry(i, HttpShard, link));
        sd_event_source_unref(l->retry);
        list_unlink(&l->link);
        free(l);
        return NULL;
}
