/* SPDX-License-Identifier: MIT */
#pragma once

/* The name that a mistyped one most likely means: the nearest of those that are tried. */

#include <stdbool.h>

typedef struct Near {
        const char *typed;
        unsigned least;   /* a name at this distance is too far; then the distance of `name` */
        const char *name; /* NULL: none is near */
} Near;

bool near_try(Near *n, const char *name); /* true: it is the nearest so far */
