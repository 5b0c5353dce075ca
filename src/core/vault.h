/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The vault of thought signatures. Gemini signs its function calls and refuses a call in the history without
 * its signature, but many clients do not send it back. So the vault keeps the latest signatures, by the
 * call's id, which always comes back, and by a digest of the call.
 *
 * It is bounded in number and in bytes, where the oldest signatures go first, and in time. A clock that is
 * ahead for a moment costs no more than two signatures for each that is put in. All functions but the
 * source's may be called in any thread.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/state-source.h"

typedef struct Vault Vault;

typedef struct VaultLimits {
        size_t n, bytes; /* of all signatures; bytes without what each costs besides */
        usec_t age;
} VaultLimits;

typedef struct VaultStats {
        size_t n, bytes;
} VaultStats;

int vault_new(const VaultLimits *limits, Vault **ret); /* -ENOMEM */
Vault *vault_free(Vault *v);
DEFINE_CLEANUP(Vault *, vault_free);

/* Keeps a signature. One that is empty or longer than VAULT_SIGNATURE_MAX is not kept, nor is anything if
 * there is no memory: a call without its signature is still served. `now`: CLOCK_REALTIME. */
void vault_put(Vault *v, const char *id, size_t n_id, uint64_t digest, const char *signature, size_t n,
               usec_t now);

/* Appends the signature of this call; false if there is none. */
bool vault_get(Vault *v, const char *id, size_t n_id, uint64_t digest, Buf *out);

VaultStats vault_stats(Vault *v);

/* The vault as a source of rows (vault-source.c); on the loop's thread alone. Its table is `signatures`. */
extern const StateSource vault_state_source;
