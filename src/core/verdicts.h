/* SPDX-License-Identifier: MIT */
#pragma once

/* What the attempts of one request came to, in their order, and why the last one of them that failed did. */

#include "core/verdict.h"

#define VERDICTS_MAX      24U  /* a request may have more: then the last place is the last one's */
#define VERDICTS_TEXT_MAX 512U /* VERDICTS_MAX names, each with a separator of two bytes */

/* All zero: none. */
typedef struct Verdicts {
        uint8_t classes[VERDICTS_MAX];
        uint8_t n;
        char *cause; /* NULL: none */
} Verdicts;

void verdicts_add(Verdicts *l, VerdictClass class);
void verdicts_amend(Verdicts *l, VerdictClass class); /* the last one turned out to be another */
void verdicts_set_cause(Verdicts *l, const char *cause); /* "" changes nothing; nor does a lack of memory */
void verdicts_done(Verdicts *l);

void verdicts_format(const Verdicts *l, const char *separator, char ret[static VERDICTS_TEXT_MAX]);
