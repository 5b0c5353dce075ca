/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is sent to one request, before it is framed: a status, a type, and the body in pieces. A plain answer
 * has one piece, a stream one for each event.
 */

#include "sim-action.h"
#include "sim-prompt.h"

typedef struct AnswerAsk AnswerAsk;
typedef enum AnswerForm AnswerForm;

enum AnswerForm {
        ANSWER_PLAIN, /* Content-Length */
        ANSWER_SSE,   /* data: …\r\n\r\n */
        ANSWER_ARRAY, /* [ … ,\r\n … ] */
        ANSWER_RAW,   /* pieces as they are, chunked */
};

struct Answer {
        unsigned n_ref;
        unsigned status;
        AnswerForm form;
        const char *type; /* Content-Type; a constant, or own_type */
        char *own_type;
        char *header; /* one more header line, or NULL */
        Buf bytes;
        size_t *ends; /* of each piece */
        size_t n;
        size_t n_allocated;
        uint64_t repeat; /* one piece is sent so often; 0: each once */
        size_t repeated; /* which */
        int error;       /* sticky, as a Buf's */
};

/* Of what an answer is made, beside the action. */
struct AnswerAsk {
        const Prompt *prompt;
        const char *key;
        const char *model;
        const char *verb;
        AnswerForm form; /* what the client asked for */
        uint64_t id;     /* makes the responseId */
        unsigned hop;    /* of an answer in several */
        uint64_t request; /* a hash of what is asked, for the token of the next hop */
};

int answer_new(unsigned status, AnswerForm form, const char *type, Answer **ret);
Answer *answer_ref(Answer *a);
Answer *answer_unref(Answer *a);
DEFINE_CLEANUP(Answer *, answer_unref);

void answer_close_piece(Answer *a); /* what was appended to a->bytes since the last one is a piece */
uint64_t answer_pieces(const Answer *a);
void answer_piece(const Answer *a, uint64_t i, const char **ret, size_t *ret_n);

int answer_compose(const Action *action, const AnswerAsk *ask, Answer **ret);
