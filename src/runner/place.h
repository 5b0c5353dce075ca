/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the CLI is. --cli is a symbolic link in some bin directory, as npm makes it, or the bundle's entry
 * itself. Node is the `bin/node` of the nearest directory above the entry that has one, so that a prefix
 * with a Node of its own uses that; else PATH's.
 */

#include "base/macros.h"

typedef struct Place {
        char *entry;   /* the script that Node runs, without symbolic links in its path */
        char *package; /* the directory with its package.json; NULL if there is none */
        char *version; /* from that; or NULL */
        char *node;
} Place;

void place_done(Place *p);

/* Negative, and ret_why (freed by the caller; NULL if there was no memory) is a sentence that says what is
 * not there. */
int place_find(const char *cli, Place *ret, char **ret_why);
