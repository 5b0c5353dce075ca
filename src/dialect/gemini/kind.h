/* SPDX-License-Identifier: MIT */
#pragma once

/* What clients make at Google, by kind (pool/binding): how long Google keeps it, and how it lists it. */

#include "base/clock.h"
#include "pool/binding.h"

typedef struct GeminiKind {
        const char *kind;  /* BINDING_BATCHES */
        const char *list;  /* the member of Google's list: "operations" */
        const char *one;   /* its name in a message: "batch" */
        usec_t life;       /* if an answer has no time at which it expires */
        unsigned page;     /* entries of a page, if the client does not say */
        bool snake;        /* its members have underscores: next_page_token */
        bool by_the_way;   /* made by each request of its kind, and seldom deleted */
} GeminiKind;

/* The kind of a name, or of BINDING_…; NULL: none that Google has. */
const GeminiKind *gemini_kind(const char *name);
