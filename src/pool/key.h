/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool's keys and projects. Part of the pool, see pick.c. */

#include "base/list.h"
#include "base/proxy.h"
#include "pool/affinity.h"
#include "pool/breaker.h"
#include "pool/error.h"
#include "core/digest.h"
#include "pool/state/save.h"

/* The state that the observer was last notified of. */
typedef struct PoolNotified {
        PoolState state;
        usec_t until;
} PoolNotified;

/* A key's names; allocated apart from the key, so that a reload can make the new one before it drops the
 * old. */
typedef struct PoolIdent {
        const char *id; /* first, for pool_name_compare(); the name, or a part of the digest */
        PoolKey *key;
        char *name; /* or NULL */
        char digest[DIGEST_TEXT_SIZE];
} PoolIdent;

/* Lives while it has keys. A disabled key belongs to its project, but is in none of its chains. */
struct PoolProject {
        const char *name; /* first, for pool_name_compare(); NULL for a key's own project */
        List link;
        PoolDirty dirty;
        bool restored; /* its rows were read from the store */
        bool chained;
        uint64_t fresh; /* the change of keys that gave it its first one; see pool_key_move() */
        size_t n_keys, n_gone; /* all its keys; removed ones that still have requests under way */
        Breaker breaker;
        PoolError error;
        bool billing;   /* why the breaker is open. True: billing; false: suspended, API disabled… */
        size_t n_alive; /* enabled keys whose own breaker is closed */
        PoolKey *first_key, *last_key, *last_arranged; /* see chain.c */
        PoolProject *next, *prev; /* in the order of their first enabled keys */
        uint64_t arrangement, reset; /* the one that has placed it; the last reset of it */
        List buckets;
        List turn, turns, bindings, unread; /* see pick-rotation.c, binding.c and state/restore-part.c */
        AffinityHome home; /* of the conversations that it served last */
        uint64_t limits, place; /* which MODEL_LIMITS it has; in the rendezvous hash, 0: not computed yet */
        PoolBucket *scratch; /* see pool_model_mark(); else NULL */
};

struct PoolKey {
        Secret *secret; /* first, for pool_key_compare_secret() */
        PoolIdent *ident;
        char mask[SECRET_MASK_MAX + sizeof("#100000")];
        size_t n_mask;    /* the mask's length without #n */
        unsigned n_alike; /* in the first key of a mask: the number of keys of that mask */
        uint32_t index;
        Proxy *proxy; /* its own, not its project's; or NULL */
        bool disabled;
        bool configured; /* `disabled` of the configuration; an administrator may have changed it */
        bool gone;       /* removed: in none of the pool's lists and trees */
        bool disabled_before, replaced; /* before it was removed; by another object, see state/save.h */
        bool chained;    /* it is enabled, and in its project's chain */
        uint64_t set, arrangement; /* the latest set of keys that has it; what has placed it */
        bool placed;     /* the configuration gives the key a project */
        bool joining;    /* it will move to the project that was learned */
        char *learned;   /* the project that Google named, or NULL; kept even where the configuration wins */
        bool restored;   /* its rows were read from the store */
        bool digested, doubted; /* doubted: a refusal without a reason opened the breaker; not stored */
        uint8_t digest[DIGEST_KEYED_SIZE]; /* its id in the store */
        PoolDirty dirty, learned_dirty;
        PoolNotified notified;
        size_t n_leases;
        List link, turn, unread; /* in pool->gone, project->turns, pool->unread_keys */
        Breaker breaker;
        PoolError error;
        PoolTally tally;
        PoolProject *project; /* a named one, or &own */
        PoolProject own;
        PoolKey *next_of_project, *prev_of_project;
        List slots;
        PoolSlot *scratch; /* see pool_model_mark(); else NULL */
};

static inline bool pool_key_is_alive(const PoolKey *k) {
        return !k->disabled && k->breaker.until == 0;
}

/* Creates a key that is in no list yet. */
int pool_key_new(Secret *secret, PoolKey **ret);
PoolKey *pool_key_free(PoolKey *k);
DEFINE_CLEANUP(PoolKey *, pool_key_free);
void pool_keys_free(Pool *p);

void pool_key_switch(Pool *p, PoolKey *k, bool disabled); /* off or on: puts it where it belongs */
void pool_key_retire(Pool *p, PoolKey *k);  /* removes it from everything; its last request frees it */
void pool_key_release(Pool *p, PoolKey *k); /* one request fewer */
bool pool_keys_sweep(Pool *p); /* frees removed keys that nothing refers to; true: there are more */
bool pool_has_secret(const Pool *p, const PoolKey *k); /* a key in the pool has the same secret */

/* Gives the key its id: enters it into the tree of ids. */
int pool_ident_new(PoolKey *k, const char *name, void **by_id, PoolIdent **ret);
PoolIdent *pool_ident_free(PoolIdent *i);
/* Matches by name, mask, MASK#n or id; NULL matches every key. */
bool pool_key_matches(const PoolKey *k, const char *pattern);

int pool_key_compare_secret(const void *a, const void *b);
int pool_key_compare_mask(const void *a, const void *b);
void pool_key_number(PoolKey *k, void *const *by_mask); /* MASK#n */

/* Each key holds one reference. `name` NULL: the key's own project. */
int pool_project_ref(Pool *p, PoolKey *k, const char *name, PoolProject **ret);
PoolProject *pool_project_unref(Pool *p, PoolProject *project);
/* Opens a breaker of the key or its project, or closes it (until 0), and keeps n_usable right. */
void pool_breaker_set(Pool *p, PoolKey *k, Breaker *b, usec_t until);
void pool_breaker_put(Pool *p, PoolKey *k, Breaker *b, const Breaker *value); /* the same */

/* For tsearch() trees of structs that begin with a pointer to their name. */
int pool_name_compare(const void *a, const void *b);
