/* SPDX-License-Identifier: MIT */
#pragma once

/* Short forms for tests of the pool: keys that are added to those it has, and a pick without conditions. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pool/internal.h"

/* Adds keys by a reload. -EEXIST: the pool has one of them. */
static inline int pool_add_keys(Pool *p, const PoolKeyWanted *more, size_t n_more) {
        _cleanup_free_ PoolKeyWanted *keys = calloc(p->n_keys + n_more, sizeof(PoolKeyWanted));
        PoolChange change;
        size_t n = 0;
        int r;

        if (!keys)
                return -ENOMEM;
        for (; n < p->n_keys; n++) {
                const PoolKey *k = p->keys[n];

                keys[n] = (PoolKeyWanted){
                        .secret = k->secret,
                        .name = k->ident->name,
                        .project = k->placed ? k->project->name : NULL,
                        .disabled = k->configured,
                };
        }
        for (size_t i = 0; i < n_more; i++)
                keys[n++] = more[i];
        r = pool_set_keys(p, keys, n, p->day.now, &change);
        if (r < 0)
                return r;
        return change.n_added == n_more ? 0 : -EEXIST;
}

/* name and project may be NULL. */
static inline int pool_add_key(Pool *p, Secret *secret, const char *name, const char *project,
                               bool disabled) {
        return pool_add_keys(p, &(PoolKeyWanted){ secret, name, project, disabled }, 1);
}

/* Adds n keys without names or projects, all at once. */
static inline int pool_add_many(Pool *p, const char *prefix, unsigned n) {
        _cleanup_free_ PoolKeyWanted *keys = calloc(n, sizeof(PoolKeyWanted));
        int r = 0;

        if (!keys)
                return -ENOMEM;
        for (unsigned i = 0; r >= 0 && i < n; i++) {
                char text[64];

                (void) snprintf(text, sizeof(text), "%s-%06u-%04u", prefix, i, i * 7919 % 10000);
                r = secret_new(text, strlen(text), &keys[i].secret);
        }
        if (r >= 0)
                r = pool_add_keys(p, keys, n);
        for (unsigned i = 0; i < n; i++)
                if (keys[i].secret)
                        (void) secret_unref(keys[i].secret);
        return r;
}

static inline int pool_pick(Pool *p, const char *model, PoolKey *const *exclude, size_t n_exclude,
                            usec_t now, Lease *ret, PoolRefusal *ret_refusal) {
        const PoolRequest q = { .model = model, .exclude = exclude, .n_exclude = n_exclude };

        return pool_pick_for(p, &q, now, ret, ret_refusal);
}
