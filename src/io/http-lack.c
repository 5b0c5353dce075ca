/* SPDX-License-Identifier: MIT */

/*
 * While the process has no descriptor for a connection, calls wait for one: as long as they would for the
 * connection, and then for that, too.
 *
 * Each descriptor is the turn of one origin, which then goes behind the others that lack one. So the calls
 * through one proxy, however many, leave some to those through another, and no new call is before one that
 * waits.
 */

#include "io/http-lack.h"
#include "io/http-origin.h"

static Descriptors *descriptors_of(const HttpPool *p) {
        return loop_descriptors(p->loop);
}

bool http_lack_admits(const HttpPool *p) {
        return list_is_empty(&p->lacking) && descriptors_admit(descriptors_of(p), DESCRIPTOR_UPSTREAM);
}

bool http_lack_has(const HttpOrigin *o) {
        return list_is_linked(&o->lacking);
}

void http_lack_wait(HttpOrigin *o) {
        HttpPool *p = o->pool;

        if (!http_lack_has(o))
                list_append(&p->lacking, &o->lacking);
        descriptors_wait(descriptors_of(p), DESCRIPTOR_UPSTREAM, &p->descriptor);
        if (!list_is_linked(&o->lack.link))
                timeout_start(p->lack, &o->lack);
}

void http_lack_end(HttpOrigin *o) {
        list_unlink(&o->lacking);
        timeout_stop(&o->lack);
}

/* There is one again. */
static void on_descriptor(void *userdata) {
        HttpPool *p = userdata;
        List *first;

        while ((first = list_first(&p->lacking))) {
                HttpOrigin *o = list_entry(first, HttpOrigin, lacking);

                if (http_origin_dials_wanted(o) <= o->n_dials) {
                        http_lack_end(o);
                        continue;
                }
                if (!descriptors_admit(descriptors_of(p), DESCRIPTOR_UPSTREAM)) {
                        descriptors_wait(descriptors_of(p), DESCRIPTOR_UPSTREAM, &p->descriptor);
                        return;
                }
                http_origin_dial_one(o);
                list_unlink(&o->lacking);
                list_append(&p->lacking, &o->lacking);
        }
}

void http_lack_on_look(Timeout *t) {
        HttpOrigin *o = CONTAINER_OF(t, HttpOrigin, lack);
        usec_t now = loop_now(o->pool->loop);

        LIST_FOREACH(i, &o->waiting) {
                PoolCall *c = list_entry(i, PoolCall, queue);

                if (!http_lack_has(o) || http_origin_dials_wanted(o) <= o->n_dials)
                        break;
                if (usec_sub(now, c->waits_since) < c->work.p.connect_timeout)
                        continue;
                http_origin_unqueue(c);
                http_call_end(c, HTTP_OUTCOME_LACKING, HTTP_POOL_NO_DESCRIPTOR);
        }
        http_origin_dispatch(o);
}

/* --- connections that no call uses --- */

void http_lack_idle(HttpPool *p) {
        descriptors_kept(descriptors_of(p));
}

/* While calls wait, one of HTTP/2 that has room, or is asked, may be for them. */
static bool is_needed(const HttpOrigin *o, const PoolConn *conn) {
        return http2_n_works(conn->http2) > 0 ||
               (o->n_waiting > 0 && (conn->asked || http2_room(conn->http2) > 0));
}

static bool close_idle_of(HttpOrigin *o) {
        if (!list_is_empty(&o->idle)) {
                http_conn_close(list_entry(o->idle.prev, PoolConn, link));
                return true;
        }
        LIST_FOREACH(i, &o->shared) {
                PoolConn *conn = list_entry(i, PoolConn, link);

                if (is_needed(o, conn))
                        continue;
                http_conn_close(conn);
                return true;
        }
        return false;
}

static bool close_idle(void *userdata) {
        HttpPool *p = userdata;

        LIST_FOREACH(i, &p->origins)
                if (close_idle_of(list_entry(i, HttpOrigin, link)))
                        return true;
        return false;
}

/* --- start and end --- */

void http_lack_init(HttpPool *p) {
        list_init(&p->lacking);
        p->descriptor = DESCRIPTORS_WAIT_INIT(p->descriptor, on_descriptor, p);
        descriptors_keep(descriptors_of(p), &p->keeper, close_idle, p);
}

void http_lack_done(HttpPool *p) {
        assert(list_is_empty(&p->lacking));
        descriptors_stop(&p->descriptor);
        descriptors_keep_no_more(&p->keeper);
        timeout_queue_free(p->lack);
}
