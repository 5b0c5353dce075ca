/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by vault.c and vault-source.c. */

#include <pthread.h>

#include "base/list.h"
#include "core/vault.h"

#define VAULT_NAME_SIZE 16U /* of a call: half a digest of its id, half the digest of the call */

typedef struct VaultEntry VaultEntry;

struct VaultEntry {
        VaultEntry *next; /* in its chain */
        List by_age, by_dirt; /* dirt: to be saved; unlinked: it is saved, or no store is there */
        uint64_t name[2];
        usec_t at;
        uint32_t n;
        char signature[];
};

struct Vault {
        pthread_mutex_t lock;
        VaultLimits limits;
        uint64_t secret; /* of the chains */
        VaultEntry **chains;
        size_t n_chains;
        VaultStats stats;
        List by_age; /* the oldest is first */

        List by_dirt;
        usec_t forgotten; /* rows that are older are to be deleted; 0: none */
        StateNotedFn noted;
        void *userdata;
        bool is_noted, is_restored;
};

/* With the lock held: adds an entry that is newer than all others. NULL: there is no memory. */
VaultEntry *vault_add(Vault *v, const uint64_t name[static 2], const char *signature, size_t n, usec_t at);
VaultEntry *vault_find(const Vault *v, const uint64_t name[static 2]);
void vault_drop_oldest(Vault *v);
/* Drops the oldest until there is room for `bytes` more. */
void vault_make_room(Vault *v, size_t bytes);
