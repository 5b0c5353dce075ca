/* SPDX-License-Identifier: MIT */
#pragma once

/* pool_explain() in slices, so that the loop can serve others in between; see pool/admin.h. */

#include "pool/admin.h"

typedef struct PoolExplain PoolExplain;

int pool_explain_new(Pool *p, const char *model, PoolExplain **ret);
/* `n` steps: each key takes two, a refused one three. 1: there is more; 0: complete; -ESTALE: the keys were
 * replaced, and it must start again. */
int pool_explain_step(PoolExplain *e, usec_t now, size_t n,
                      void (*f)(const PoolReason *r, void *userdata), void *userdata);
PoolExplain *pool_explain_free(PoolExplain *e);
DEFINE_CLEANUP(PoolExplain *, pool_explain_free);
