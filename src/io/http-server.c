/* SPDX-License-Identifier: MIT */

/* The server over all its listening sockets, and its end: when no client waits for an answer any more. */

#include <errno.h>
#include <sys/ioctl.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "io/http-body.h"
#include "io/http-shard.h"

#define GRACE (500 * USEC_PER_MSEC) /* at the end, for connections without a request of a known client */

/* --- start --- */

static void on_panic(void *cls _unused_, const char *file, unsigned line, const char *reason) {
        log_error("libmicrohttpd gave up at %s:%u: %s", file, line, reason ?: "no reason");
        abort();
}

int http_server_new(Loop *loop, const HttpServerParams *p, const HttpServerOps *ops, void *userdata,
                    HttpServer **ret) {
        _cleanup_(http_server_freep) HttpServer *s = NULL;
        int r;

        s = calloc(1, sizeof(HttpServer));
        if (!s)
                return -ENOMEM;
        *s = (HttpServer){ .loop = loop, .params = *p, .ops = *ops, .userdata = userdata };
        s->use = p->inner ? DESCRIPTOR_UPSTREAM : DESCRIPTOR_CLIENT;
        s->room.max = p->max_inflight;
        list_init(&s->listeners);
        MHD_set_panic_func(on_panic, NULL);
        r = http_dues_new(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

int http_server_listen(HttpServer *s, int fd) {
        HttpListener *l;
        int r;

        r = http_listener_new(s, fd, &l);
        if (r < 0)
                return r;
        list_append(&s->listeners, &l->link);
        return 0;
}

void http_server_quiesce(HttpServer *s) {
        if (s->quiesced)
                return;
        s->quiesced = true;
        LIST_FOREACH(i, &s->listeners)
                http_listener_quiesce(list_entry(i, HttpListener, link));
}

void http_server_set_max_inflight(HttpServer *s, uint64_t max) {
        s->room.max = max;
}

size_t http_server_n_requests(const HttpServer *s) {
        return s->n_requests;
}

/* A request of a client that is not known yet may be on its way: no request so far, half a head, or bytes
 * that were not read yet. */
static bool connection_may_ask(const HttpConnection *c) {
        int unread = 0;

        return !c->has_sent || c->begun || c->request ||
               (c->fd >= 0 && ioctl(c->fd, FIONREAD, &unread) >= 0 && unread > 0);
}

static bool shard_may_be_asked(const HttpShard *d) {
        LIST_FOREACH(i, &d->connections)
                if (connection_may_ask(list_entry(i, HttpConnection, link)))
                        return true;
        return false;
}

static bool server_may_be_asked(const HttpServer *s) {
        LIST_FOREACH(i, &s->listeners)
                LIST_FOREACH(j, &list_entry(i, HttpListener, link)->shards)
                        if (shard_may_be_asked(list_entry(j, HttpShard, link)))
                                return true;
        return false;
}

/* --- the end --- */

void http_server_settled(HttpServer *s) {
        if (s->quiesced && s->ops.settled)
                s->ops.settled(s->userdata);
}

static int on_grace(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        HttpServer *s = userdata;

        s->grace_over = true;
        http_server_settled(s);
        return 0;
}

bool http_server_is_quiet(HttpServer *s) {
        usec_t end;

        if (s->n_admitted > 0)
                return false;
        if (s->grace_over || !server_may_be_asked(s))
                return true;
        if (s->grace)
                return false;
        /* Only for a while: a stranger that connects must not keep the daemon running. */
        end = usec_add(loop_now(s->loop), GRACE);
        return sd_event_add_time(loop_event(s->loop), &s->grace, CLOCK_MONOTONIC, end, USEC_PER_MSEC,
                                 on_grace, s) < 0;
}

HttpServer *http_server_free(HttpServer *s) {
        if (!s)
                return NULL;
        LIST_FOREACH(i, &s->listeners)
                http_listener_free(list_entry(i, HttpListener, link));
        http_dues_free(s);
        sd_event_source_unref(s->grace);
        free(s->by_fd);
        free(s);
        return NULL;
}
