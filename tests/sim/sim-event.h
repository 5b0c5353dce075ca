/* SPDX-License-Identifier: MIT */
#pragma once

/* One GenerateContentResponse: a whole answer, or an event of a stream. */

#include "base/json/write.h"
#include "sim-answer.h"

typedef struct Usage Usage;
typedef struct Piece Piece;

struct Usage {
        uint64_t prompt;
        uint64_t candidates; /* all of the answer's */
        uint64_t total;      /* ACTION_UNSET: the sum */
        uint64_t thoughts;
        uint64_t cached;
};

struct Piece {
        const char *text;
        size_t n;
        const char *thought;      /* a part before the text, or NULL */
        const char *signature;    /* of the text, or NULL */
        const char *parts;        /* more parts behind it: JSON with commas between, or NULL */
        const char *finish;       /* NULL: not the last */
        const char *continuation; /* the continuationToken of the last, or NULL */
        uint64_t tokens;          /* so far */
        uint64_t thoughts;
};

/* What the script sets, else what is counted. */
Usage usage_of(const Action *action, const AnswerAsk *ask, uint64_t candidates);

void event_write_usage(JWriter *w, const Action *action, const AnswerAsk *ask, const Usage *u,
                       uint64_t candidates, uint64_t thoughts);
void event_write_identity(JWriter *w, const Action *action, const AnswerAsk *ask);

/* Appends it to the answer, as a piece. */
void event_write(Answer *a, const Action *action, const AnswerAsk *ask, const Usage *usage, const Piece *p);
