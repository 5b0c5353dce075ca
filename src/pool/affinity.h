/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which project served a conversation last, for the AFFINITY_MAX latest conversations. A conversation is
 * identified by a number: a digest of its session id or of its first message. The table keeps a digest of
 * that number with a random key, so that a client cannot provoke collisions, and nothing of a prompt is
 * kept. An AffinityHome is a member of a project; conversations are bound to it. It may be ended at any
 * time by affinity_home_done().
 */

#include "base/hash.h"
#include "base/list.h"

typedef struct Affinity Affinity;

typedef struct AffinityHome {
        List bound;
} AffinityHome;

void affinity_home_init(AffinityHome *h);
void affinity_home_done(AffinityHome *h); /* unbinds all its conversations */

int affinity_new(const uint8_t key[static HASH_KEY_SIZE], size_t max, Affinity **ret);
Affinity *affinity_free(Affinity *a);
DEFINE_CLEANUP(Affinity *, affinity_free);

/* The home of a conversation; NULL if it has none. */
AffinityHome *affinity_find(const Affinity *a, uint64_t conversation);

/* Binds the conversation. When the table is full, the one that was bound longest ago is forgotten. */
void affinity_bind(Affinity *a, uint64_t conversation, AffinityHome *h);
