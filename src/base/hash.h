/* SPDX-License-Identifier: MIT */
#pragma once

/* SipHash-2-4, for tables whose keys come from clients, and for hashes that must be the same after a
 * restart. */

#include "base/macros.h"

#define HASH_KEY_SIZE 16U

uint64_t hash_keyed(const uint8_t key[static HASH_KEY_SIZE], const void *p, size_t n);

/* A hash with a fixed, public key: it is the same after a restart and in all instances. Never 0. */
uint64_t hash_stable(const void *p, size_t n);

/* Spreads the bits of a number that is not secret (the end of splitmix64). */
static inline uint64_t hash_mix(uint64_t z) {
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        return z ^ z >> 31;
}
