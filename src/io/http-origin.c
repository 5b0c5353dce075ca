/* SPDX-License-Identifier: MIT */

/*
 * The connections to one server, and which call goes over which.
 *
 * At HTTP/1.1 a connection carries one call. A free one is taken, the one that was used last: so the others
 * become idle for long, and end. At HTTP/2 it is the one with the fewest streams. Otherwise the call waits,
 * and enough dials are made for those that wait: one for each, but only one as long as the server may speak
 * HTTP/2, because then one connection is enough for many. A dial belongs to no call: the oldest that waits
 * gets the connection, and one that is cancelled leaves its dial to the next.
 *
 * When a dial fails, calls fail that waited when it began: the oldest ones, as many as the other dials are
 * not enough for. Those that came later get another dial, with what is left of their time.
 *
 * At HTTP/2 another connection is made before it is needed: a few streams each before there are
 * HTTP_POOL_SPREAD of them, because a lost packet holds up all streams of its connection; and then before
 * the last one is full.
 */

#include <errno.h>

#include "base/text.h"
#include "io/http-pool-internal.h"

typedef struct PoolDial {
        HttpOrigin *origin;
        List link;
        Dial *dial;
        usec_t started;
} PoolDial;

/* --- dials --- */

static void dial_leave(PoolDial *d) {
        list_unlink(&d->link);
        d->origin->n_dials--;
}

static void dial_done(PoolDial *d) {
        dial_free(d->dial);
        free(d);
}

static void dial_drop(PoolDial *d) {
        dial_leave(d);
        dial_done(d);
}

static size_t dials_wanted(const HttpOrigin *o) {
        if (o->n_asked > 0)
                return 0; /* one of them may be there */
        if (o->n_waiting == 0 || !o->tls || o->version == ORIGIN_HTTP1)
                return o->n_waiting;
        return 1 + (o->n_waiting - 1) / HTTP_POOL_STREAMS;
}

static void fail_waiting(HttpOrigin *o, usec_t since, const char *cause) {
        LIST_FOREACH(i, &o->waiting) {
                PoolCall *c = list_entry(i, PoolCall, queue);

                if (dials_wanted(o) <= o->n_dials)
                        break;
                if (c->waits_since > since)
                        continue;
                http_origin_unqueue(c);
                http_call_end(c, HTTP_OUTCOME_UNREACHED, cause);
        }
}

static void on_dialled(Transport *t, const DialTimes *times, const char *cause, void *userdata) {
        PoolDial *d = userdata;
        HttpOrigin *o = d->origin;
        usec_t started = d->started;
        PoolConn *conn;

        dial_leave(d);
        if (t && http_conn_new(o, t, times, &conn) < 0)
                t = NULL, cause = "No memory for the connection";
        if (!t) {
                if (o->n_waiting == 0)
                        o->no_spread_until = loop_now(o->pool->loop) + HTTP_POOL_SPREAD_PAUSE;
                fail_waiting(o, started, cause);
        } else if (conn->http2) {
                list_append(&o->shared, &conn->link);
                timeout_start(o->pool->idle, &conn->idle);
        } else if (o->n_waiting > 0) {
                PoolCall *c = list_entry(o->waiting.next, PoolCall, queue);

                http_origin_unqueue(c);
                http_conn_use_http1(conn, c);
        } else
                http_conn_keep(conn);
        dial_done(d); /* the times and the cause are the dial's */
        http_origin_dispatch(o);
        http_pool_wake(o->pool);
}

int http_origin_dial(HttpOrigin *o, usec_t timeout) {
        PoolDial *d;
        int r;

        d = calloc(1, sizeof(PoolDial));
        if (!d)
                return -ENOMEM;
        d->origin = o;
        d->started = loop_now(o->pool->loop);
        list_init(&d->link);
        r = dial_start(o->pool->dialer,
                       &(DialParams){
                               .host = o->host,
                               .port = o->port,
                               .tls = o->tls,
                               .http2 = o->tls,
                               .timeout = timeout,
                       },
                       on_dialled, d, &d->dial);
        if (r < 0) {
                free(d);
                return r;
        }
        list_append(&o->dials, &d->link);
        o->n_dials++;
        return 0;
}

/* As many as those that wait need. */
static void dial_missing(HttpOrigin *o) {
        while (dials_wanted(o) > o->n_dials) {
                PoolCall *last = list_entry(o->waiting.prev, PoolCall, queue);
                usec_t waited = usec_sub(loop_now(o->pool->loop), last->waits_since);
                usec_t left = usec_sub(last->work.p.connect_timeout, waited);

                if (left == 0 || http_origin_dial(o, left) < 0) {
                        http_origin_unqueue(last);
                        http_call_end(last, HTTP_OUTCOME_UNREACHED,
                                      left == 0 ? "No connection within CONNECT_TIMEOUT" :
                                                  "No memory for a connection");
                }
        }
}

/* --- calls --- */

void http_origin_unqueue(PoolCall *c) {
        if (!list_is_linked(&c->queue))
                return;
        list_unlink(&c->queue);
        c->origin->n_waiting--;
}

typedef struct Shared {
        PoolConn *best; /* with the fewest streams; NULL: none has room */
        size_t n_works; /* its */
        size_t room;    /* of all */
        size_t n;       /* connections with room */
        bool is_new;    /* one of them may have more room: that is not known yet */
} Shared;

static Shared look_at_shared(const HttpOrigin *o) {
        Shared s = {};

        LIST_FOREACH(i, &o->shared) {
                PoolConn *conn = list_entry(i, PoolConn, link);
                size_t room = conn->drains ? 0 : http2_room(conn->http2), n;

                if (room == 0)
                        continue;
                s.room += room;
                s.n++;
                s.is_new |= http2_is_new(conn->http2);
                n = http2_n_works(conn->http2);
                if (!s.best || n < s.n_works) {
                        s.best = conn;
                        s.n_works = n;
                }
        }
        return s;
}

/* One more stream was begun over the best one: is another connection needed soon? */
static void spread(HttpOrigin *o, const Shared *s, const PoolCall *c) {
        const HttpPoolSpread *of = &o->pool->spread;
        bool few = s->n < of->connections && s->n_works + 1 >= of->streams;
        bool full = s->room <= HTTP_POOL_SPARE_STREAMS && !s->is_new;

        if (o->n_dials > 0 || (!few && !full) || loop_now(o->pool->loop) < o->no_spread_until)
                return;
        (void) http_origin_dial(o, c->work.p.connect_timeout);
}

/* False: it has to wait. */
static bool place(HttpOrigin *o, PoolCall *c) {
        if (!list_is_empty(&o->shared)) {
                Shared s = look_at_shared(o);

                while (s.best && http_conn_ask(s.best))
                        s = look_at_shared(o);
                if (s.best && http_conn_use_http2(s.best, c)) {
                        spread(o, &s, c);
                        return true;
                }
        }
        if (!c->fresh && !list_is_empty(&o->idle)) {
                http_origin_unqueue(c);
                http_conn_use_http1(list_entry(o->idle.next, PoolConn, link), c);
                return true;
        }
        return false;
}

void http_origin_dispatch(HttpOrigin *o) {
        o->is_due = false;
        LIST_FOREACH(i, &o->waiting)
                if (!place(o, list_entry(i, PoolCall, queue)))
                        break;
        dial_missing(o);
}

void http_origin_start(PoolCall *c) {
        HttpOrigin *o = c->origin;

        if (place(o, c))
                return;
        c->waits_since = loop_now(o->pool->loop);
        list_append(&o->waiting, &c->queue);
        o->n_waiting++;
        dial_missing(o);
}

void http_origin_restart(PoolCall *c) {
        HttpOrigin *o = c->origin;

        c->waits_since = loop_now(o->pool->loop);
        list_append(o->waiting.next, &c->queue); /* before the first */
        o->n_waiting++;
        o->is_due = true;
        http_pool_wake(o->pool);
}

void http_origin_leave(PoolCall *c) {
        PoolConn *conn = c->conn;

        if (!c->has_ended)
                http_origin_unqueue(c);
        else
                list_unlink(&c->queue);
        if (!conn)
                return;
        c->conn = NULL;
        if (conn->http1) {
                http1_cancel(conn->http1);
                http_conn_close(conn);
        } else
                http2_cancel(conn->http2, &c->work);
}

/* --- the origin itself --- */

/* A dial that is under way verifies the server with the old CAs, so another one begins for the calls that
 * wait, at the end of the turn. */
void http_origin_drain(HttpOrigin *o) {
        LIST_FOREACH(i, &o->dials)
                dial_drop(list_entry(i, PoolDial, link));
        o->is_due = true;
        http_pool_wake(o->pool);
        LIST_FOREACH(i, &o->idle)
                http_conn_close(list_entry(i, PoolConn, link));
        LIST_FOREACH(i, &o->busy)
                http_conn_drain(list_entry(i, PoolConn, link));
        LIST_FOREACH(i, &o->shared)
                http_conn_drain(list_entry(i, PoolConn, link));
}

static int parse_authority(HttpOrigin *o) {
        const char *host = o->authority, *end = host + strlen(host), *port = NULL, *behind;
        unsigned number = o->tls ? 443 : 80;

        behind = *host == '[' ? strchr(host, ']') : host + strcspn(host, ":");
        if (!behind)
                return -EINVAL;
        if (*behind == ']')
                behind++;
        if (*behind == ':')
                port = behind + 1;
        else if (behind != end)
                return -EINVAL;
        if (behind == host || strpbrk(host, "@ \\"))
                return -EINVAL;
        if (port && (text_parse_uint(port, &number) < 0 || number == 0 || number > UINT16_MAX))
                return -EINVAL;
        o->port = (uint16_t) number;
        o->host = strndup(host, (size_t) (behind - host));
        return o->host ? 0 : -ENOMEM;
}

bool http_origin_is_of(const HttpOrigin *o, const char *url) {
        return strncmp(url, o->url, o->n_url) == 0 && strchr("/?#", url[o->n_url]); /* or its end */
}

static int origin_new(HttpPool *p, const char *url, HttpOrigin **ret) {
        const char *authority = startswith(url, "https://");
        bool tls = authority;
        HttpOrigin *o;
        int r;

        if (!tls)
                authority = startswith(url, "http://");
        if (!authority)
                return -EINVAL;
        o = calloc(1, sizeof(HttpOrigin));
        if (!o)
                return -ENOMEM;
        o->pool = p;
        o->tls = tls;
        o->scheme = tls ? "https" : "http";
        list_init(&o->link);
        list_init(&o->waiting);
        list_init(&o->dials);
        list_init(&o->idle);
        list_init(&o->busy);
        list_init(&o->shared);
        o->n_url = (size_t) (authority - url) + strcspn(authority, "/?#");
        o->url = strndup(url, o->n_url);
        if (!o->url) {
                http_origin_free(o);
                return -ENOMEM;
        }
        o->authority = o->url + (authority - url);
        r = parse_authority(o);
        if (r < 0) {
                http_origin_free(o);
                return r;
        }
        list_append(&p->origins, &o->link);
        *ret = o;
        return 0;
}

int http_origin_find(HttpPool *p, const char *url, HttpOrigin **ret) {
        LIST_FOREACH(i, &p->origins) {
                HttpOrigin *o = list_entry(i, HttpOrigin, link);

                if (http_origin_is_of(o, url)) {
                        *ret = o;
                        return 0;
                }
        }
        return origin_new(p, url, ret);
}

bool http_origin_is_unused(const HttpOrigin *o) {
        return o->n_calls == 0 && o->n_dials == 0 && list_is_empty(&o->idle) && list_is_empty(&o->busy) &&
               list_is_empty(&o->shared);
}

static void free_all(List *conns) {
        LIST_FOREACH(i, conns)
                http_conn_free(list_entry(i, PoolConn, link));
}

HttpOrigin *http_origin_free(HttpOrigin *o) {
        assert(o->n_calls == 0);
        LIST_FOREACH(i, &o->dials)
                dial_drop(list_entry(i, PoolDial, link));
        free_all(&o->idle);
        free_all(&o->busy);
        free_all(&o->shared);
        list_unlink(&o->link);
        free(o->url);
        free(o->host);
        free(o);
        return NULL;
}
