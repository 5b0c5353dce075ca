/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which project served a conversation last: the AFFINITY_MAX that were used latest. A conversation is a
 * number (a digest of what names it); what is kept is a digest of that with a random key, so that nobody
 * outside can choose what collides, and nothing of a prompt is in here. A home lies in what conversations
 * are bound to, and may go at any time.
 */

#include "base/hash.h"
#include "base/list.h"

typedef struct Affinity Affinity;

typedef struct AffinityHome {
        List bound;
} AffinityHome;

void affinity_home_init(AffinityHome *h);
void affinity_home_done(AffinityHome *h); /* nothing is bound to it any more */

int affinity_new(const uint8_t key[static HASH_KEY_SIZE], size_t max, Affinity **ret);
Affinity *affinity_free(Affinity *a);
DEFINE_CLEANUP(Affinity *, affinity_free);

/* NULL if it is bound to nothing. */
AffinityHome *affinity_find(const Affinity *a, uint64_t conversation);

/* From now on; the conversation that was bound or rebound longest ago makes room. */
void affinity_bind(Affinity *a, uint64_t conversation, AffinityHome *h);
