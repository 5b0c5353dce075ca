/* SPDX-License-Identifier: MIT */

/* The pool's side of a connection: what it does when it is free, or has room, or has ended. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "io/http-lack.h"
#include "io/http-origin.h"

static void leave_idle(PoolConn *conn) {
        if (!conn->is_idle)
                return;
        conn->is_idle = false;
        conn->origin->n_idle--;
}

static void leave_asked(PoolConn *conn) {
        if (!conn->asked)
                return;
        conn->asked = false;
        conn->origin->n_asked--;
}

/* It is freed at the end of the turn: we may be within one of its callbacks. */
void http_conn_close(PoolConn *conn) {
        HttpOrigin *o = conn->origin;

        if (conn->closed)
                return;
        conn->closed = true;
        leave_idle(conn);
        leave_asked(conn);
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
        c->reused = conn->was_used || c->waits_since == 0;
        c->times = c->reused ? (DialTimes){} : conn->times;
        conn->was_used = true;
}

void http_conn_use_http1(PoolConn *conn, PoolCall *c) {
        leave_idle(conn);
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
        conn->is_idle = true;
        http_lack_idle(o->pool);
        if (++o->n_idle > HTTP_POOL_IDLE_MAX)
                http_conn_close(list_entry(o->idle.prev, PoolConn, link));
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
        http_conn_close(userdata);
}

static void on_http2_room(Http2 *http2, void *userdata) {
        PoolConn *conn = userdata;
        HttpOrigin *o = conn->origin;

        if (conn->closed)
                return;
        leave_asked(conn);
        if (http2_n_works(http2) == 0 && !conn->drains) {
                timeout_start(o->pool->idle, &conn->idle);
                http_lack_idle(o->pool);
        }
        http_origin_dispatch_later(o);
}

static void on_http2_closed(Http2 *http2 _unused_, void *userdata) {
        PoolConn *conn = userdata;

        http_origin_dispatch_later(conn->origin);
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

/* The kernel asks the server from time to time, so that neither it nor what is between forgets the
 * connection, and a dead one ends. We are not woken for that. */
static void watch_peer(int fd) {
        (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ 30 }, sizeof(int));
        (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){ 5 }, sizeof(int));
        (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &(int){ 3 }, sizeof(int));
        (void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
}

void http_conn_on_idle(Timeout *t) {
        PoolConn *conn = CONTAINER_OF(t, PoolConn, idle);

        if (http_warm_keeps(conn))
                watch_peer(conn->fd);
        else if (conn->http2)
                http_conn_drain(conn);
        else
                http_conn_close(conn);
}

/* A request that is sent over a dead connection may not be sent once more, because whether it arrived is not
 * known. So a connection that has been silent for long is asked first. */
bool http_conn_ask(PoolConn *conn) {
        HttpOrigin *o = conn->origin;
        HttpPool *p = o->pool;

        if (http2_n_works(conn->http2) > 0 ||
            usec_sub(loop_now(p->loop), http2_read_at(conn->http2)) <= HTTP_POOL_IDLE_TIME)
                return false;
        http2_ask(conn->http2);
        conn->asked = true;
        o->n_asked++;
        timeout_start(p->asked, &conn->idle);
        return true;
}

void http_conn_on_asked(Timeout *t) {
        PoolConn *conn = CONTAINER_OF(t, PoolConn, idle);

        http_origin_dispatch_later(conn->origin);
        http_conn_close(conn);
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
        conn->fd = transport_fd(t);
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
        descriptors_set_shared(loop_descriptors(o->pool->loop), is_http2);
        *ret = conn;
        return 0;
}
