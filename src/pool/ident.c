/* SPDX-License-Identifier: MIT */

/* Names and ids of the pool's keys. */

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/text.h"
#include "pool/internal.h"

#define ID_DIGITS 12U

PoolIdent *pool_ident_free(PoolIdent *i) {
        if (!i)
                return NULL;
        free(i->name);
        free(i);
        return NULL;
}
DEFINE_CLEANUP(PoolIdent *, pool_ident_free);

/* The name is the id, unless an earlier key has it. Else the id is the digest, with as many digits as make
 * it unique: all 64 are unique, unless another key has them as its name. */
int pool_ident_new(PoolKey *k, const char *name, void **by_id, PoolIdent **ret) {
        _cleanup_(pool_ident_freep) PoolIdent *i = NULL;
        PoolIdent **at;
        int r;

        i = calloc(1, sizeof(PoolIdent));
        if (!i)
                return -ENOMEM;
        i->key = k;
        if (name) {
                i->name = strdup(name);
                if (!i->name)
                        return -ENOMEM;
                i->id = i->name;
                at = tsearch(i, by_id, pool_name_compare);
                if (!at)
                        return -ENOMEM;
                if (*at == i) {
                        *ret = TAKE_PTR(i);
                        return 0;
                }
        }

        for (size_t n = ID_DIGITS; n < DIGEST_TEXT_SIZE; n++) {
                r = digest_secret(k->secret, i->digest);
                if (r < 0)
                        return r;
                i->digest[n] = 0;
                i->id = i->digest;
                at = tsearch(i, by_id, pool_name_compare);
                if (!at)
                        return -ENOMEM;
                if (*at == i) {
                        *ret = TAKE_PTR(i);
                        return 0;
                }
        }
        return -EEXIST;
}

const char *pool_key_id(const PoolKey *k) {
        return k->ident->id;
}

bool pool_key_is_named(const PoolKey *k) {
        return k->ident->name && k->ident->id == k->ident->name;
}

bool pool_key_matches(const PoolKey *k, const char *pattern) {
        if (!pattern || streq_ptr(k->ident->name, pattern) || streq(k->mask, pattern) ||
            streq(k->ident->id, pattern))
                return true;
        if (strncmp(k->mask, pattern, k->n_mask) != 0)
                return false;
        /* The bare mask means all keys that share it, so the first of them is MASK#1. */
        return !pattern[k->n_mask] || (!k->mask[k->n_mask] && streq(pattern + k->n_mask, "#1"));
}

int pool_find_key(Pool *p, const char *what, PoolKey **ret) {
        PoolIdent **at = tfind(&what, &p->by_id, pool_name_compare);
        PoolKey *found = NULL;

        if (at) {
                *ret = (*at)->key;
                return 0;
        }
        for (size_t i = 0; i < p->n_keys; i++)
                if (pool_key_matches(p->keys[i], what)) {
                        if (found)
                                return -EEXIST;
                        found = p->keys[i];
                }
        if (!found)
                return -ENXIO;
        *ret = found;
        return 0;
}
