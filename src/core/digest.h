/* SPDX-License-Identifier: MIT */
#pragma once

/* Digests identify a secret without revealing it. */

#include "base/secret.h"

#define DIGEST_TEXT_SIZE 65U

/* SHA-256 in lower-case hex, with a NUL. -ENOMEM. */
int digest_secret(const Secret *s, char ret[static DIGEST_TEXT_SIZE]);

#define DIGEST_KEYED_SIZE 16U

/* The first half of SHA-256. -ENOMEM. */
int digest_secret_bytes(const Secret *s, uint8_t ret[static DIGEST_KEYED_SIZE]);

/* The same of any bytes. */
int digest_bytes(const void *p, size_t n, uint8_t ret[static DIGEST_KEYED_SIZE]);

/*
 * A keyed digest: half of HMAC-SHA256. Without the digester's key it reveals nothing: a guessed secret can't
 * be looked up in a precomputed table, nor can the same secret be recognised in two files.
 */
#define DIGEST_KEY_SIZE 32U

typedef struct Digester Digester;

int digester_new(const uint8_t key[static DIGEST_KEY_SIZE], Digester **ret); /* -ENOMEM */
Digester *digester_free(Digester *d);
DEFINE_CLEANUP(Digester *, digester_free);

int digester_bytes(Digester *d, const void *p, size_t n, uint8_t ret[static DIGEST_KEYED_SIZE]);
int digester_secret(Digester *d, const Secret *s, uint8_t ret[static DIGEST_KEYED_SIZE]); /* -ENOMEM */
