/* SPDX-License-Identifier: MIT */
#pragma once

/* Projects that Google has named; a part of the pool, see pool/project.c. */

#include "pool/key.h"

/* A verdict has named the key's project. To be called when the report is done. */
void pool_project_learn(Pool *p, PoolKey *k, const char *name);

/* It was learned before a restart: it joins at once, and is no news. All is to be arranged then. -ENOMEM. */
int pool_project_restore(Pool *p, PoolKey *k, const char *name);

/* Brings keys to the projects that were learned of them, if it is time. */
void pool_project_join(Pool *p);
