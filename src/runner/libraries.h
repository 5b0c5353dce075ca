/* SPDX-License-Identifier: MIT */
#pragma once

/* Which files the dynamic loader would map for a program, itself included: it is asked, as ldd does. */

#include "base/macros.h"

#define LIBRARIES_MAX 128U /* Debian's own Node has about thirty */

typedef struct Libraries {
        char *path[LIBRARIES_MAX];
        size_t n;
} Libraries;

void libraries_done(Libraries *l);

/* None for a program without a dynamic loader, or with one that knows no such question. */
int libraries_find(const char *program, Libraries *ret);

/* The pure part: one line of the answer. */
int libraries_add_line(Libraries *l, const char *line);
