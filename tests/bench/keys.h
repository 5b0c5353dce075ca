/* SPDX-License-Identifier: MIT */
#pragma once

/* The keys of the benchmarks of the pool. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pool/admin.h"

static inline int bench_set_keys(Pool *p, unsigned n_keys, usec_t now) {
        _cleanup_free_ PoolKeyWanted *keys = calloc(n_keys, sizeof(PoolKeyWanted));
        PoolChange change;
        int r = 0;

        if (!keys)
                return -ENOMEM;
        for (unsigned i = 0; r >= 0 && i < n_keys; i++) {
                char text[64];

                (void) snprintf(text, sizeof(text), "AIzaSyBench-%06u-%04u", i, i * 7919 % 10000);
                r = secret_new(text, strlen(text), &keys[i].secret);
        }
        if (r >= 0)
                r = pool_set_keys(p, keys, n_keys, now, &change);
        for (unsigned i = 0; i < n_keys; i++)
                if (keys[i].secret)
                        (void) secret_unref(keys[i].secret);
        return r;
}
