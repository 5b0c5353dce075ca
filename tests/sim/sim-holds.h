/* SPDX-License-Identifier: MIT */
#pragma once

/* What a rule may ask of the place where something is in a request; of the bytes alone a rule has `body`. */

#include <json-c/json.h>
#include <stdbool.h>

typedef struct Holds Holds;

/* Each is NULL, or lines that must all be there. */
struct Holds {
        char *results;    /* texts in the results of functions */
        char *digests;    /* SHA-256 of inline data, in hexadecimal digits */
        char *properties; /* names of properties, in the schemas of functions or of the answer */
};

/* One more line. -ENOMEM. */
int holds_add(char **lines, const char *line);
void holds_done(Holds *h);

/* request: NULL if it was not read. */
bool holds_fits(const Holds *h, json_object *request);
