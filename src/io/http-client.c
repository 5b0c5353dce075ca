/* SPDX-License-Identifier: MIT */

/* The calls of the interface go to the implementation. */

#include "io/http-client.h"
#include "io/http-pool.h"

int http_client_new(Loop *loop, HttpClient **ret) {
        return http_pool_new(loop, ret);
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
