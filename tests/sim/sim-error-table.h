/* SPDX-License-Identifier: MIT */
#pragma once

/* The form of the table of error bodies. */

#include "sim-error.h"

typedef struct Violation Violation;

#define RPC "type.googleapis.com/google.rpc."
#define RATE_LIMITS "https://ai.google.dev/gemini-api/docs/rate-limits"

struct Violation {
        const char *metric;
        const char *id;
        const char *value; /* NULL: no quotaValue */
};

struct SimError {
        const char *name;
        unsigned code;
        const char *message;
        const char *details;         /* the members of the array, or NULL */
        const char *status;          /* NULL: by code */
        const Violation *violations; /* a quota error; ends with an empty one */
        const char *retry_text;      /* in the message */
        const char *retry_delay;     /* in RetryInfo */
        const char *html;            /* the front end's answer, no JSON */
};

extern const SimError errors[];
extern const size_t n_errors;
