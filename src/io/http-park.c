/* SPDX-License-Identifier: MIT */

/*
 * libmicrohttpd would add a connection that waits for its next request to its own epoll, after a recv() that
 * finds nothing, and take it out again when the request is suspended: three system calls a request. Instead
 * the connection is suspended where its request ends, in libmicrohttpd's own callback, and resumed when
 * gemgate's watch of the socket, which is there anyway, reports bytes or an end. libmicrohttpd then reads at
 * once, and never needs its epoll.
 *
 * A connection is parked only if libmicrohttpd has nothing more to do with it:
 *
 *   - It goes on after the request. libmicrohttpd closes a connection only if it is not suspended.
 *   - No byte of a next request was received: none is left in libmicrohttpd's buffer.
 *   - No byte is left in the socket. The watch is edge-triggered, so it reports only what comes from now
 *     on. A recv() that returned less than it had room for has emptied the socket, and whatever comes after
 *     that is a new edge. HttpConnection.unread follows both.
 *
 * Nothing else looks at a parked connection, so it has its own time-out, as long as libmicrohttpd's.
 */

#include "io/http-body.h"
#include "io/http-park.h"
#include "io/http-shard.h"

static void set_parked(HttpConnection *c, bool parked) {
        c->parked = parked;
        if (c->server->use == DESCRIPTOR_CLIENT)
                descriptors_park(loop_descriptors(c->server->loop), parked);
}

static void on_idle_due(Timeout *t) {
        HttpConnection *c = list_entry(t, HttpConnection, due);

        http_unpark(c);
        http_connection_cut(c);
}

int http_park_new(HttpServer *s) {
        return timeout_queue_new(s->loop, HTTP_IDLE_TIMEOUT_SEC * USEC_PER_SEC, on_idle_due, &s->idle_due);
}

static bool is_between_requests(const HttpConnection *c) {
        const HttpFraming *f = &c->framing;

        return f->state == HTTP_FRAMING_HEAD && f->n_head == 0 && !f->fault && c->ahead.n == 0 && !c->unread;
}

void http_park(HttpConnection *c) {
        if (c->cut || c->closed || c->hup || c->guest || c->stalled || c->server->quiesced ||
            !is_between_requests(c))
                return;
        set_parked(c, true);
        MHD_suspend_connection(c->mhd);
        timeout_start(c->server->idle_due, &c->due);
}

void http_unpark(HttpConnection *c) {
        if (!c->parked)
                return;
        set_parked(c, false);
        timeout_stop(&c->due);
        MHD_resume_connection(c->mhd);
        http_shard_ask(c->shard);
}
