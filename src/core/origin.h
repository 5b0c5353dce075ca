/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * CORS_ORIGINS: the origins whose pages may use gemgate in a browser. An origin is SCHEME://HOST[:PORT] in
 * the form in which browsers send it: lower case, without the scheme's usual port, without a path. Two
 * origins are the same only if all their bytes are.
 */

#include "base/limits.h"
#include "base/macros.h"

typedef struct OriginSet {
        char **origins;
        size_t n;
        bool any; /* `*` */
} OriginSet;

/* `*`, or an origin, which is brought into the form above. The same origin twice counts once. -EINVAL,
 * -E2BIG (CORS_ORIGINS_MAX), -ENOMEM. */
int origin_set_add(OriginSet *s, const char *text);
void origin_set_done(OriginSet *s);

/* What Access-Control-Allow-Origin has for the page of this origin: `*`, or the origin; NULL if it is not
 * allowed. */
const char *origin_set_match(const OriginSet *s, const char *origin);

static inline bool origin_set_is_empty(const OriginSet *s) {
        return s->n == 0 && !s->any;
}

/* A list of names of headers, as in Access-Control-Request-Headers: tokens, separated by commas and blanks,
 * of CORS_HEADER_NAMES_MAX bytes at most. Such a list can be sent back. */
bool header_names_are_valid(const char *s);
