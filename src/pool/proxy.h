/* SPDX-License-Identifier: MIT */
#pragma once

/* Which proxy a key's calls go through. Part of the pool, see pick.c. */

#include "base/proxy.h"
#include "pool/types.h"

typedef struct PoolProxies {
        Proxy *others; /* of all keys for which no other is named; NULL: none */
        const ProjectProxy *rows; /* sorted by project; a project has its name by the configuration or by
                                   * Google */
        size_t n;
} PoolProxies;

/* Borrowed until the next call. */
void pool_set_proxies(Pool *p, const PoolProxies *proxies);

/* For the next call with this key. NULL: it goes directly. */
Proxy *pool_key_proxy(const Pool *p, const PoolKey *k);

/* The one that is named for this key or its project; `none` is one. NULL: none is. */
Proxy *pool_key_own_proxy(const Pool *p, const PoolKey *k);
