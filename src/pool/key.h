/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool's keys and projects; a part of the pool, see pool/pick.c. */

#include "base/list.h"
#include "pool/affinity.h"
#include "pool/breaker.h"
#include "core/digest.h"
#include "pool/state/save.h"

typedef struct PoolProject PoolProject;
typedef struct PoolBucket PoolBucket;

/* What the observer knows. */
typedef struct PoolWord {
        PoolState state;
        usec_t until;
} PoolWord;

/* What a key is called; a thing of its own, so that a reload can make the new one before it drops the old.
 */
typedef struct PoolIdent {
        const char *id; /* first, for pool_name_compare(); the name, or (a part of) the digest */
        PoolKey *key;
        char *name; /* or NULL */
        char digest[DIGEST_TEXT_SIZE];
} PoolIdent;

/* Lives while it has keys. Keys that are disabled belong to a project, but stand in no chain of it. */
struct PoolProject {
        const char *name; /* first, for pool_name_compare(); NULL for a key's own project */
        List link;
        PoolDirty dirty;
        bool restored; /* what a store knew of it is here */
        size_t n_keys, n_gone; /* all; those of them that are gone but for their requests */
        Breaker breaker;
        bool billing;   /* why the breaker is open: money, or else suspended, API off… */
        size_t n_alive; /* enabled keys whose own breaker is closed */
        PoolKey *first_key, *last_key;
        PoolProject *next; /* in the order of their first enabled keys */
        List buckets;
        List turn, turns, bindings; /* see pick-rotation.c and binding.c */
        AffinityHome home; /* of the conversations that it served last */
        uint64_t place;    /* in the rendezvous; 0: not asked for yet */
        PoolBucket *scratch; /* NULL outside pool_census() */
};

struct PoolKey {
        Secret *secret;
        PoolIdent *ident;
        char mask[SECRET_MASK_MAX + sizeof("#100000")];
        size_t n_mask;    /* the mask's length without #n */
        unsigned n_alike; /* keys of the same mask, where this is the first of them */
        uint32_t index;
        bool disabled;
        bool configured; /* what the configuration says of `disabled`; an administrator may differ */
        bool gone;       /* removed; in none of the pool's lists and trees */
        bool disabled_before; /* of one that is gone */
        bool wanted;     /* a mark of pool_set_keys() */
        bool placed;     /* the configuration names its project */
        bool joining;    /* it is to come to the project that was learned */
        char *learned;   /* the project that Google named, or NULL; kept also where the configuration wins */
        bool restored;   /* what a store knew of it is here */
        bool digested;
        uint8_t digest[DIGEST_KEYED_SIZE]; /* what it is called in a store */
        PoolDirty dirty, learned_dirty;
        PoolWord told;
        size_t n_leases;
        List link, turn; /* in pool->gone; in project->turns */
        Breaker breaker;
        PoolTally tally;
        PoolProject *project; /* a named one, or &own */
        PoolProject own;
        PoolKey *next_of_project;
        List slots;
        PoolSlot *scratch; /* NULL outside pool_census() */
};

static inline bool pool_key_is_alive(const PoolKey *k) {
        return !k->disabled && k->breaker.until == 0;
}

/* A key in no list yet. */
int pool_key_new(Secret *secret, PoolKey **ret);
PoolKey *pool_key_free(PoolKey *k);
DEFINE_CLEANUP(PoolKey *, pool_key_free);
void pool_keys_free(Pool *p);

void pool_key_retire(Pool *p, PoolKey *k);  /* out of everything but its requests; the last frees it */
void pool_key_release(Pool *p, PoolKey *k); /* one request less */
void pool_keys_sweep(Pool *p);              /* frees those that are gone, and that nobody waits for */
bool pool_has_secret(const Pool *p, const PoolKey *k); /* a key of the pool has the same secret */

/* Names the key: enters it into the tree of ids. */
int pool_ident_new(PoolKey *k, const char *name, void **by_id, PoolIdent **ret);
PoolIdent *pool_ident_free(PoolIdent *i);

/* By name, mask, MASK#n or id; NULL fits all. */
bool pool_key_matches(const PoolKey *k, const char *pattern);

int pool_key_compare_secret(const void *a, const void *b);
int pool_key_compare_mask(const void *a, const void *b);
void pool_key_number(PoolKey *k, void *const *by_mask); /* MASK#n */

/* One reference is one key. `name` NULL: the key's own. */
int pool_project_ref(Pool *p, PoolKey *k, const char *name, PoolProject **ret);
PoolProject *pool_project_unref(Pool *p, PoolProject *project);

/* To another project, with its buckets made there; everything is to be arranged then. */
void pool_key_move(Pool *p, PoolKey *k, PoolProject *to);

/* Makes all chains, counts and heaps anew, in the order of p->keys. O(keys + slots). */
void pool_arrange(Pool *p);

/* Opens a breaker that concerns the key, or closes it (until 0), so that the usable keys stay counted. */
void pool_breaker_set(Pool *p, PoolKey *k, Breaker *b, usec_t until);

/* For tsearch() trees of things that begin with a pointer to their name. */
int pool_name_compare(const void *a, const void *b);
