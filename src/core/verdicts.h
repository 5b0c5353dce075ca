/* SPDX-License-Identifier: MIT */
#pragma once

/* The verdicts of one request's attempts, in order, and the cause of the last one that failed. */

#include "base/limits.h"
#include "core/verdict.h"

#define VERDICTS_MAX      TRIES_MAX
#define VERDICTS_TEXT_MAX 2048U /* VERDICTS_MAX names, each with a separator of two bytes */

/* All zero: none. */
typedef struct Verdicts {
        uint8_t classes[VERDICTS_MAX];
        uint8_t n;
        char *cause; /* NULL: none */
} Verdicts;

void verdicts_add(Verdicts *l, VerdictClass class);
/* Replaces the last verdict, which turned out to be another one. */
void verdicts_amend(Verdicts *l, VerdictClass class);
void verdicts_set_cause(Verdicts *l, const char *cause); /* "" changes nothing; nor does a lack of memory */
void verdicts_done(Verdicts *l);

void verdicts_format(const Verdicts *l, const char *separator, char ret[static VERDICTS_TEXT_MAX]);
