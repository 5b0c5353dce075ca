/* SPDX-License-Identifier: MIT */
#pragma once

/* The table of options: getopt's table, --help and the shells' completion use it. */

#include "ctl/ctl.h"

typedef struct Option {
        const char *name, *arg, *help;
        char letter;   /* 0: none */
        size_t offset; /* of its member in Ctl: a const char * if it takes an argument, else a bool; 0:
                        * the option means the verb of the same name */
} Option;

extern const Option ctl_options[];
extern const size_t ctl_n_options;

/* 0, or the exit status of the printed error. *ret_first: the first argument that is not an option.
 * *ret_verb: the verb that an option such as --help means, or NULL. */
int options_parse(Ctl *c, int argc, char *argv[], int *ret_first, const char **ret_verb);

/* The name that a mistyped one most likely means; NULL: none is near. `rows` has n rows of `size` bytes that
 * begin with their names. */
const char *options_nearest(const char *typed, const void *rows, size_t n, size_t size);
