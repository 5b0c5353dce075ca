/* SPDX-License-Identifier: MIT */

/*
 * A hash table with chains, and a list of the entries by age. An entry is never changed: a signature that is
 * put in again becomes a new entry. So the oldest entry is the first of the list, and the rows that must be
 * deleted are those before it.
 *
 * The names come from clients and from Gemini. Their digests have a public key, because rows must be found
 * again after a restart; the chains have a random key, so that no client can make one long.
 */

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/limits.h"
#include "base/limits-vault.h"
#include "core/vault-internal.h"

#define AGED_PER_PUT 2U

static uint64_t chain_key(const Vault *v, const uint64_t name[static 2]) {
        return hash_mix(name[0] ^ hash_mix(name[1] ^ v->secret)) % v->n_chains;
}

int vault_new(const VaultLimits *limits, Vault **ret) {
        _cleanup_free_ Vault *v = calloc(1, sizeof(Vault));

        assert(limits->n > 0);

        if (!v)
                return -ENOMEM;
        v->limits = *limits;
        v->n_chains = limits->n;
        v->chains = calloc(v->n_chains, sizeof(*v->chains));
        if (!v->chains)
                return -ENOMEM;
        if (getrandom(&v->secret, sizeof(v->secret), 0) != (ssize_t) sizeof(v->secret)) {
                free(v->chains);
                return -EIO;
        }
        list_init(&v->by_age);
        list_init(&v->by_dirt);
        if (pthread_mutex_init(&v->lock, NULL) != 0) {
                free(v->chains);
                return -ENOMEM;
        }
        *ret = TAKE_PTR(v);
        return 0;
}

Vault *vault_free(Vault *v) {
        if (!v)
                return NULL;
        LIST_FOREACH(i, &v->by_age)
                free(list_entry(i, VaultEntry, by_age));
        (void) pthread_mutex_destroy(&v->lock);
        free(v->chains);
        free(v);
        return NULL;
}

VaultEntry *vault_find(const Vault *v, const uint64_t name[static 2]) {
        VaultEntry *e = v->chains[chain_key(v, name)];

        while (e && (e->name[0] != name[0] || e->name[1] != name[1]))
                e = e->next;
        return e;
}

/* Rows of entries that go are deleted by their age, so the entry itself need not be kept for that. */
static void drop(Vault *v, VaultEntry *e) {
        VaultEntry **at = &v->chains[chain_key(v, e->name)];

        while (*at != e)
                at = &(*at)->next;
        *at = e->next;
        v->stats.n--;
        v->stats.bytes -= e->n;
        list_unlink(&e->by_age);
        list_unlink(&e->by_dirt);
        free(e);
}

static VaultEntry *oldest(const Vault *v) {
        return list_entry(list_first(&v->by_age), VaultEntry, by_age);
}

void vault_drop_oldest(Vault *v) {
        VaultEntry *e = oldest(v);

        v->forgotten = MAX(v->forgotten, e->at + 1);
        drop(v, e);
}

void vault_make_room(Vault *v, size_t bytes) {
        while (v->stats.n > 0 &&
               (v->stats.n + 1 > v->limits.n || v->stats.bytes + bytes > v->limits.bytes))
                vault_drop_oldest(v);
}

VaultEntry *vault_add(Vault *v, const uint64_t name[static 2], const char *signature, size_t n, usec_t at) {
        VaultEntry *e = malloc(sizeof(VaultEntry) + n), **chain = &v->chains[chain_key(v, name)];

        if (!e)
                return NULL;
        *e = (VaultEntry){ .next = *chain, .name = { name[0], name[1] }, .at = at, .n = (uint32_t) n };
        memcpy(e->signature, signature, n);
        *chain = e;
        list_init(&e->by_dirt);
        list_append(&v->by_age, &e->by_age);
        v->stats.n++;
        v->stats.bytes += n;
        return e;
}

static void name_of(const char *id, size_t n_id, uint64_t digest, uint64_t ret[static 2]) {
        ret[0] = hash_stable(id, n_id);
        ret[1] = digest;
}

/* A few at a time: one wrong reading of the clock must not empty the vault. */
static void drop_aged(Vault *v, usec_t now) {
        for (unsigned i = 0; i < AGED_PER_PUT && v->stats.n > 0; i++)
                if (usec_add(oldest(v)->at, v->limits.age) < now)
                        vault_drop_oldest(v);
}

/* Entries are in the order of their time also if the clock goes back. */
static usec_t time_of_new(const Vault *v, usec_t now) {
        return list_is_empty(&v->by_age)
                       ? now
                       : MAX(now, list_entry(v->by_age.prev, VaultEntry, by_age)->at + 1);
}

void vault_put(Vault *v, const char *id, size_t n_id, uint64_t digest, const char *signature, size_t n,
               usec_t now) {
        StateNotedFn noted = NULL;
        void *userdata = NULL;
        uint64_t name[2];
        VaultEntry *e;

        if (n == 0 || n > VAULT_SIGNATURE_MAX || n > v->limits.bytes)
                return;
        name_of(id, n_id, digest, name);
        (void) pthread_mutex_lock(&v->lock);
        e = vault_find(v, name);
        if (e && e->n == n && memcmp(e->signature, signature, n) == 0) {
                (void) pthread_mutex_unlock(&v->lock);
                return;
        }
        if (e)
                drop(v, e);
        drop_aged(v, now);
        vault_make_room(v, n);
        e = vault_add(v, name, signature, n, time_of_new(v, now));
        if (e && v->noted) {
                list_append(&v->by_dirt, &e->by_dirt);
                if (!v->is_noted) {
                        noted = v->noted;
                        userdata = v->userdata;
                        v->is_noted = true;
                }
        }
        (void) pthread_mutex_unlock(&v->lock);
        if (noted)
                noted(false, userdata);
}

bool vault_get(Vault *v, const char *id, size_t n_id, uint64_t digest, Buf *out) {
        uint64_t name[2];
        VaultEntry *e;
        int r = -ENOENT;

        name_of(id, n_id, digest, name);
        (void) pthread_mutex_lock(&v->lock);
        e = vault_find(v, name);
        if (e)
                r = buf_append(out, e->signature, e->n);
        (void) pthread_mutex_unlock(&v->lock);
        return r >= 0;
}

VaultStats vault_stats(Vault *v) {
        VaultStats s;

        (void) pthread_mutex_lock(&v->lock);
        s = v->stats;
        (void) pthread_mutex_unlock(&v->lock);
        return s;
}
