/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An API key or a token. Only secret_reveal() gives its bytes. tests/lint lists the files that may call it:
 * the header that goes upstream, digests, and a job's token on its way to the runner. People see a mask. The
 * memory is wiped when the last reference goes.
 */

#include "base/macros.h"

typedef struct Secret Secret;

#define SECRET_LENGTH_MAX 512U /* Google's keys have 39 to ~60 characters; people choose tokens */
#define SECRET_MASK_MAX 20U

/* -EINVAL if empty, too long, or with a byte that an HTTP header cannot hold (only 0x21..0x7e pass). */
int secret_new(const char *s, size_t n, Secret **ret);
Secret *secret_ref(Secret *s);
Secret *secret_unref(Secret *s);
DEFINE_CLEANUP(Secret *, secret_unref);

bool secret_equal(const Secret *s, const char *other, size_t n); /* constant time in the content */

/* Compares like strcmp(), to sort the operator's own secrets. Its time depends on the common prefix, so
 * never use it for what a client presented. */
int secret_compare(const Secret *a, const Secret *b);

/* For the kinds of keys that Google tells apart by their beginning. */
bool secret_starts_with(const Secret *s, const char *prefix);

/* An API key's mask: first and last four characters (`AIza****abcd`); under twelve characters only stars. */
void secret_mask_key(const Secret *s, char ret[static SECRET_MASK_MAX]);
uint64_t secret_hash(const Secret *s); /* with a public key: for tables whose entries an operator wrote */

/* A token's mask: its first eight characters and `…`. A short token shows fewer: never more than half of
 * it. */
void secret_mask_token(const Secret *s, char ret[static SECRET_MASK_MAX]);

const char *secret_reveal(const Secret *s);
size_t secret_length(const Secret *s);

/*
 * Covers, in place, what looks like a key in a foreign text: the secret itself if one is given, Google's key
 * forms (`AIza…`, `AQ.…`), and what follows `api_key:` or `key=`; also if it is spelled with escapes, or
 * broken by line ends or characters without a width. The text never grows.
 */
void secret_scrub(char *text, const Secret *known);

/* Covers only this secret, in the same spellings. Of many secrets each one then costs little. */
void secret_scrub_one(char *text, const Secret *known);

/* Whether secret_scrub() would cover a part of these bytes, which are letters, digits, `_`, `-` and `.`
 * only: there, nothing is spelled with escapes, and this is much faster. */
bool secret_is_in_name(const char *s, size_t n, const Secret *known);

/* Covers, in place, the user and password of a URL: what is before an @, back to where a name can begin. */
void secret_scrub_users(char *text);

/*
 * Covers, in place, what may be a secret that was put into the wrong place, such as a setting of another
 * kind: what secret_scrub() covers, the user and password of a URL, and each run of characters that looks
 * random, except its first four. Names of models, hosts and settings do not look like that.
 */
void secret_scrub_suspects(char *text);
