/* SPDX-License-Identifier: MIT */

/* The server over all its listening sockets, and its end: when no client waits for an answer any more. */

#include <errno.h>
#include <sys/ioctl.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "io/http-shard.h"

#define GRACE (500 * USEC_PER_MSEC) /* at the end, for clients that have connected but sent no request */

/* --- start --- */

static void on_panic(void *cls _unused_, const char *file, unsigned line, const char *reason) {
        log_error("libmicrohttpd gave up at %s:%u: %s", file, line, reason ?: "no reason");
        abort();
}

int http_server_new(Loop *loop, const HttpServerParams *p, const HttpServerOps *ops, void *userdata,
                    HttpServer **ret) {
        HttpServer *s;

        s = calloc(1, sizeof(HttpServer));
        if (!s)
                return -ENOMEM;
        *s = (HttpServer){ .loop = loop, .params = *p, .ops = *ops, .userdata = userdata };
        list_init(&s->listeners);
        MHD_set_panic_func(on_panic, NULL);
        *ret = s;
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
        s->params.max_inflight = max;
}

size_t http_server_n_requests(const HttpServer *s) {
        return s->n_requests;
}

typedef enum Expectation {
        EXPECT_NOTHING,
        EXPECT_MAYBE,   /* no request yet, or unread bytes */
        EXPECT_REQUEST, /* its headers have begun */
} Expectation;

static Expectation connection_expects(const HttpConnection *c) {
        int unread = 0;

        if (c->begun)
                return EXPECT_REQUEST;
        if (!c->has_sent || (c->fd >= 0 && ioctl(c->fd, FIONREAD, &unread) >= 0 && unread > 0))
                return EXPECT_MAYBE;
        return EXPECT_NOTHING;
}

static Expectation shard_expects(const HttpShard *d) {
        Expectation most = EXPECT_NOTHING;

        LIST_FOREACH(i, &d->connections) {
                Expectation e = connection_expects(list_entry(i, HttpConnection, link));

                most = MAX(most, e);
        }
        return most;
}

static Expectation server_expects(const HttpServer *s) {
        Expectation most = EXPECT_NOTHING;

        LIST_FOREACH(i, &s->listeners)
                LIST_FOREACH(j, &list_entry(i, HttpListener, link)->shards)
                        most = MAX(most, shard_expects(list_entry(j, HttpShard, link)));
        return most;
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
        Expectation e;
        usec_t end;

        if (s->n_requests > 0)
                return false;
        e = server_expects(s);
        if (e == EXPECT_NOTHING || (e == EXPECT_MAYBE && s->grace_over))
                return true;
        if (s->grace)
                return false;
        /* Only for a while: a client that connects and sends nothing must not keep the daemon running. */
        end = usec_add(loop_now(s->loop), GRACE);
        return sd_event_add_time(loop_event(s->loop), &s->grace, CLOCK_MONOTONIC, end, USEC_PER_MSEC,
                                 on_grace, s) < 0;
}

HttpServer *http_server_free(HttpServer *s) {
        if (!s)
                return NULL;
        LIST_FOREACH(i, &s->listeners)
                http_listener_free(list_entry(i, HttpListener, link));
        sd_event_source_unref(s->grace);
        free(s);
        return NULL;
}
