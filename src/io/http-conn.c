/* SPDX-License-Identifier: MIT */

/* The pool's side of a connection: what it does when it is free, or has room, or has ended. */

#include <errno.h>

#include "io/http-pool-internal.h"

/* It is freed at the end of the turn: we may be within one of its callbacks. */
void http_conn_close(PoolConn *conn) {
        HttpOrigin *o = conn->origin;

        if (conn->closed)
                return;
        conn->closed = true;
        timeout_stop(&conn->idle);
        list_unlink(&conn->link);
        list_append(&o->pool->closed, &conn->link);
        http_pool_wake(o->pool);
}

PoolConn *http_conn_free(PoolConn *conn) {
        list_unlink(&conn->link);
        timeout_stop(&conn->idle);
        http1_free(conn->http1);
        http2_free(conn->http2);
        free(conn);
        return NULL;
}

static void use(PoolConn *conn, PoolCall *c) {
        timeout_stop(&conn->idle);
        c->conn = conn;
        c->reused = conn->was_used;
        c->times = conn->was_used ? (DialTimes){} : conn->times;
        conn->was_used = true;
}

void http_conn_use_http1(PoolConn *conn, PoolCall *c) {
        list_unlink(&conn->link);
        list_append(&conn->origin->busy, &conn->link);
        use(conn, c);
        http1_start(conn->http1, &c->work);
}

/* True if it is carried, or has ended. */
bool http_conn_use_http2(PoolConn *conn, PoolCall *c) {
        int r;

        r = http2_start(conn->http2, &c->work);
        if (r == -EAGAIN)
                return false;
        http_origin_unqueue(c);
        if (r < 0)
                http_call_end(c, HTTP_OUTCOME_ABORTED,
                              r == -E2BIG ? "The head of the request is too large" :
                                            "No memory for the request");
        else
                use(conn, c);
        return true;
}

void http_conn_keep(PoolConn *conn) {
        HttpOrigin *o = conn->origin;

        list_unlink(&conn->link);
        list_append(o->idle.next, &conn->link); /* before the first */
        timeout_start(o->pool->idle, &conn->idle);
        if (++o->n_idle > HTTP_POOL_IDLE_MAX) {
                o->n_idle--;
                http_conn_close(list_entry(o->idle.prev, PoolConn, link));
        }
}

static void on_http1_idle(Http1 *http1 _unused_, void *userdata) {
        PoolConn *conn = userdata;
        HttpOrigin *o = conn->origin;

        if (conn->closed)
                return;
        if (conn->drains) {
                http_conn_close(conn);
                return;
        }
        LIST_FOREACH(i, &o->waiting) {
                PoolCall *c = list_entry(i, PoolCall, queue);

                if (c->fresh)
                        continue;
                http_origin_unqueue(c);
                http_conn_use_http1(conn, c);
                return;
        }
        http_conn_keep(conn);
}

static void on_http1_closed(Http1 *http1 _unused_, void *userdata) {
        PoolConn *conn = userdata;
        bool was_idle = list_is_linked(&conn->idle.link);

        if (was_idle && !conn->closed)
                conn->origin->n_idle--;
        http_conn_close(conn);
}

static void on_http2_room(Http2 *http2, void *userdata) {
        PoolConn *conn = userdata;
        HttpOrigin *o = conn->origin;

        if (conn->closed)
                return;
        if (http2_n_works(http2) == 0 && !conn->drains)
                timeout_start(o->pool->idle, &conn->idle);
        o->is_due = true;
        http_pool_wake(o->pool);
}

static void on_http2_closed(Http2 *http2 _unused_, void *userdata) {
        PoolConn *conn = userdata;

        conn->origin->is_due = true;
        http_conn_close(conn);
}

void http_conn_drain(PoolConn *conn) {
        if (conn->drains)
                return;
        conn->drains = true;
        timeout_stop(&conn->idle);
        if (conn->http2)
                http2_drain(conn->http2);
}

void http_conn_on_idle(Timeout *t) {
        PoolConn *conn = CONTAINER_OF(t, PoolConn, idle);

        if (conn->http2)
                http_conn_drain(conn);
        else {
                conn->origin->n_idle--;
                http_conn_close(conn);
        }
}

/* Takes the transport. */
int http_conn_new(HttpOrigin *o, Transport *t, const DialTimes *times, PoolConn **ret) {
        static const Http1Ops http1_ops = { .idle = on_http1_idle, .closed = on_http1_closed };
        static const Http2Ops http2_ops = { .room = on_http2_room, .closed = on_http2_closed };
        bool is_http2 = transport_is_http2(t);
        PoolConn *conn;
        int r;

        conn = calloc(1, sizeof(PoolConn));
        if (!conn) {
                transport_free(t);
                return -ENOMEM;
        }
        conn->origin = o;
        conn->times = *times;
        conn->idle = TIMEOUT_INIT(conn->idle);
        list_init(&conn->link);
        if (is_http2) {
                r = http2_new(o->pool->loop, t, &http2_ops, conn, &conn->http2);
                if (r < 0)
                        transport_free(t);
        } else
                r = http1_new(o->pool->loop, t, &http1_ops, conn, &conn->http1);
        if (r < 0) {
                free(conn);
                return r;
        }
        o->version = is_http2 ? ORIGIN_HTTP2 : ORIGIN_HTTP1;
        *ret = conn;
        return 0;
}
