/* SPDX-License-Identifier: MIT */
#pragma once

/* The files that the dynamic loader would map for a program, itself included, as listed by the loader (like
 * ldd). */

#include "base/macros.h"

#define LIBRARIES_MAX 128U /* Debian's own Node has about thirty */

typedef struct Libraries {
        char *path[LIBRARIES_MAX];
        size_t n;
} Libraries;

void libraries_done(Libraries *l);

/* Empty for a program without a dynamic loader, or with a loader that cannot list. */
int libraries_find(const char *program, Libraries *ret);

/* The pure part: one line of the loader's output. */
int libraries_add_line(Libraries *l, const char *line);
