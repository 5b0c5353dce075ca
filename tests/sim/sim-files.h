/* SPDX-License-Identifier: MIT */
#pragma once

/* Files, cached contents and uploads under way. Each belongs to the project whose key made it; for any
 * other it does not exist. */

#include <json-c/json.h>

#include "base/list.h"
#include "sim-incoming.h"
#include "sim-request.h"

typedef struct SimFiles SimFiles;

struct SimFiles {
        List things;
        uint64_t n_made;
};

void files_init(SimFiles *f);
void files_clear(SimFiles *f);

/* The verb of a path that is about these ("files.get", "caches.create", "upload" …), or NULL. The name, to
 * be freed, is "files/x", "cachedContents/x" or "". */
const char *files_path(const Request *q, char **ret_name);

/* The status; body, and header lines (or NULL, to be freed). `owner` is a project. */
unsigned files_answer(SimFiles *f, const char *verb, const char *name, const char *owner, const Request *q,
                      Buf *body, char **ret_header);

/* A piece of the body of an upload, which counts for it at once. */
void files_receive(SimFiles *f, const Request *q, const char *p, size_t n);

/* Of a download: the size and type of a file; false: the owner has none of that name. files/gen-SIZE is
 * there for everyone. */
bool files_content(const SimFiles *f, const char *name, const char *owner, uint64_t *ret_size,
                   const char **ret_type);

/* True if the owner has everything that a GenerateContentRequest names; else Google's error. */
bool files_visible(const SimFiles *f, const char *owner, json_object *o, const char **ret_error,
                   unsigned *ret_status);
