/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What clients have created at Google (files, cached contents, batches, interactions, uploads under way …)
 * belongs to the project of the key that created it. To the keys of other projects Google answers that it
 * does not exist. A binding remembers the project. Part of the pool, see binding.c.
 */

#include "core/digest.h"
#include "pool/pool.h"

/* "files/x" and "cachedContents/x" are Google's names; "uploads/x" is gemgate's name of an upload under
 * way, and "operations/x" that of "models/m/operations/x". What Google calls by a bare id ("id": "x") has
 * the name of its path. */
#define BINDING_NAME_MAX     (sizeof("fileSearchStores/") - 1 + BINDING_ID_MAX)
#define BINDING_UPSTREAM_MAX 1024U /* bytes of Google's URL of an upload */

#define BINDING_FILES        "files/"
#define BINDING_CACHES       "cachedContents/"
#define BINDING_UPLOADS      "uploads/"
#define BINDING_BATCHES      "batches/"
#define BINDING_OPERATIONS   "operations/"
#define BINDING_TUNED        "tunedModels/"
#define BINDING_STORES       "fileSearchStores/"
#define BINDING_CORPORA      "corpora/"
#define BINDING_GENERATED    "generatedFiles/"
#define BINDING_INTERACTIONS "interactions/"
#define BINDING_AGENTS       "agents/"
#define BINDING_ENVIRONMENTS "environments/"
#define BINDING_TRIGGERS     "triggers/"
#define BINDING_VOICES       "voices/"
#define BINDING_WEBHOOKS     "webhooks/"
#define BINDING_CREDENTIALS  "credentials/"
#define BINDING_SESSIONS     "liveSessions/" /* gemgate's name: a digest of Google's handle */

/* The kind of a name, one of these; NULL: none. */
const char *binding_kind(const char *name, size_t n);

/* True for a name of one of the kinds. It becomes part of a path upstream, so behind the slash only
 * [A-Za-z0-9_-]{1,BINDING_ID_MAX} is valid. */
bool binding_name_is_valid(const char *name, size_t n);

/* The name of a kind and an id of n characters; false: it is none, and ret may be anything. */
bool binding_name_make(const char *kind, const char *id, size_t n, char ret[static BINDING_NAME_MAX + 1]);

typedef struct BindingWanted {
        const char *name;
        PoolKey *key;         /* the key that made it */
        const Secret *token;  /* the token of the client that created it */
        usec_t expires;       /* realtime */
        const char *upstream; /* or NULL */
} BindingWanted;

/* Adds a binding, or updates the one of that name. -EEXIST: the name belongs to another project and is left
 * as it is. Without room the binding that expires first is dropped. -ENOMEM. */
int pool_bind_name(Pool *p, const BindingWanted *w, usec_t now);
void pool_bind_renew(Pool *p, const char *name, usec_t expires, usec_t now);
void pool_unbind_name(Pool *p, const char *name);

/* The project that owns the name; NULL if it is unknown or has expired. Valid until the pool changes. */
PoolProject *pool_bound_to(Pool *p, const char *name, usec_t now);
const char *pool_bound_upstream(Pool *p, const char *name, usec_t now); /* valid as long as the binding */

/* A token as the owner of names: its digest, and the digest that the store has, because some bindings may be
 * older than the store. All zero: the owner of nothing. */
typedef struct BindingOwner {
        uint8_t plain[DIGEST_KEYED_SIZE], keyed[DIGEST_KEYED_SIZE];
        bool has_plain, has_keyed;
} BindingOwner;

int pool_owner(Pool *p, const Secret *token, BindingOwner *ret);
bool pool_is_bound_by(Pool *p, const char *name, const BindingOwner *owner, usec_t now);
bool pool_is_bound_by_another(Pool *p, const char *name, const BindingOwner *owner, usec_t now);
size_t pool_n_bound(const Pool *p); /* expired ones may be among them */

/* Makes room for one more of a kind that its client does not make on purpose, and would not delete: from
 * half of BINDINGS_TOKEN_MAX on, or with BINDINGS_MAX of all tokens, the one of this token that expires
 * first goes. False: there is no room, and nothing of other tokens makes any. O(bindings). */
bool pool_bind_make_room(Pool *p, const char *kind, const Secret *token, usec_t now);

/* False if the token has BINDINGS_TOKEN_MAX bindings, or all tokens together BINDINGS_MAX. O(bindings). */
bool pool_may_bind(Pool *p, const Secret *token, usec_t now);

/* At most `max` names of one kind ("files/") that the token has bound, sorted, behind `after` (NULL: from
 * the first). *ret_more: there are more behind them. -ENOMEM. O(bindings). */
typedef struct BindingNames {
        char (*names)[BINDING_NAME_MAX + 1]; /* to be freed */
        size_t n;
        bool more;
} BindingNames;
int pool_bound_names(Pool *p, const char *kind, const Secret *token, const char *after, size_t max,
                     usec_t now, BindingNames *ret);
