/* SPDX-License-Identifier: MIT */

/*
 * The calls of the interface go to the implementation. The daemon's client is two of them: a call through a
 * proxy goes to libcurl, and any other to the pool of gemgate's own connections. libcurl begins with its
 * first call, because most daemons have none.
 */

#include <errno.h>

#include "io/curl-glue.h"
#include "io/http-client.h"
#include "io/http-pool.h"

typedef struct Both {
        HttpClient client;
        Loop *loop;
        HttpClient *pool, *curl; /* curl: NULL before its first call */
        HttpClientParams params; /* of the last renewal */
} Both;

static int both_start(HttpClient *client, const HttpCallParams *p, const HttpCallOps *ops, void *userdata,
                      HttpCall **ret) {
        Both *b = CONTAINER_OF(client, Both, client);
        int r;

        if (!p->proxy)
                return b->pool->ops->start(b->pool, p, ops, userdata, ret);
        if (!b->curl) {
                r = curl_glue_new(b->loop, &b->curl);
                if (r < 0)
                        return r;
                http_client_renew(b->curl, &b->params);
        }
        return b->curl->ops->start(b->curl, p, ops, userdata, ret);
}

static void both_renew(HttpClient *client, const HttpClientParams *p) {
        Both *b = CONTAINER_OF(client, Both, client);

        b->params = *p;
        http_client_renew(b->pool, p);
        if (b->curl)
                http_client_renew(b->curl, p);
}

static void both_free(HttpClient *client) {
        Both *b = CONTAINER_OF(client, Both, client);

        http_client_free(b->curl);
        http_client_free(b->pool);
        free(b);
}

int http_client_new(Loop *loop, HttpClient **ret) {
        /* A call belongs to the implementation that has started it. */
        static const HttpClientOps ops = { .start = both_start, .renew = both_renew, .free = both_free };
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        Both *b;
        int r;

        b = calloc(1, sizeof(Both));
        if (!b)
                return -ENOMEM;
        b->client.ops = &ops;
        b->loop = loop;
        client = &b->client;
        r = http_pool_new(loop, &b->pool);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(client);
        return 0;
}

HttpClient *http_client_free(HttpClient *client) {
        if (client)
                client->ops->free(client);
        return NULL;
}

void http_client_renew(HttpClient *client, const HttpClientParams *p) {
        client->ops->renew(client, p);
}

int http_call_start(HttpClient *client, const HttpCallParams *p, const HttpCallOps *ops, void *userdata,
                    HttpCall **ret) {
        assert(p->n_headers <= HTTP_CALL_HEADERS_MAX);
        assert(!p->secret || p->secret_header);
        assert(!p->body || !ops->read);
        return client->ops->start(client, p, ops, userdata, ret);
}

HttpCall *http_call_free(HttpCall *c) {
        if (c)
                c->client_ops->call_free(c);
        return NULL;
}

void http_call_pause(HttpCall *c, bool paused) {
        c->client_ops->call_pause(c, paused);
}

void http_call_continue(HttpCall *c) {
        c->client_ops->call_continue(c);
}

void http_call_timings(const HttpCall *c, HttpTimings *ret) {
        *ret = (HttpTimings){};
        c->client_ops->call_timings(c, ret);
}

usec_t http_call_retry_after(const HttpCall *c) {
        return c->client_ops->call_retry_after(c);
}
