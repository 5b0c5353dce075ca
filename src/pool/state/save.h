/* SPDX-License-Identifier: MIT */
#pragma once

/* The changes of the pool that are not saved yet. Part of the pool, see save.c. */

#include "base/list.h"
#include "pool/state/days.h"
#include "pool/state/schema.h"

/* Something that is kept over restarts, and whether its row is up to date; see pool/state/save.c. */
typedef struct PoolDirty {
        List link;
        uint8_t table;   /* PoolTable of the row */
        uint8_t urgency; /* 0: clean; 1: dirty; 2: urgent */
} PoolDirty;

/* What has changed since its row was taken; see pool/state/save.c. */
typedef struct PoolSave {
        bool on;
        List dirty, urgent;
        List forgotten;    /* models whose rows are to be forgotten */
        List absent;       /* keys and projects that are long gone, likewise (pool/state/restore-absent.c) */
        PoolDirty meta, total, clients;
        Digester *digester;
        uint8_t secret[DIGEST_KEY_SIZE];
        bool purge; /* rows of days that are too old may be there */
        StateNotedFn noted;
        void *userdata;
} PoolSave;

void pool_dirty_init(PoolDirty *d, PoolTable table);
__attribute__((cold)) void pool_note_slow(Pool *p, PoolDirty *d, bool urgent); /* of pool_note() */

void pool_unnote(PoolDirty *d);

int pool_save_init(Pool *p);
void pool_save_done(Pool *p);

/* True if the key was removed and then added again, perhaps removed again: the new one has the rows. */
bool pool_key_is_replaced(Pool *p, PoolKey *k);

/* Computes the key's digest, by which the store identifies the key. */
int pool_key_digest(Pool *p, PoolKey *k);
