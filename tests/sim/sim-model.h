/* SPDX-License-Identifier: MIT */
#pragma once

/* The models that the simulator knows: those of November 2026, and what a script adds or takes away. */

#include "base/buf.h"
#include "base/limits.h"

typedef struct ModelList ModelList;

int model_list_new(ModelList **ret);
ModelList *model_list_free(ModelList *l);
DEFINE_CLEANUP(ModelList *, model_list_free);

void model_list_reset(ModelList *l);
int model_list_add(ModelList *l, const char *name);
void model_list_remove(ModelList *l, const char *name);

bool model_list_embeds(const ModelList *l, const char *name); /* it makes vectors, and nothing else */

/* True for a listed one, and for any name that begins with `sim-` unless it was removed. */
bool model_list_knows(const ModelList *l, const char *name);

bool model_write(const ModelList *l, const char *name, Buf *out); /* false if it is not known */
/* One page; start: the place of the first. nextPageToken names the next page. */
void model_list_write(const ModelList *l, size_t start, size_t size, Buf *out);
