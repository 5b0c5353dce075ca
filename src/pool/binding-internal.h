/* SPDX-License-Identifier: MIT */
#pragma once

/* The struct of a binding, for the files that restore, save and move bindings (pool/state, project.c); see
 * binding.c. */

#include "pool/binding.h"
#include "pool/heap.h"
#include "pool/key.h"

typedef struct Binding {
        const char *name; /* first, for pool_name_compare() */
        HeapNode due;
        List by_project;
        PoolDirty dirty;
        PoolProject *project; /* NULL: the binding has ended, but its row is not deleted from the store
                               * yet */
        usec_t expires;
        uint8_t owner[DIGEST_KEYED_SIZE]; /* digest of the token, keyed, as in the store */
        bool keyed;
        char *upstream; /* or NULL */
} Binding;

/* Moves all bindings of a project to another one, or (NULL) forgets them. */
void bindings_move(Pool *p, PoolProject *from, PoolProject *to);

void bindings_init(Pool *p);
void bindings_shift(Pool *p, usec_t back); /* the clock was set back */
void bindings_note_all(Pool *p);
void bindings_done(Pool *p);
int binding_key_owner(Pool *p, Binding *b); /* computes the keyed digest of the owner */
void binding_forgotten(Binding *b); /* the deletion of its row is on its way to the store: frees it */

/* Restores a binding from the store. Without room it does nothing. */
int binding_restore(Pool *p, const char *name, PoolProject *project,
                    const uint8_t owner[static DIGEST_KEYED_SIZE], usec_t expires, const char *upstream);
