/* SPDX-License-Identifier: MIT */
#pragma once

/* Google's error bodies, word for word, by a short name each. */

#include "base/buf.h"

typedef struct SimError SimError;
typedef struct ErrorFacts ErrorFacts;

/* The values in a body, and those that a script sets. NULL and 0: the body's own. */
struct ErrorFacts {
        const char *key;
        const char *model;
        const char *verb;
        const char *message;
        const char *retry; /* `38s`, `45.837906927s`; `none` leaves it out */
        const char *quota;
        unsigned code;
        bool no_code; /* no "code" member, as errors in a stream may be */
        bool array;   /* [{"error":…}] */
};

const SimError *error_find(const char *name);
const SimError *
error_for_status(unsigned status);   /* the ordinary one of this status, NULL if there is none */

unsigned error_status(const SimError *e, const ErrorFacts *facts);
const char *error_content_type(const SimError *e);

/* The body. Faults are the buffer's. */
void error_write(const SimError *e, const ErrorFacts *facts, Buf *out);

/* A body like Google's with just these; status by code. details: JSON array or NULL. */
void error_write_plain(unsigned code, const char *message, const char *details, bool array, Buf *out);
