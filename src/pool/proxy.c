/* SPDX-License-Identifier: MIT */

#include "pool/internal.h"
#include "pool/proxy.h"

void pool_set_proxies(Pool *p, const PoolProxies *proxies) {
        p->proxies = *proxies;
}

Proxy *pool_key_proxy(const Pool *p, const PoolKey *k) {
        Proxy *own = pool_key_own_proxy(p, k), *used = own ?: p->proxies.others;

        return used && !proxy_is_none(used) ? used : NULL;
}

Proxy *pool_key_own_proxy(const Pool *p, const PoolKey *k) {
        if (k->proxy || !k->project->name)
                return k->proxy;
        return project_proxy_find(p->proxies.rows, p->proxies.n, k->project->name);
}
