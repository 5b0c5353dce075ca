/* SPDX-License-Identifier: MIT */
#pragma once

/* Everything else that a client makes at Google: batches, stores, interactions, agents and so on, as
 * Google's JSON. Each belongs to the project whose key made it, with what is below it. For any other it does
 * not exist. */

#include <json-c/json.h>

#include "base/list.h"

typedef struct SimThings {
        List all;
        uint64_t n_made;
} SimThings;

typedef struct Thing {
        List link;
        char *name; /* its path behind the version: "batches/x", "fileSearchStores/x/documents/y" */
        char *owner;
        json_object *json;
} Thing;

/* Google has two styles: names, and bare ids with underscores. */
typedef struct ThingKind {
        const char *name;
        bool by_id;
        const char *list; /* the member of its list */
} ThingKind;

void things_init(SimThings *s);
void things_clear(SimThings *s);

const ThingKind *thing_kind(const char *name); /* NULL: it is of none */
Thing *thing_find(const SimThings *s, const char *name, const char *owner);

/* Takes the JSON. Without an id one is made. */
Thing *thing_make(SimThings *s, const char *parent, const char *id, const char *owner, json_object *json);
void thing_free(Thing *t);
void thing_delete(SimThings *s, const Thing *t); /* with what is below it */
