/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What clients have made at Google (files, cached contents, uploads that are under way) belongs to the
 * project whose key made it: any other is told that it does not exist. A binding remembers whose it is. A
 * part of the pool, see pool/binding.c.
 */

#include "pool/pool.h"

/* "files/x", "cachedContents/x"; "uploads/x" is ours, of an upload that goes on. */
#define BINDING_NAME_MAX     (sizeof("cachedContents/") - 1 + BINDING_ID_MAX)
#define BINDING_UPSTREAM_MAX 1024U /* of what Google calls an upload */

#define BINDING_FILES   "files/"
#define BINDING_CACHES  "cachedContents/"
#define BINDING_UPLOADS "uploads/"

/* True for a name of one of the three kinds. It is to become part of a path upstream: what is behind the
 * slash is [A-Za-z0-9_-]{1,BINDING_ID_MAX}, and nothing else is let through. */
bool binding_name_is_valid(const char *name, size_t n);

typedef struct BindingWanted {
        const char *name;
        PoolKey *key;         /* that made it */
        const Secret *token;  /* of the client that asked for it */
        usec_t expires;       /* realtime */
        const char *upstream; /* or NULL */
} BindingWanted;

/* Remembers, or says anew what is known of a name. A name that another project has, is left to that one
 * (-EEXIST); where there is no room the one that expires first goes. -ENOMEM. */
int pool_bind_name(Pool *p, const BindingWanted *w, usec_t now);
void pool_bind_renew(Pool *p, const char *name, usec_t expires, usec_t now);
void pool_unbind_name(Pool *p, const char *name);

/* The project that has it; NULL if that is not known, or over. It lives as long as the pool is not
 * changed. */
PoolProject *pool_bound_to(Pool *p, const char *name, usec_t now);
const char *pool_bound_upstream(Pool *p, const char *name, usec_t now); /* as long as the binding lives */
bool pool_is_bound_by(Pool *p, const char *name, const Secret *token, usec_t now);
size_t pool_n_bound(const Pool *p);

/* False if the token has BINDINGS_TOKEN_MAX, or all have BINDINGS_MAX. O(bindings). */
bool pool_may_bind(Pool *p, const Secret *token, usec_t now);

/* The names of one kind ("files/") that the token has bound, in their order, behind `after` (NULL: from the
 * first), `max` at the most; *ret_more: there are others behind them. -ENOMEM. O(bindings). */
typedef struct BindingNames {
        char (*names)[BINDING_NAME_MAX + 1]; /* to be freed */
        size_t n;
        bool more;
} BindingNames;
int pool_bound_names(Pool *p, const char *kind, const Secret *token, const char *after, size_t max,
                     usec_t now, BindingNames *ret);
