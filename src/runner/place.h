/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Finds the CLI. --cli is a symbolic link in a bin directory, as npm makes it, or the bundle's entry
 * itself. Node is `bin/node` of the nearest directory above the entry that has one, so that a CLI in a
 * prefix with a Node gets that Node; else it is searched in PATH.
 */

#include "base/macros.h"

typedef struct Place {
        char *entry;   /* the script that Node runs, without symbolic links in its path */
        char *package; /* the directory with its package.json; NULL: none */
        char *version; /* the version in package.json; or NULL */
        char *node;
} Place;

void place_done(Place *p);

/* Negative: ret_why (freed by the caller; NULL without memory) is a sentence that names what is missing. */
int place_find(const char *cli, Place *ret, char **ret_why);
