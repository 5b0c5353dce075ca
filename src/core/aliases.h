/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * MODEL_ALIASES: other names of models. A name may be a pattern, in which each `*` fits any characters, also
 * none. Of all that fit a name this one counts:
 *
 *     1. the alias that is that very name
 *     2. none, if the name is the model of an alias: so an alias never leads to another one
 *     3. the pattern with the most characters besides `*`; of several with as many, the first of the setting
 */

#include "base/limits.h"
#include "base/macros.h"

typedef struct Alias {
        char *name, *model;
} Alias;

typedef struct AliasSet {
        Alias *names; /* without `*`, in the order of the setting */
        Alias *patterns; /* in the order in which they are tried */
        uint16_t *by_name; /* of `names`, sorted */
        const char **models; /* of all aliases, sorted, each once */
        size_t n_names, n_patterns, n_models;
} AliasSet;

/* A name without prefix, or a pattern. -EEXIST, -E2BIG (ALIASES_MAX, ALIAS_PATTERNS_MAX), -ENOMEM. */
int alias_set_add(AliasSet *s, const char *name, const char *model);
void alias_set_done(AliasSet *s);

const char *alias_set_find(const AliasSet *s, const char *name); /* the model; NULL: nothing fits */
const Alias *alias_set_find_name(const AliasSet *s, const char *name); /* by that very name, or NULL */

bool alias_fits(const char *pattern, const char *name);
