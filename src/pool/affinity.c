/* SPDX-License-Identifier: MIT */

/*
 * A hash table with chains, whose entries are allocated once, with the first binding, and a list of the
 * entries by last use. An entry whose home is gone stays in place until it is used again or is evicted.
 *
 * The entries are not zeroed: so the kernel gives their pages one by one, as conversations come, and a
 * daemon with few of them does not take a megabyte. Each field is set before it is read.
 */

#include <errno.h>
#include <stdlib.h>

#include "pool/affinity.h"

typedef struct AffinityEntry AffinityEntry;

struct AffinityEntry {
        AffinityEntry *next; /* in its chain */
        List by_use, by_home;
        AffinityHome *home; /* NULL: the home is gone */
        uint64_t digest;
};

struct Affinity {
        uint8_t key[HASH_KEY_SIZE];
        AffinityEntry *entries; /* NULL before the first binding */
        AffinityEntry **chains;
        size_t n, max; /* entries in use */
        List by_use;   /* the latest is last */
};

void affinity_home_init(AffinityHome *h) {
        list_init(&h->bound);
}

void affinity_home_done(AffinityHome *h) {
        LIST_FOREACH(i, &h->bound) {
                list_entry(i, AffinityEntry, by_home)->home = NULL;
                list_unlink(i);
        }
}

int affinity_new(const uint8_t key[static HASH_KEY_SIZE], size_t max, Affinity **ret) {
        Affinity *a = calloc(1, sizeof(Affinity));

        if (!a)
                return -ENOMEM;
        for (size_t i = 0; i < HASH_KEY_SIZE; i++)
                a->key[i] = key[i];
        a->max = max;
        list_init(&a->by_use);
        *ret = a;
        return 0;
}

Affinity *affinity_free(Affinity *a) {
        if (!a)
                return NULL;
        for (size_t i = 0; i < a->n; i++)
                list_unlink(&a->entries[i].by_home);
        free(a->entries);
        free(a->chains);
        free(a);
        return NULL;
}

static AffinityEntry **chain_of(const Affinity *a, uint64_t digest) {
        return &a->chains[digest % a->max];
}

static AffinityEntry *find(const Affinity *a, uint64_t digest) {
        AffinityEntry *e = a->entries ? *chain_of(a, digest) : NULL;

        while (e && e->digest != digest)
                e = e->next;
        return e;
}

static uint64_t digest_of(const Affinity *a, uint64_t conversation) {
        return hash_keyed(a->key, &conversation, sizeof(conversation));
}

AffinityHome *affinity_find(const Affinity *a, uint64_t conversation) {
        AffinityEntry *e = a->entries ? find(a, digest_of(a, conversation)) : NULL;

        return e ? e->home : NULL;
}

static void chain_remove(Affinity *a, AffinityEntry *e) {
        AffinityEntry **at = chain_of(a, e->digest);

        while (*at != e)
                at = &(*at)->next;
        *at = e->next;
}

/* A free entry, or else the one that was used longest ago. */
static AffinityEntry *entry_take(Affinity *a) {
        AffinityEntry *e;

        if (!a->entries) {
                a->entries = reallocarray(NULL, a->max, sizeof(AffinityEntry));
                a->chains = calloc(a->max, sizeof(AffinityEntry *));
                if (!a->entries || !a->chains) {
                        free(a->entries);
                        free(a->chains);
                        a->entries = NULL;
                        a->chains = NULL;
                        return NULL;
                }
        }
        if (a->n < a->max) {
                e = &a->entries[a->n++];
                list_init(&e->by_use);
                list_init(&e->by_home);
                return e;
        }
        e = list_entry(list_first(&a->by_use), AffinityEntry, by_use);
        chain_remove(a, e);
        return e;
}

void affinity_bind(Affinity *a, uint64_t conversation, AffinityHome *h) {
        uint64_t digest = digest_of(a, conversation);
        AffinityEntry *e = find(a, digest);

        if (!e) {
                e = entry_take(a);
                if (!e)
                        return; /* out of memory: affinity is only a preference */
                e->digest = digest;
                e->next = *chain_of(a, digest);
                *chain_of(a, digest) = e;
        }
        list_unlink(&e->by_use);
        list_append(&a->by_use, &e->by_use);
        list_unlink(&e->by_home);
        list_append(&h->bound, &e->by_home);
        e->home = h;
}
