/* SPDX-License-Identifier: MIT */
#pragma once

/* The binding itself, for the state and the project; see binding.c. */

#include "pool/binding.h"
#include "pool/heap.h"
#include "pool/key.h"

typedef struct Binding {
        const char *name; /* first, for pool_name_compare() */
        HeapNode due;
        List by_project;
        PoolDirty dirty;
        PoolProject *project; /* NULL: it has ended, and the store does not know yet */
        usec_t expires;
        uint8_t owner[DIGEST_KEYED_SIZE]; /* digest of the token, keyed, as in the store */
        bool keyed;
        char *upstream; /* or NULL */
} Binding;

/* Moves all bindings of a project to another one, or (NULL) forgets them. */
void bindings_move(Pool *p, PoolProject *from, PoolProject *to);

void bindings_note_all(Pool *p);
void bindings_done(Pool *p);
int binding_key_owner(Pool *p, Binding *b); /* computes the keyed digest of the owner */
void binding_forgotten(Binding *b);         /* the store knows that it has ended: frees it */

/* Restores a binding from the store. Without room it does nothing. */
int binding_restore(Pool *p, const char *name, PoolProject *project,
                    const uint8_t owner[static DIGEST_KEYED_SIZE], usec_t expires, const char *upstream);
