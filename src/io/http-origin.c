/* SPDX-License-Identifier: MIT */

/*
 * The connections to one server, through one proxy or none, and which call goes over which. A proxy is known
 * by its user and password, too: providers choose the way out by them.
 *
 * At HTTP/1.1 a connection carries one call. A free one is taken, the one that was used last: so the others
 * become idle for long, and end. At HTTP/2 it is the one with the fewest streams. Otherwise the call waits,
 * and enough dials are made for those that wait: one for each, but only one as long as the server may speak
 * HTTP/2, because then one connection is enough for many. A dial belongs to no call: the oldest that waits
 * gets the connection, and one that is cancelled leaves its dial to the next.
 *
 * When a dial fails, calls fail that waited when it began: the oldest ones, as many as the other dials are
 * not enough for. Those that came later get another dial, with what is left of their time.
 * While the process has no descriptor for a connection, calls wait for one (http-lack.c).
 *
 * At HTTP/2 another connection is made before it is needed: a few streams each before there are
 * HTTP_POOL_SPREAD of them, because a lost packet holds up all streams of its connection; and then before
 * the last one is full.
 */

#include <errno.h>
#include <search.h>

#include "base/text.h"
#include "io/http-lack.h"
#include "io/http-origin.h"
#include "io/loopback.h"

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

size_t http_origin_dials_wanted(const HttpOrigin *o) {
        if (o->n_asked > 0)
                return 0; /* one of them may be there */
        if (o->n_waiting == 0 || !o->tls || o->version == ORIGIN_HTTP1)
                return o->n_waiting;
        return 1 + (o->n_waiting - 1) / HTTP_POOL_STREAMS;
}

/* Those that lack a descriptor are more than this dial was made for. */
static void fail_waiting(HttpOrigin *o, usec_t since, const char *cause) {
        size_t most = SIZE_MAX;

        if (http_lack_has(o))
                most = o->tls && o->version != ORIGIN_HTTP1 ? HTTP_POOL_STREAMS : 1;

        LIST_FOREACH(i, &o->waiting) {
                PoolCall *c = list_entry(i, PoolCall, queue);

                if (http_origin_dials_wanted(o) <= o->n_dials || most-- == 0)
                        break;
                if (c->waits_since > since)
                        continue;
                http_origin_unqueue(c);
                http_call_end(c, HTTP_OUTCOME_UNREACHED, cause);
        }
}

/* Those that take no streams would else become many, one for each dial. */
static void close_useless(HttpOrigin *o) {
        LIST_FOREACH(i, &o->shared) {
                PoolConn *conn = list_entry(i, PoolConn, link);

                if (http2_n_works(conn->http2) == 0 && http2_room(conn->http2) == 0 && !conn->asked)
                        http_conn_close(conn);
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
                close_useless(o);
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
                               .proxy = o->proxy,
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

void http_origin_dial_one(HttpOrigin *o) {
        PoolCall *last = list_entry(o->waiting.prev, PoolCall, queue);
        usec_t waited = usec_sub(loop_now(o->pool->loop), last->waits_since);
        usec_t left = usec_sub(last->work.p.connect_timeout, waited);

        assert(o->n_waiting > 0);
        if (http_lack_has(o))
                left = last->work.p.connect_timeout; /* so far it waited for a descriptor */
        if (left > 0 && http_origin_dial(o, left) >= 0)
                return;
        http_origin_unqueue(last);
        if (left == 0)
                http_call_end(last, HTTP_OUTCOME_UNREACHED, "No connection within CONNECT_TIMEOUT");
        else
                http_call_end(last, HTTP_OUTCOME_LACKING, "No memory for a connection");
}

/* As many as those that wait need. */
static void dial_missing(HttpOrigin *o) {
        while (http_origin_dials_wanted(o) > o->n_dials) {
                if (!http_lack_admits(o->pool)) {
                        http_lack_wait(o);
                        return;
                }
                http_origin_dial_one(o);
        }
        http_lack_end(o);
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

        if (o->n_dials > 0 || (!few && !full) || loop_now(o->pool->loop) < o->no_spread_until ||
            !http_lack_admits(o->pool))
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

void http_origin_dispatch_later(HttpOrigin *o) {
        if (!list_is_linked(&o->due))
                list_append(&o->pool->due, &o->due);
        http_pool_wake(o->pool);
}

void http_origin_dispatch(HttpOrigin *o) {
        list_unlink(&o->due);
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
        http_origin_dispatch_later(o);
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
        http_origin_dispatch_later(o);
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

static int compare(const void *a, const void *b) {
        const HttpOrigin *x = a, *y = b;
        int r;

        r = proxy_compare(x->proxy, y->proxy);
        if (r != 0)
                return r;
        if (x->n_url != y->n_url)
                return x->n_url < y->n_url ? -1 : 1;
        return memcmp(x->url, y->url, x->n_url);
}

static int origin_new(HttpPool *p, const char *url, Proxy *proxy, HttpOrigin **ret) {
        _cleanup_(http_origin_freep) HttpOrigin *o = NULL;
        const char *authority = startswith(url, "https://");
        bool tls = authority;
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
        o->proxy = proxy_ref(proxy);
        o->lack = TIMEOUT_INIT(o->lack);
        list_init(&o->lacking);
        list_init(&o->link);
        list_init(&o->due);
        list_init(&o->waiting);
        list_init(&o->dials);
        list_init(&o->idle);
        list_init(&o->busy);
        list_init(&o->shared);
        o->n_url = (size_t) (authority - url) + strcspn(authority, "/?#");
        o->url = strndup(url, o->n_url);
        if (!o->url)
                return -ENOMEM;
        o->authority = o->url + (authority - url);
        r = parse_authority(o);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

static int origin_add(HttpPool *p, HttpOrigin *o) {
        if (!tsearch(o, &p->by_name, compare))
                return -ENOMEM;
        list_append(&p->origins, &o->link);
        return 0;
}

static HttpOrigin *find(HttpPool *p, const char *url, Proxy *proxy) {
        HttpOrigin like = { .url = (char *) (uintptr_t) url, .proxy = proxy }, **found;

        if (p->last && http_origin_is_of(p->last, url) && proxy_compare(p->last->proxy, proxy) == 0)
                return p->last;
        like.n_url = strcspn(url, ":");
        like.n_url += strspn(url + like.n_url, ":/");
        like.n_url += strcspn(url + like.n_url, "/?#");
        found = tfind(&like, &p->by_name, compare);
        if (!found)
                return NULL;
        return p->last = *found;
}

int http_origin_find(HttpPool *p, const char *url, Proxy *proxy, HttpOrigin **ret) {
        _cleanup_(http_origin_freep) HttpOrigin *o = NULL;
        int r;

        *ret = find(p, url, proxy);
        if (*ret)
                return 0;
        r = origin_new(p, url, proxy, &o);
        if (r < 0)
                return r;
        /* What goes to this machine must not pass a proxy: the keys would be readable there, and the proxy's
         * loopback is another machine's. */
        if (proxy && loopback_is_host(o->host))
                return http_origin_find(p, url, NULL, ret);
        /* It would read the keys; and tunnel_write() wants the same memory again, as TLS does it alone. */
        if (proxy && proxy_is_https(proxy) && !o->tls)
                return -EINVAL;
        r = origin_add(p, o);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
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
        if (!o)
                return NULL;
        assert(o->n_calls == 0);
        LIST_FOREACH(i, &o->dials)
                dial_drop(list_entry(i, PoolDial, link));
        http_lack_end(o);
        free_all(&o->idle);
        free_all(&o->busy);
        free_all(&o->shared);
        if (list_is_linked(&o->link))
                (void) tdelete(o, &o->pool->by_name, compare);
        if (o->pool->last == o)
                o->pool->last = NULL;
        list_unlink(&o->link);
        list_unlink(&o->due);
        proxy_unref(o->proxy);
        free(o->url);
        free(o->host);
        free(o);
        return NULL;
}
