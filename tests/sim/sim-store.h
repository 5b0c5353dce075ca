/* SPDX-License-Identifier: MIT */
#pragma once

/* Everything else that a client makes at Google: batches, stores, interactions, agents and so on. One store
 * has all of them, as Google's JSON. Each belongs to the project whose key made it, with what is below it.
 * For any other it does not exist. */

#include <json-c/json.h>

#include "base/list.h"
#include "sim-request.h"

typedef struct SimStore {
        List things;
        uint64_t n_made;
} SimStore;

void store_init(SimStore *s);
void store_clear(SimStore *s);

/* The verb of a path that is about these ("batches.get", "interactions.create", "agents.list" …), static, or
 * NULL. The name, to be freed, is the path behind the version. */
const char *store_path(const Request *q, char **ret_name);

/* The status; body, and its type. `owner` is a project. */
unsigned store_answer(SimStore *s, const char *verb, const char *name, const char *owner, const Request *q,
                      Buf *body, const char **ret_type);
