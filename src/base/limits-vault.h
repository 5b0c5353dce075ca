/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of the vault of thought signatures: core/vault. */

#define VAULT_MAX           32768U      /* signatures: some days of calls of a few busy agents */
#define VAULT_BYTES_MAX     (64U << 20) /* of all signatures */
#define VAULT_SIGNATURE_MAX (64U << 10) /* of one; usually some hundred to some thousand */
#define VAULT_AGE_MAX       (7 * USEC_PER_DAY) /* a conversation that is taken up again after that is rare */
