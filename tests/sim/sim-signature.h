/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Thought signatures. One is made from the family of the model and from the call itself (its name and
 * arguments), so it is known again without being kept, after a restart and in another simulator, too. A
 * signature that a script spells out is kept, for the call and the family that it was given with.
 */

#include <json-c/json.h>

#include "base/buf.h"

typedef struct SignatureBook SignatureBook;

#define SIGNATURES_MAX 1024U /* that scripts have spelled out; then the oldest goes */

/* How much is asked of the calls that come back. */
typedef enum SignatureDemand {
        SIGNATURES_STRICT, /* the first call of a step has the one that was given with it */
        SIGNATURES_ANY,    /* it has one */
        SIGNATURES_OFF,    /* nothing */
} SignatureDemand;

struct SignatureBook {
        SignatureDemand demand;
        uint64_t given[SIGNATURES_MAX];
        size_t n; /* given so far */
};

/* True if models of this family want their signatures back. */
bool signature_wanted(const char *model);

/* Appends the signature of a call. args: NULL is {}. */
void signature_make(const char *model, const char *name, json_object *args, Buf *out);

/* Keeps those of the calls in an answer that a script spells out. */
void signature_note(SignatureBook *book, const char *model, const char *answer);

/* True if this was given with this call by this family, or is a text that is taken for any call. */
bool signature_good(const SignatureBook *book, const char *model, const char *name, json_object *args,
                    const char *signature);
