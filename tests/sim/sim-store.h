/* SPDX-License-Identifier: MIT */
#pragma once

/* The paths of what clients make at Google beside files, and what is answered. */

#include "sim-request.h"
#include "sim-thing.h"

/* The verb of a path that is about these ("batches.get", "interactions.create", "agents.list" …), static, or
 * NULL. The name, to be freed, is the path behind the version. */
const char *store_path(const Request *q, char **ret_name);

/* The status; body, and its type. `owner` is a project. */
unsigned store_answer(SimThings *s, const char *verb, const char *name, const char *owner, const Request *q,
                      Buf *body, const char **ret_type);
