/* SPDX-License-Identifier: MIT */

/*
 * HTTP calls by gemgate's own connections: HTTP/2 where TLS agrees on it, HTTP/1.1 otherwise. The pool knows
 * an origin (http-origin.c) for each server and proxy, its connections (http-conn.c) and its calls
 * (http-work.c).
 *
 *     http_call_start() → origin → a connection, or waiting for one → http_work_…() → the call's callbacks
 *
 * Connections report to works and to the pool from within their own work on a socket. What could free
 * something, or start something with them, is only noted then, and done at the end of the turn, in
 * on_hook(): calls go on, calls that wait get connections, done() is called, connections are freed.
 */

#include <errno.h>
#include <string.h>

#include "io/http-lack.h"
#include "io/http-origin.h"

/* --- the end of a turn --- */

void http_pool_wake(HttpPool *p) {
        loop_hook_ask(p->loop, &p->hook);
}

static void finish(PoolCall *c) {
        const HttpCall *call = &c->work.call;

        list_unlink(&c->queue);
        call->ops.done(c->outcome, c->work.status,
                       c->outcome == HTTP_OUTCOME_COMPLETE ? "" : c->cause ?: "No memory for the reason",
                       call->userdata);
}

static void on_hook(void *userdata) {
        HttpPool *p = userdata;
        List *l;

        while ((l = list_first(&p->resumed)))
                http_call_resume(list_entry(l, PoolCall, resumed));
        while ((l = list_first(&p->due)))
                http_origin_dispatch(list_entry(l, HttpOrigin, due));
        while ((l = list_first(&p->ended)))
                finish(list_entry(l, PoolCall, queue));
        while ((l = list_first(&p->closed)))
                http_conn_free(list_entry(l, PoolConn, link));
        http_warm_look(p);
}

/* --- calls --- */

static PoolCall *call_of(HttpCall *call) {
        return CONTAINER_OF(call, PoolCall, work.call);
}

static void call_free(HttpCall *call) {
        PoolCall *c = call_of(call);

        assert(!c->in_callback);
        http_origin_leave(c);
        list_unlink(&c->resumed);
        c->origin->n_calls--;
        c->origin->pool->n_calls--;
        buf_done(&c->held);
        secret_unref(c->work.p.secret);
        free(c->cause);
        free(c);
}

static int call_start(HttpClient *client, const HttpCallParams *p, const HttpCallOps *ops, void *userdata,
                      HttpCall **ret) {
        HttpPool *pool = CONTAINER_OF(client, HttpPool, client);
        HttpOrigin *o;
        const char *target;
        size_t n, slash;
        PoolCall *c;
        int r;

        r = http_origin_find(pool, p->url, p->proxy, &o);
        if (r < 0)
                return r;
        target = p->url + o->n_url;
        n = strcspn(target, "#");
        slash = *target != '/';
        c = calloc(1, sizeof(PoolCall) + slash + n + 1);
        if (!c)
                return -ENOMEM;
        c->target[0] = '/';
        memcpy(c->target + slash, target, n);
        c->work.call = (HttpCall){ .client_ops = client->ops, .ops = *ops, .userdata = userdata };
        c->work.p = *p;
        c->work.p.url = NULL; /* it may go */
        c->work.p.proxy = NULL; /* the origin's counts */
        if (p->secret)
                secret_ref(p->secret);
        c->work.method = p->method ?: p->body || ops->read ? "POST" : "GET";
        c->work.scheme = o->scheme;
        c->work.authority = o->authority;
        c->work.target = c->target;
        list_init(&c->work.link);
        list_init(&c->queue);
        list_init(&c->resumed);
        c->held = BUF_INIT(HTTP_POOL_HELD_MAX);
        c->n_left = p->n_body;
        c->origin = o;
        o->n_calls++;
        pool->n_calls++;
        http_origin_start(c);
        *ret = &c->work.call;
        return 0;
}

/* At the end of the turn, because we may be within one of the connection's callbacks. */
static void go_on(PoolCall *c) {
        HttpPool *p = c->origin->pool;

        if (!list_is_linked(&c->resumed))
                list_append(&p->resumed, &c->resumed);
        http_pool_wake(p);
}

static void call_pause(HttpCall *call, bool paused) {
        PoolCall *c = call_of(call);

        if (c->work.paused == paused)
                return;
        c->work.paused = paused;
        if (!paused)
                go_on(c);
}

static void call_continue(HttpCall *call) {
        PoolCall *c = call_of(call);

        if (c->conn)
                go_on(c);
}

static void call_timings(const HttpCall *call, HttpTimings *ret) {
        const PoolCall *c = CONTAINER_OF(call, PoolCall, work.call);

        *ret = (HttpTimings){
                .resolved = c->times.resolved,
                .connected = c->times.connected,
                .secured = c->times.secured,
                .sent = c->sent,
                .head = c->head,
                .reused = c->reused,
        };
}

static usec_t call_retry_after(const HttpCall *call) {
        return CONTAINER_OF(call, PoolCall, work.call)->retry_after;
}

/* --- a connection for something else --- */

int http_pool_dial(HttpClient *client, const char *url, Proxy *proxy, usec_t timeout, DialFn f,
                   void *userdata, Dial **ret, Proxy **ret_proxy) {
        HttpPool *p = CONTAINER_OF(client, HttpPool, client);
        HttpOrigin *o;
        int r;

        r = http_origin_find(p, url, proxy, &o);
        if (r < 0)
                return r;
        if (!http_lack_admits(p))
                return -EMFILE;
        r = dial_start(p->dialer,
                       &(DialParams){
                               .host = o->host,
                               .port = o->port,
                               .tls = o->tls,
                               .timeout = timeout,
                               .proxy = o->proxy,
                       },
                       f, userdata, ret);
        if (r < 0)
                return r;
        *ret_proxy = proxy_ref(o->proxy);
        return 0;
}

/* --- the pool itself --- */

static void pool_renew(HttpClient *client, const HttpClientParams *params) {
        HttpPool *p = CONTAINER_OF(client, HttpPool, client);
        /* What is in a file of CAs may have changed, too. */
        bool is_other = params->ca_file || p->has_ca_file;

        http_warm_stop(p);
        p->has_ca_file = params->ca_file;
        if (is_other)
                (void) dialer_configure(p->dialer, &(DialerParams){ .ca_file = params->ca_file });
        LIST_FOREACH(i, &p->origins) {
                HttpOrigin *o = list_entry(i, HttpOrigin, link);

                /* Which proxies will be used, only the calls show. */
                if (!o->proxy && http_origin_is_of(o, params->url) && !(o->tls && is_other))
                        continue;
                http_origin_drain(o);
                if (http_origin_is_unused(o))
                        http_origin_free(o);
        }
        if (params->warm)
                http_warm_start(p, params);
}

static void pool_free(HttpClient *client) {
        HttpPool *p = CONTAINER_OF(client, HttpPool, client);
        List *l;

        assert(p->n_calls == 0);
        http_warm_stop(p);
        while ((l = list_first(&p->closed)))
                http_conn_free(list_entry(l, PoolConn, link));
        while ((l = list_first(&p->origins)))
                http_origin_free(list_entry(l, HttpOrigin, link));
        dialer_free(p->dialer);
        http_lack_done(p);
        timeout_queue_free(p->idle);
        timeout_queue_free(p->asked);
        loop_hook_remove(&p->hook);
        free(p);
}

int http_pool_new(Loop *loop, HttpClient **ret) {
        static const HttpPoolSpread spread = {
                .connections = HTTP_POOL_SPREAD,
                .streams = HTTP_POOL_SPREAD_STREAMS,
        };

        return http_pool_new_spread(loop, &spread, ret);
}

int http_pool_new_spread(Loop *loop, const HttpPoolSpread *spread, HttpClient **ret) {
        static const HttpClientOps ops = {
                .start = call_start,
                .renew = pool_renew,
                .free = pool_free,
                .call_pause = call_pause,
                .call_continue = call_continue,
                .call_timings = call_timings,
                .call_retry_after = call_retry_after,
                .call_free = call_free,
        };
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        HttpPool *p;
        int r;

        p = calloc(1, sizeof(HttpPool));
        if (!p)
                return -ENOMEM;
        p->client.ops = &ops;
        p->loop = loop;
        p->spread = *spread;
        list_init(&p->origins);
        list_init(&p->due);
        list_init(&p->resumed);
        list_init(&p->ended);
        list_init(&p->closed);
        loop_hook_add(loop, &p->hook, on_hook, p);
        http_lack_init(p);
        client = &p->client;

        r = timeout_queue_new(loop, HTTP_POOL_IDLE_TIME, http_conn_on_idle, &p->idle);
        if (r < 0)
                return r;
        r = timeout_queue_new(loop, HTTP_POOL_ASK_TIME, http_conn_on_asked, &p->asked);
        if (r < 0)
                return r;
        r = timeout_queue_new(loop, HTTP_POOL_LACK_TIME, http_lack_on_look, &p->lack);
        if (r < 0)
                return r;
        r = dialer_new(loop, &(DialerParams){}, &p->dialer);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(client);
        return 0;
}
