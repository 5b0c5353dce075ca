/* SPDX-License-Identifier: MIT */

/*
 * Calls through proxies. libcurl would give a connection to a call with the same proxy and another user, who
 * may have another way out of it. So each different proxy, with its user, has its own cache of connections:
 * a share handle that holds nothing else. TLS sessions are not kept there either.
 *
 * curl_roads_renew() is for a reload: calls under way go on, and idle connections of all proxies are closed.
 */

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/text.h"
#include "io/curl-internal.h"

struct CurlRoad {
        Proxy *proxy; /* first, for compare() */
        CURLSH *share;
        size_t n_calls;
        bool stale; /* not in the tree any more: the last call frees it */
        List roads;
};

static int compare(const void *a, const void *b) {
        return proxy_compare(*(Proxy *const *) a, *(Proxy *const *) b);
}

static CurlRoad *road_free(CurlRoad *r) {
        if (!r)
                return NULL;
        assert(r->n_calls == 0);
        list_unlink(&r->roads);
        if (r->share)
                (void) curl_share_cleanup(r->share);
        proxy_unref(r->proxy);
        free(r);
        return NULL;
}
DEFINE_CLEANUP(CurlRoad *, road_free);

static int road_new(CurlGlue *g, Proxy *proxy, CurlRoad **ret) {
        _cleanup_(road_freep) CurlRoad *r = calloc(1, sizeof(CurlRoad));

        if (!r)
                return -ENOMEM;
        list_init(&r->roads);
        r->proxy = proxy_ref(proxy);
        r->share = curl_share_init();
        if (!r->share ||
            curl_share_setopt(r->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK ||
            !tsearch(r, &g->roads_by_proxy, compare))
                return -ENOMEM;
        list_append(&g->roads, &r->roads);
        *ret = TAKE_PTR(r);
        return 0;
}

int curl_road_take(CurlGlue *g, CURL *easy, Proxy *proxy, CurlRoad **ret) {
        const struct CurlRoad like = { .proxy = proxy };
        CurlRoad **found = tfind(&like, &g->roads_by_proxy, compare), *road = found ? *found : NULL;
        int r;

        if (!road) {
                r = road_new(g, proxy, &road);
                if (r < 0)
                        return r;
        }
        road->n_calls++;
        *ret = road;
        return curl_easy_setopt(easy, CURLOPT_SHARE, road->share) == CURLE_OK &&
                               curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
                               curl_easy_setopt(easy, CURLOPT_PROXY, secret_reveal(proxy_url(proxy))) ==
                                       CURLE_OK ?
                       0 :
                       -ENOMEM;
}

void curl_road_give(CURL *easy, CurlRoad *road) {
        if (!road)
                return;
        (void) curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
        (void) curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_PROXY, "");
        if (--road->n_calls == 0 && road->stale)
                road_free(road);
}

void curl_roads_renew(CurlGlue *g) {
        LIST_FOREACH(i, &g->roads) {
                CurlRoad *r = list_entry(i, CurlRoad, roads);

                if (!r->stale)
                        (void) tdelete(r, &g->roads_by_proxy, compare);
                r->stale = true;
                if (r->n_calls == 0)
                        road_free(r);
        }
}

Proxy *curl_road_proxy(const CurlRoad *road) {
        return road ? road->proxy : NULL;
}
