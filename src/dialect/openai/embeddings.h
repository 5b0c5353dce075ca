/* SPDX-License-Identifier: MIT */
#pragma once

/* The OpenAI embeddings dialect: the request (embeddings.c) and the answer (embeddings-answer.c). */

#include "base/buf.h"
#include "base/json/write.h"
#include "base/limits-embeddings.h"
#include "dialect/dialect.h"

typedef struct Embeddings {
        Translation t;
        bool base64;
        Buf requests;      /* the requests of all batches, with commas between those of one batch */
        size_t rounds[(EMBEDDINGS_MAX + EMBEDDINGS_ROUND - 1) / EMBEDDINGS_ROUND]; /* where each begins */
        size_t n;          /* inputs */
        size_t begin, end; /* the inputs of the present round */
        Buf data;          /* the vectors so far, as elements of the answer's array */
        size_t n_data;     /* the same, in bytes, when the round began: reset() goes back to it */
        size_t n_found;    /* vectors of the present round */
        uint64_t n_tokens; /* of the rounds before */
} Embeddings;

void embeddings_write_round(Embeddings *e); /* from e->begin on, into t.gemini */

int embeddings_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict);
int embeddings_finish(Translation *t, Buf *out, Verdict *ret_verdict);
void embeddings_reset(Translation *t);
