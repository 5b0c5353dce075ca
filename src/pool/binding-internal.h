/* SPDX-License-Identifier: MIT */
#pragma once

/* A binding itself, for those who keep it; see pool/binding.c. */

#include "pool/binding.h"
#include "pool/heap.h"
#include "pool/key.h"

typedef struct Binding {
        const char *name; /* first, for pool_name_compare() */
        HeapNode due;
        List by_project;
        PoolDirty dirty;
        PoolProject *project; /* NULL: it is over, and a store has yet to hear of it */
        usec_t expires;
        uint8_t owner[DIGEST_KEYED_SIZE]; /* of the token; keyed: as a store has it */
        bool keyed;
        char *upstream; /* or NULL */
} Binding;

/* All of a project go to another, or (NULL) are no more known. */
void bindings_move(Pool *p, PoolProject *from, PoolProject *to);

void bindings_note_all(Pool *p);
void bindings_done(Pool *p);
int binding_key_owner(Pool *p, Binding *b); /* makes the owner keyed */
void binding_forgotten(Binding *b);         /* a store has heard that it is over */

/* As a store knows it. Nothing is done where there is no room. */
int binding_restore(Pool *p, const char *name, PoolProject *project,
                    const uint8_t owner[static DIGEST_KEYED_SIZE], usec_t expires, const char *upstream);
