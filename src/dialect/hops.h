/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Gemini 4 writes only so many tokens in one answer. If the request allows more, the answer ends with the
 * finishReason CONTINUATION and a continuationToken, and the same request with that token gets the next
 * part. Such a part is a hop. The client sees one answer: hops are requests of DIALECT_E_MORE.
 *
 * Gemini 4 has one candidate. An answer with others is not continued, nor one that has blocked its prompt or
 * has no token.
 */

#include "dialect/answer.h"
#include "dialect/dialect.h"

typedef struct Hops {
        unsigned n;
        Usage usage;         /* their sum */
        GeminiCounts counts; /* only the kinds are summed */
        uint64_t prompt;     /* tokens of the client's prompt: what the first hop has counted */
        size_t n_tail;       /* bytes of the present request after the client's own members */
} Hops;

/* Keeps the last token of the first candidate: a string, as JSON. */
void hops_note_token(Buf *token, const GeminiCandidate *c);

/* Whether the answer was a hop; `h` is NULL before the first. */
bool hops_may_continue(const Hops *h, const Answer *a, const Buf *token);

/* Counts the hop, and makes the next request: 0, -ENOMEM. */
int hops_continue(Hops *h, Translation *t, const Buf *token);
