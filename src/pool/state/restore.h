/* SPDX-License-Identifier: MIT */
#pragma once

/* What restore.c and restore-part.c share. */

#include "pool/state/restore-index.h"

#define RESTORE_PART_KEYS 128U

struct PoolRestore {
        Pool *pool;
        RestoreIndex of;
        bool is_first; /* what belongs to no key is restored, too */
        bool is_part;  /* requests go on in between */
        bool is_new_book;
        /* Of a part: what it asks for. */
        PoolKey *keys[RESTORE_PART_KEYS];
        size_t n_keys;
        List projects;
};
