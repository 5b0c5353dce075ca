/* SPDX-License-Identifier: MIT */

/*
 * UPSTREAM_WARM: the usual origin always has a connection, so that no request waits for one. It is dialled
 * at the start and after a reload; idle ones stay, of HTTP/2 the last one of them; and when there is none
 * any more, the next one is dialled after a while, which doubles until one of them has lived for long.
 *
 * An idle connection costs no wake-up: its time-out fires once, and no timer runs unless a dial is due. That
 * it is still there is the kernel's business (http_conn_on_idle()), and asked before it is used
 * (http_conn_ask()).
 */

#include "io/http-lack.h"
#include "io/http-origin.h"
#include "io/timer.h"

static bool is_warm(const HttpOrigin *o) {
        if (o->n_dials > 0 || !list_is_empty(&o->idle) || !list_is_empty(&o->busy))
                return true;
        LIST_FOREACH(i, &o->shared)
                if (!list_entry(i, PoolConn, link)->drains)
                        return true;
        return false;
}

/* A failure to begin, also for the lack of a descriptor, is looked at like one of the dial, at the end of
 * the turn. */
static void dial(HttpPool *p) {
        HttpWarm *w = &p->warm;

        if (http_lack_admits(p))
                (void) http_origin_dial(w->origin, w->connect_timeout);
        http_pool_wake(p);
}

static void on_timer(void *userdata) {
        HttpPool *p = userdata;
        HttpWarm *w = &p->warm;

        w->timer = timer_free(w->timer);
        if (!is_warm(w->origin))
                dial(p);
}

void http_warm_look(HttpPool *p) {
        HttpWarm *w = &p->warm;
        usec_t now;

        if (!w->origin)
                return;
        now = loop_now(p->loop);
        if (is_warm(w->origin)) {
                if (w->since == 0 && w->origin->n_dials == 0)
                        w->since = now;
                return;
        }
        if (w->timer)
                return;
        if (w->since > 0 && now - w->since >= HTTP_WARM_WAIT_MAX)
                w->wait = 0;
        w->since = 0;
        w->wait = w->wait == 0 ? HTTP_WARM_WAIT_FIRST : MIN(2 * w->wait, HTTP_WARM_WAIT_MAX);
        (void) timer_new(p->loop, w->wait, on_timer, p, &w->timer);
}

bool http_warm_keeps(const PoolConn *conn) {
        const HttpOrigin *o = conn->origin;

        if (o != o->pool->warm.origin)
                return false;
        LIST_FOREACH(i, &o->shared) {
                const PoolConn *other = list_entry(i, PoolConn, link);

                if (other != conn && !other->drains && http2_room(other->http2) > 0)
                        return false;
        }
        return true;
}

void http_warm_start(HttpPool *p, const HttpClientParams *params) {
        HttpWarm *w = &p->warm;

        if (http_origin_find(p, params->url, NULL, &w->origin) < 0)
                return;
        w->connect_timeout = params->connect_timeout;
        if (!is_warm(w->origin))
                dial(p);
}

/* Those that were kept get their time again. */
void http_warm_stop(HttpPool *p) {
        HttpWarm *w = &p->warm;

        if (w->origin) {
                LIST_FOREACH(i, &w->origin->idle) {
                        PoolConn *conn = list_entry(i, PoolConn, link);

                        if (!list_is_linked(&conn->idle.link))
                                timeout_start(p->idle, &conn->idle);
                }
                LIST_FOREACH(i, &w->origin->shared) {
                        PoolConn *conn = list_entry(i, PoolConn, link);

                        if (http2_n_works(conn->http2) == 0 && !conn->drains &&
                            !list_is_linked(&conn->idle.link))
                                timeout_start(p->idle, &conn->idle);
                }
        }
        timer_free(w->timer);
        *w = (HttpWarm){};
}
